//! The drop-in does what tokio does, while nothing is recorded.
#![allow(clippy::unwrap_used, reason = "a test helper may fail the test")]
mod behaviour;

fn start() {}
