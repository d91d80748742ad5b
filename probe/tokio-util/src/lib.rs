//! tokio-util, watched. Use it under tokio-util's name, beside `async-inspect-tokio` under tokio's, and change nothing
//! else:
//!
//! ```toml
//! [dependencies]
//! tokio = { package = "async-inspect-tokio", version = "0.1", features = ["full"] }
//! tokio-util = { package = "async-inspect-tokio-util", version = "0.1", features = ["full"] }
//! ```
//!
//! Every path of tokio-util is here, with tokio-util's own feature names. `CancellationToken` and `TaskTracker` are
//! watched; whatever takes or gives a type of tokio's that the drop-in wraps takes or gives the wrapper; the rest is
//! tokio-util's own item. tokio-util itself stays reachable as [`raw`].
pub use async_inspect_probe::tokio_util::*;
