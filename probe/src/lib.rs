//! Watch a tokio service from inside.
pub mod tokio;
