//! What a console was told of the rows of a table, and what it is owed.
use super::index_set::IndexSet;
use crate::recorder::clock;

/// How long ago an entity may have ended to be announced all the same, in nanoseconds: as long as the stock client shows
/// what has ended, when nothing else is asked of it.
const ENDED_LATELY_NS: u64 = 6_000_000_000;

/// What is known of an entity. Times in ticks.
pub(super) trait Row: Copy {
    fn id(&self) -> u64;

    /// Its number among the recorder's names, which may be given late; 0 for none.
    fn name(&self) -> u16 {
        0
    }

    /// 0 while it lives.
    fn ended_at(&self) -> u64;

    /// It is no more; when it ended is known already, or it is `now`.
    fn end(&mut self, now: u64);

    /// Whether it is certain as it is. Otherwise leaves what is, and the rest is told later.
    fn settle(&mut self, _now: u64) -> bool {
        true
    }
}

/// Rows by the index of the slot that they were read from.
#[derive(Debug)]
pub(super) struct Table<R>(Vec<Option<R>>);

impl<R> Default for Table<R> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<R: Row> Table<R> {
    /// The slot at `index` was read and is as `row` says now.
    pub(super) fn set<'a>(
        &mut self,
        index: u32,
        row: Option<R>,
        now: u64,
        all_debts: impl Iterator<Item = &'a mut Debts<R>>,
    ) where
        R: 'a,
    {
        let i = index as usize;
        if self.0.len() <= i {
            if row.is_none() {
                return;
            }
            self.0.resize(i + 1, None);
        }
        let before = std::mem::replace(&mut self.0[i], row);
        let gone = before.filter(|before| row.is_none_or(|row| row.id() != before.id()));
        for debts in all_debts {
            if let Some(gone) = gone {
                debts.gone(index, gone, now);
            }
            if row.is_some() {
                debts.changed.insert(index);
            }
        }
    }

    pub(super) fn get(&self, index: u32) -> Option<&R> {
        self.0.get(index as usize)?.as_ref()
    }

    /// Where there may be rows.
    pub(super) fn len(&self) -> u32 {
        self.0.len() as u32
    }
}

/// One console's side of a [`Table`].
#[derive(Debug)]
pub(super) struct Debts<R> {
    /// Rows that changed since the round began.
    changed: IndexSet,
    /// Rows of this round that it was not told of yet. Apart from `changed`, so that a round ends however fast rows
    /// change.
    due: IndexSet,
    /// By row: the id and the name that it was announced under, 0 for none.
    announced: Vec<(u64, u16)>,
    /// The last of what was announced and is no more: told before anything else is announced, and so never more than
    /// there are slots.
    gone: Vec<R>,
}

/// What a console is told of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told<R> {
    pub(super) row: R,
    /// It is told of it for the first time, or under another name.
    pub(super) born: bool,
}

impl<R: Row> Debts<R> {
    /// Of a console that was told nothing.
    pub(super) fn of(table: &Table<R>) -> Self {
        let mut changed = IndexSet::default();
        (0..table.len()).filter(|&index| table.get(index).is_some()).for_each(|index| changed.insert(index));
        Self { changed, due: IndexSet::default(), announced: Vec::new(), gone: Vec::new() }
    }

    /// Begins the next round.
    pub(super) fn open_round(&mut self) {
        self.due.absorb(&mut self.changed);
    }

    /// What to tell next; `None` when the round is over.
    pub(super) fn next(&mut self, table: &Table<R>, now: u64) -> Option<Told<R>> {
        if let Some(row) = self.gone.pop() {
            return Some(Told { row, born: false });
        }
        while let Some(index) = self.due.pop() {
            let Some(mut row) = table.get(index).copied() else { continue };
            let announced = self.announced_at(index);
            let born = *announced != (row.id(), row.name());
            let ended = row.ended_at();
            if born && ended != 0 && clock::duration_ns(now.saturating_sub(ended)) > ENDED_LATELY_NS {
                continue;
            }
            *announced = (row.id(), row.name());
            if !row.settle(now) {
                self.changed.insert(index);
            }
            return Some(Told { row, born });
        }
        None
    }

    fn announced_at(&mut self, index: u32) -> &mut (u64, u16) {
        let index = index as usize;
        if self.announced.len() <= index {
            self.announced.resize(index + 1, (0, 0));
        }
        &mut self.announced[index]
    }

