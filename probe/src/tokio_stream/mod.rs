//! tokio-stream's API for the types of [`crate::tokio`]: every path of the `tokio-stream` crate, with the wrappers of
//! channels and timers taking the drop-in's. What it watches, those types watch.
//!
//! One method is left as it is: `StreamExt::timeout_repeating` takes tokio's own `Interval`, which the drop-in's turns
//! into by `into_inner()`. That of the wrappers takes both.
pub mod wrappers;

pub use ::tokio_stream::*;

/// tokio-stream itself, for APIs that insist on its own types.
pub use ::tokio_stream as raw;
