//! Healthy programs without a faulty twin: what idiomatic services do all day, under load. Nothing in here may ever
//! raise a warning.

pub(super) mod actors;
pub(super) mod axum;
pub(super) mod chat;
pub(super) mod crawl;
pub(super) mod detached;
pub(super) mod hashing;
pub(super) mod pipeline;
pub(super) mod reload;
pub(super) mod shutdown;
pub(super) mod storm;
pub(super) mod timers;
pub(super) mod worker_pool;
