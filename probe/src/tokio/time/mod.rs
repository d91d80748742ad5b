//! Time: tokio's [`time`](raw::time) module, watched.
//!
//! Watched: which task waits for a moment, since when and from which line. A task that also waits for something else goes
//! on when its time is up, so without this one could not tell who is stuck from who has a timeout.
#[cfg(doc)]
use crate::tokio::raw;

mod interval;
mod sleep;
mod timeout;
mod timer;

pub use ::tokio::time::*;
pub use interval::{Interval, interval, interval_at};
pub use sleep::{Sleep, sleep, sleep_until};
pub use timeout::{Timeout, timeout, timeout_at};
