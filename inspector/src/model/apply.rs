//! How one update changes the model.
use super::{Batch, Model, Target};

impl Model {
    /// A model of a target that has just been attached to; nothing is known of it yet.
    pub fn new(target: Target) -> Model {
        Model { target, ..Model::default() }
    }

    /// Takes one update in.
    pub fn apply(&mut self, batch: Batch) {
        self.now = self.now.max(batch.now);
        self.complete |= batch.snapshot_end;
    }
}
