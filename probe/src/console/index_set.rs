//! A set of row indices: one bit a row.

#[derive(Debug, Default)]
pub(super) struct IndexSet {
    words: Vec<u64>,
    /// No index in the words before this one.
    first: usize,
}

impl IndexSet {
    pub(super) fn insert(&mut self, index: u32) {
        let word = index as usize / 64;
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (index % 64);
        self.first = self.first.min(word);
    }

    /// Takes the lowest index out.
    pub(super) fn pop(&mut self) -> Option<u32> {
        while let Some(word) = self.words.get_mut(self.first) {
            if *word != 0 {
                let bit = word.trailing_zeros();
                *word &= *word - 1;
                return Some(self.first as u32 * 64 + bit);
            }
            self.first += 1;
        }
        None
    }

    /// Takes all of `other`'s over, which is empty then.
    pub(super) fn absorb(&mut self, other: &mut Self) {
        if self.words.len() < other.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        for (mine, theirs) in self.words.iter_mut().zip(&mut other.words).skip(other.first) {
            *mine |= std::mem::take(theirs);
        }
        self.first = self.first.min(other.first);
        other.first = other.words.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_index_comes_out_once_in_order() {
        let mut set = IndexSet::default();
        for index in [700, 3, 64, 3, 63] {
            set.insert(index);
        }
        assert_eq!(std::iter::from_fn(|| set.pop()).collect::<Vec<_>>(), [3, 63, 64, 700]);
        set.insert(5);
        assert_eq!((set.pop(), set.pop()), (Some(5), None));
    }

    #[test]
    fn what_is_absorbed_changes_sides() {
        let (mut due, mut changed) = (IndexSet::default(), IndexSet::default());
        due.insert(1);
        changed.insert(900);
        changed.insert(0);
        due.absorb(&mut changed);
        assert_eq!(changed.pop(), None);
        assert_eq!(std::iter::from_fn(|| due.pop()).collect::<Vec<_>>(), [0, 1, 900]);
        changed.insert(2);
        due.absorb(&mut changed);
        assert_eq!((due.pop(), due.pop()), (Some(2), None));
    }
}
