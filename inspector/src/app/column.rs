//! One column of a table: the same definition shows it, sorts by it and filters on it.
use std::borrow::Cow;
use std::cmp::Ordering;
use std::time::Duration;

use super::theme::Role;
use super::{Cx, Entity};
use crate::lints::Severity;
use crate::model::Series;

/// What stands in one cell.
#[derive(Debug, Clone)]
pub(crate) enum Value<'a> {
    /// Nothing to say.
    None,
    /// Words.
    Text(Cow<'a, str>),
    /// The name of a thing, of which a number at its end is never cut.
    Name(Cow<'a, str>),
    /// A `path:line:column`, cut from the left.
    Place(Cow<'a, str>),
    /// A time.
    Duration(Duration),
    /// At least this long.
    AtLeast(Duration),
    /// A whole number.
    Count(u64),
    /// A number that is a name, as people write it, and by which things are ordered.
    Id(u64, Cow<'a, str>),
    /// Something per second.
    Rate(f64),
    /// A share, 0 to 1.
    Share(f64),
    /// Part of a whole, drawn as a bar when there is a whole.
    Meter(u64, Option<u64>),
    /// The last minute of a figure.
    Spark(&'a Series),
    /// The mark of the accused.
    Mark(Option<Severity>),
}

impl<'a> Value<'a> {
    pub(crate) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }

    pub(crate) fn place(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Place(text.into())
    }

    pub(crate) fn duration(duration: Option<Duration>) -> Self {
        duration.map_or(Self::None, Self::Duration)
    }

    /// Zero as nothing: a column of zeros hides the one figure that is not.
    pub(crate) fn count(n: u64) -> Self {
        if n == 0 { Self::None } else { Self::Count(n) }
    }

    /// The figure to sort and compare by: seconds, percent, or the number itself.
    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Self::None | Self::Text(_) | Self::Name(_) | Self::Place(_) | Self::Mark(None) => None,
            Self::Duration(d) | Self::AtLeast(d) => Some(d.as_secs_f64()),
            Self::Count(n) | Self::Id(n, _) | Self::Meter(n, _) => Some(*n as f64),
            Self::Rate(r) => Some(*r).filter(|r| !r.is_nan()),
            Self::Share(s) => Some(s * 100.0).filter(|s| !s.is_nan()),
            Self::Spark(series) => series.last(),
            Self::Mark(Some(severity)) => Some(f64::from(*severity as u8) + 1.0),
        }
    }

    /// The words to sort and filter by.
    pub(crate) fn words(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Name(text) | Self::Place(text) | Self::Id(_, text) => Some(text),
            Self::Mark(Some(Severity::Crit)) => Some("crit"),
            Self::Mark(Some(Severity::Warn)) => Some("warn"),
            Self::Mark(Some(Severity::Info)) => Some("info"),
            _ => None,
        }
    }
}

/// What the values of a column are, which decides how they are compared and aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Words.
    Text,
    /// Times.
    Duration,
    /// Numbers.
    Number,
    /// Shares, compared as percent.
    Share,
    /// The mark: sorts as a number, filters as words.
    Mark,
    /// What rows have in common with others, with `; ` between: found by all words of one of them, and by its field only.
    Relations,
}

/// How wide a column may be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Width {
    /// Always as wide.
    Fixed(u16),
    /// At least the first, at most the second.
    Flex(u16, u16),
    /// Only to filter on.
    Hidden,
}

/// One column.
pub(crate) struct Column {
    /// How filters and the status line name it.
    pub(crate) id: &'static str,
    /// Its head.
    pub(crate) title: &'static str,
    pub(crate) kind: Kind,
    pub(crate) width: Width,
    /// 1 is never dropped; the largest go first when there is no room.
    pub(crate) priority: u8,
    pub(crate) value: for<'a> fn(&Cx<'a>, Entity) -> Value<'a>,
    /// What the value is, when it is more than text.
    pub(crate) role: fn(&Cx, Entity) -> Role,
}

/// The role of most cells.
pub(crate) fn plain(_: &Cx, _: Entity) -> Role {
    Role::Text
}

/// The role of cells that are context.
pub(crate) fn muted(_: &Cx, _: Entity) -> Role {
    Role::Muted
}

/// The role of a mark.
pub(crate) fn mark_role(cx: &Cx, entity: Entity) -> Role {
    cx.mark(entity).map_or(Role::Text, Role::from)
}

/// The first column of every table: whether a finding accuses this row.
pub(crate) const MARK: Column = Column {
    id: "mark",
    title: "!",
    kind: Kind::Mark,
    width: Width::Fixed(1),
    priority: 1,
    value: |cx, entity| Value::Mark(cx.mark(entity)),
    role: mark_role,
};

/// How rows are ordered: figures start with the largest and words with the first, `reverse` turns that round. Rows that
/// have none are last either way: nobody sorts to see blanks. Ties are broken by the second column, then by id.
#[derive(Clone, Copy)]
pub(crate) struct Order {
    pub(crate) by: &'static Column,
    pub(crate) then: &'static Column,
    pub(crate) reverse: bool,
}

/// What one row is ordered by.
pub(crate) enum Key {
    Words(Option<String>),
    /// Figures, that of the second column last.
    Figures(Option<f64>, Option<f64>),
}

impl Order {
    /// The key of a row.
    pub(crate) fn key(&self, cx: &Cx, entity: Entity) -> Key {
        if self.by.kind == Kind::Text {
            let words = (self.by.value)(cx, entity).words().filter(|words| !words.is_empty()).map(str::to_lowercase);
            return Key::Words(words);
        }
        let number = |column: &Column| (column.value)(cx, entity).number();
        Key::Figures(number(self.by), number(self.then))
    }

    /// Which of two rows comes first.
    pub(crate) fn compare(&self, a: &(Key, Entity), b: &(Key, Entity)) -> Ordering {
        let ids = a.1.ordinal().cmp(&b.1.ordinal());
        match (&a.0, &b.0) {
            (Key::Figures(a, then_a), Key::Figures(b, then_b)) => {
                blanks_last(a.as_ref(), b.as_ref(), self.reverse, |a, b| b.total_cmp(a))
                    .then_with(|| blanks_last(then_a.as_ref(), then_b.as_ref(), false, |a, b| b.total_cmp(a)))
                    .then(ids)
            }
            (Key::Words(a), Key::Words(b)) => blanks_last(a.as_ref(), b.as_ref(), self.reverse, Ord::cmp).then(ids),
            // Keys of one column are of one kind.
            _ => ids,
        }
    }

    /// Orders `entities`.
    pub(crate) fn sort(&self, cx: &Cx, entities: &mut [Entity]) {
        let mut keyed: Vec<_> = entities.iter().map(|&entity| (self.key(cx, entity), entity)).collect();
        keyed.sort_unstable_by(|a, b| self.compare(a, b));
        for (slot, (_, entity)) in entities.iter_mut().zip(keyed) {
            *slot = entity;
        }
    }
}

/// Which comes first by `compare`, or by its reverse; what there is, before what there is not.
fn blanks_last<T>(a: Option<&T>, b: Option<&T>, reverse: bool, compare: impl Fn(&T, &T) -> Ordering) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) if reverse => compare(b, a),
        (Some(a), Some(b)) => compare(a, b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}
