//! Additional utilities for tracking time: tokio-util's [`time`](::tokio_util::time) module, with the drop-in's types.
pub use super::future::FutureExt;

pub use ::tokio_util::time::*;
