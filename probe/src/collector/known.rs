//! Which entity of each slot the subscribers were told of.

/// By slot index: the id announced last, 0 for none. Eight bytes a slot is all that the collector keeps of an entity.
#[derive(Debug, Default)]
pub(crate) struct Known(Vec<u64>);

/// What a reading of a slot tells that was not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct News {
    /// The entity that was there is no more.
    pub(crate) gone: Option<u64>,
    /// The one that is there now was not announced.
    pub(crate) born: bool,
}

impl Known {
    /// The slot at `index` now holds the entity `id`, 0 for none.
    pub(crate) fn now(&mut self, index: u32, id: u64) -> News {
        let index = index as usize;
        if self.0.len() <= index {
            self.0.resize(index + 1, 0);
        }
        let before = std::mem::replace(&mut self.0[index], id);
        News { gone: (before != 0 && before != id).then_some(before), born: id != 0 && before != id }
    }

    /// Whether the slot's entity `id` was announced.
    pub(crate) fn is(&self, index: u32, id: u64) -> bool {
        self.0.get(index as usize) == Some(&id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_that_changes_hands_tells_of_a_death_and_a_birth() {
        let mut known = Known::default();
        assert_eq!(known.now(7, 0), News { gone: None, born: false });
        assert_eq!(known.now(7, 100), News { gone: None, born: true });
        assert_eq!(known.now(7, 100), News { gone: None, born: false });
        assert_eq!(known.now(7, 101), News { gone: Some(100), born: true });
        assert!(known.is(7, 101) && !known.is(7, 100) && !known.is(8, 101));
        assert_eq!(known.now(7, 0), News { gone: Some(101), born: false });
    }
}
