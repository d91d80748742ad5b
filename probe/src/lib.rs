//! Watch a tokio service from inside.
mod recorder;
pub mod tokio;
