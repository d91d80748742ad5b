//! How one update changes the model.

/// What `decode` made of one update.
#[derive(Debug, Clone, Default)]
pub struct Batch {}
