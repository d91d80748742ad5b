//! The same faults in tasks that a library spawns with a tokio of its own: in the handlers of an axum service. On stable
//! Rust nobody watches these tasks, and their faults are found all the same.

pub(super) mod blocked_worker;
pub(super) mod deadlock;
