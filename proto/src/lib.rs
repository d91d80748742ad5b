//! The wire between async-inspect's probe and its inspector: package `async_inspect.v1` over gRPC.
//!
//! The `.proto` file is the reference for what each field means; this crate holds the code generated from it,
//! committed so that nobody needs `protoc`, and what both ends must agree on: a few constants, and how the columns of a
//! table are sent. What they mean is not here: the probe's `wire` translates from its slots, the inspector's `decode`
//! translates to its model.

/// The protocol spoken by this version. Raised when an older reader would misread a newer probe, or the reverse;
/// fields that a reader may ignore do not raise it.
pub const PROTOCOL: u32 = 2;

/// Where a probe listens and an inspector looks when nothing else is said.
pub const DEFAULT_ADDR: &str = "127.0.0.1:6670";

/// No message of either side is longer, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 1024 * 1024;

/// Buckets of every histogram on the wire.
pub const HISTOGRAM_BUCKETS: usize = 16;

/// Upper bound of the first histogram bucket, in nanoseconds; each further bucket doubles it.
pub const HISTOGRAM_FIRST_NS: u64 = 64_000;

/// Bits of `TaskStates.flags`.
pub mod task_flags {
    /// A `JoinHandle` (or a `JoinSet`) still holds the task.
    pub const HANDLE_HELD: u32 = 1;
    /// The handle was awaited at least once.
    pub const HANDLE_AWAITED: u32 = 2;
    /// The handle was dropped before the task ended.
    pub const HANDLE_DROPPED: u32 = 4;
    /// `abort` was called on the task.
    pub const ABORTED: u32 = 8;
    /// The task waits for more things at once than are listed.
    pub const MORE_WAITS: u32 = 16;
}

mod columns;
#[cfg(feature = "server")]
mod encoded;

pub use columns::{BadTable, MAX_ROWS};

#[cfg(feature = "server")]
pub use encoded::EncodedUpdate;

/// The generated messages and services of `async_inspect.v1`. A server streams [`EncodedUpdate`]s, a client gets
/// [`Update`](v1::Update)s.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
pub mod v1 {
    include!("generated/async_inspect.v1.rs");
    #[cfg(feature = "server")]
    include!("generated/async_inspect.v1.server.rs");
}
