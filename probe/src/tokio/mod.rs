//! tokio's API, watched: every path of the `tokio` crate, with what can be watched wrapped.
pub use ::tokio::*;

/// tokio itself, unwatched, for APIs that insist on its own types.
pub use ::tokio as raw;