    fn gone(&mut self, index: u32, mut row: R, now: u64) {
        let announced = self.announced_at(index);
        if announced.0 == row.id() {
            *announced = (0, 0);
            row.end(now);
            self.gone.push(row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    struct Thing {
        id: u64,
        value: u32,
        ended_at: u64,
    }

    impl Row for Thing {
        fn id(&self) -> u64 {
            self.id
        }

        fn ended_at(&self) -> u64 {
            self.ended_at
        }

        fn end(&mut self, now: u64) {
            self.ended_at = now;
        }

        fn settle(&mut self, now: u64) -> bool {
            self.value != 13 || now > 100
        }
    }

    fn thing(id: u64, value: u32) -> Thing {
        Thing { id, value, ended_at: 0 }
    }

    /// `(id, value, born, ended)` of all that a round tells.
    fn round(debts: &mut Debts<Thing>, table: &Table<Thing>, now: u64) -> Vec<(u64, u32, bool, bool)> {
        debts.open_round();
        let told = std::iter::from_fn(|| debts.next(table, now));
        told.map(|told| (told.row.id, told.row.value, told.born, told.row.ended_at != 0)).collect()
    }

    #[test]
    fn a_birth_is_told_once_a_change_once_a_round_and_a_death_with_the_last_that_was_known() {
        let mut table = Table::default();
        let mut debts = Debts::of(&table);
        table.set(4, Some(thing(40, 1)), 1, std::iter::once(&mut debts));
        assert_eq!(round(&mut debts, &table, 1), [(40, 1, true, false)]);
        table.set(4, Some(thing(40, 2)), 2, std::iter::once(&mut debts));
        table.set(4, Some(thing(40, 3)), 3, std::iter::once(&mut debts));
        assert_eq!(round(&mut debts, &table, 3), [(40, 3, false, false)]);
        assert_eq!(round(&mut debts, &table, 4), []);
        table.set(4, None, 5, std::iter::once(&mut debts));
        assert_eq!(round(&mut debts, &table, 5), [(40, 3, false, true)]);
        assert_eq!(round(&mut debts, &table, 6), []);
    }

    #[test]
    fn a_slot_that_changes_hands_unseen_tells_of_both_and_one_that_was_never_told_of_has_no_death() {
        let mut table = Table::default();
        let mut debts = Debts::of(&table);
        table.set(0, Some(thing(1, 1)), 1, std::iter::once(&mut debts));
        assert_eq!(round(&mut debts, &table, 1), [(1, 1, true, false)]);
        for id in 2..=5 {
            table.set(0, Some(thing(id, 1)), id, std::iter::once(&mut debts));
        }
        assert_eq!(round(&mut debts, &table, 5), [(1, 1, false, true), (5, 1, true, false)]);
    }

    #[test]
    fn a_console_that_comes_late_is_told_of_all_that_lives() {
        let mut table = Table::default();
        for id in 1..=3 {
            table.set(id as u32, Some(thing(id, 7)), id, std::iter::empty());
        }
        table.set(2, None, 4, std::iter::empty());
        let mut late = Debts::of(&table);
        assert_eq!(round(&mut late, &table, 4), [(1, 7, true, false), (3, 7, true, false)]);
    }

    #[test]
    fn a_round_ends_while_rows_go_on_changing() {
        let mut table = Table::default();
        let mut debts = Debts::of(&table);
        for index in 0..10 {
            table.set(index, Some(thing(u64::from(index) + 1, 0)), 1, std::iter::once(&mut debts));
        }
        debts.open_round();
        let mut told = 0;
        while let Some(Told { row, .. }) = debts.next(&table, 1) {
            table.set(row.id as u32 - 1, Some(thing(row.id, row.value + 1)), 1, std::iter::once(&mut debts));
            told += 1;
        }
        assert_eq!(told, 10);
    }

    #[test]
    fn what_is_not_certain_is_told_again() {
        let mut table = Table::default();
        let mut debts = Debts::of(&table);
        table.set(0, Some(thing(1, 13)), 1, std::iter::once(&mut debts));
        assert_eq!(round(&mut debts, &table, 1).len(), 1);
        assert_eq!(round(&mut debts, &table, 2).len(), 1);
        assert_eq!(round(&mut debts, &table, 101).len(), 1);
        assert_eq!(round(&mut debts, &table, 102).len(), 0);
    }
}
