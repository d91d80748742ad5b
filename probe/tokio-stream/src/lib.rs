//! tokio-stream for watched channels and timers. Use it under tokio-stream's name, beside `async-inspect-tokio` under
//! tokio's, and change nothing else:
//!
//! ```toml
//! [dependencies]
//! tokio = { package = "async-inspect-tokio", version = "0.1", features = ["full"] }
//! tokio-stream = { package = "async-inspect-tokio-stream", version = "0.1", features = ["sync"] }
//! ```
//!
//! Every path of tokio-stream is here, with tokio-stream's own feature names. The wrappers take and give the drop-in's
//! types, the rest is tokio-stream's own item; tokio-stream itself stays reachable as [`raw`]. One method is left as it
//! is: `StreamExt::timeout_repeating` takes tokio's own `Interval`, which the drop-in's turns into by `into_inner()`. That of
//! the wrappers takes both.
pub use async_inspect_probe::tokio_stream::*;
