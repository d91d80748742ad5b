//! tokio, watched. Use it under tokio's name and change nothing else:
//!
//! ```toml
//! [dependencies]
//! tokio = { package = "async-inspect-tokio", version = "0.1", features = ["full"] }
//! ```
//!
//! Every path of tokio is here, with tokio's own feature names. What can be watched is wrapped, the rest is tokio's own
//! item; tokio itself stays reachable as [`raw`]. Nothing is recorded and nothing listens until `ASYNC_INSPECT` is set
//! in the environment (for instance `ASYNC_INSPECT=127.0.0.1:6670`) or the program starts the probe itself.
pub use async_inspect_probe::tokio::*;
