//! Watch a tokio service from inside: tasks, locks and channels, told to `async-inspect`.
//!
//! Three ways in, from the least work to the most control:
//!
//! 1. In `Cargo.toml`, `tokio = { package = "async-inspect-tokio", … }`: nothing else changes.
//! 2. `use async_inspect_probe::tokio;` in the modules to be watched.
//! 3. With the feature `layer`, `layer()` for an app that cannot change its tokio: it sees less, and costs more.
//!
//! [`Builder`] starts the probe in code, whichever way is taken.
//!
//! Nothing is recorded, no port is opened and no thread is started until `ASYNC_INSPECT` is set in the environment
//! (`ASYNC_INSPECT=127.0.0.1:6670`, `on` for that default, or `unix:/path`) or [`Builder::start`] is called. From then on
//! the drop-in's wrappers keep counters and facts in slots of atomics; a thread of the probe's own reads them when an
//! inspector is attached. The probe never blocks or fails its host, and its memory has a ceiling.

#[cfg(all(feature = "layer", not(tokio_unstable)))]
compile_error!(
    "the feature `layer` of async-inspect-probe needs RUSTFLAGS=\"--cfg tokio_unstable\": without it tokio tells nothing to \
     `tracing`. The drop-in, async-inspect-tokio, needs no flag."
);

mod collector;
#[cfg(feature = "console")]
mod console;
#[cfg(all(feature = "layer", tokio_unstable))]
mod layer;
mod named;
#[cfg_attr(
    not(all(
        feature = "watch-tasks",
        feature = "watch-locks",
        feature = "watch-channels",
        feature = "watch-time",
        feature = "tokio-util-rt"
    )),
    allow(dead_code, reason = "what nobody records is there all the same")
)]
mod recorder;
mod say;
mod service;
mod stacks;
mod start;
#[cfg(test)]
mod testing;
pub mod tokio;
pub mod tokio_stream;
#[cfg(feature = "tokio-util")]
pub mod tokio_util;
mod wire;

#[cfg(all(feature = "layer", tokio_unstable))]
pub use layer::layer;
pub use named::Named;
pub use start::{BindError, Builder, ENVIRONMENT, Probe, StartError, from_environment as start_from_environment};
