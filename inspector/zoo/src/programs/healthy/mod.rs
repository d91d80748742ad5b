//! Healthy programs without a faulty twin: what idiomatic services do all day, under load. Nothing in here may ever
//! raise a warning.

pub(super) mod actors;
pub(super) mod axum;
pub(super) mod detached;
pub(super) mod pipeline;
