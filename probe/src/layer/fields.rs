//! What is read out of spans and events. Values are borrowed for a moment, so what is kept of them is numbers and, of the
//! few texts that matter, which one it was.
use std::fmt::{self, Debug, Write};

use tracing::{
    field::{Field, Visit},
    span::Attributes,
};

use crate::recorder::{names, place::Place, task::TaskKind};

/// Bytes of a task's name: those that are kept of any name.
const NAME: usize = names::MAX_BYTES;

/// What is said of something that is made, but for the place.
#[derive(Default)]
pub(super) struct Made {
    /// tokio's id of a task.
    pub(super) task: u64,
    pub(super) kind: Option<TaskKind>,
    /// What a task's builder calls it; empty where it has none.
    name: Word<NAME>,
    /// Bytes of a future, and before tokio boxed it; 0 when it did not.
    pub(super) size: u64,
    pub(super) original_size: u64,
    line: u32,
    column: u32,
}

impl Made {
    pub(super) fn name(&self) -> &str {
        self.name.text()
    }

    /// The place, which is looked up with what is known by now: a file's name comes before its line, and goes.
    pub(super) fn place(&self, attributes: &Attributes<'_>) -> Option<Place> {
        let mut at = At { made: self, place: None };
        attributes.record(&mut at);
        at.place
    }
}

struct At<'a> {
    made: &'a Made,
    place: Option<Place>,
}

impl Visit for At<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "loc.file" {
            self.place = Place::told(value, self.made.line, self.made.column);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

impl Visit for Made {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "task.id" => self.task = value,
            "loc.line" => self.line = value as u32,
            "loc.col" => self.column = value as u32,
            "size.bytes" => self.size = value,
            "original_size.bytes" => self.original_size = value,
            _ => {}
        }
    }

    fn record_str(&mut self, _: &Field, _: &str) {}

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "task.name" => _ = write!(self.name, "{value:?}"),
            "kind" => {
                let mut word = Word::<16>::default();
                let _ = write!(word, "{value:?}");
                self.kind = match word.text() {
                    "task" => Some(TaskKind::Async),
                    "local" => Some(TaskKind::Local),
                    "block_on" => Some(TaskKind::Root),
                    "blocking" => Some(TaskKind::Blocking),
                    _ => None,
                };
            }
            _ => {}
        }
    }
}

/// A short text that is formatted; longer ones are cut.
struct Word<const N: usize> {
    text: [u8; N],
    length: usize,
}

impl<const N: usize> Default for Word<N> {
    fn default() -> Self {
        Self { text: [0; N], length: 0 }
    }
}

impl<const N: usize> Word<N> {
    /// Up to the character that did not fit.
    fn text(&self) -> &str {
        let text = &self.text[..self.length];
        std::str::from_utf8(text).or_else(|error| std::str::from_utf8(&text[..error.valid_up_to()])).unwrap_or_default()
    }
}

impl<const N: usize> Write for Word<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for (to, from) in self.text[self.length..].iter_mut().zip(text.bytes()) {
            *to = from;
            self.length += 1;
        }
        Ok(())
    }
}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Operation {
    #[default]
    Other,
    Read,
    Write,
}

#[derive(Default)]
pub(super) struct Source(pub(super) Operation);

impl Visit for Source {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "source" {
            self.0 = match value {
                "RwLock::read" | "RwLock::read_owned" => Operation::Read,
                "RwLock::write" | "RwLock::write_owned" => Operation::Write,
                _ => Operation::Other,
            };
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

/// `is_ready` of a poll.
#[derive(Default)]
pub(super) struct Polled(pub(super) bool);

impl Visit for Polled {
    fn record_bool(&mut self, field: &Field, value: bool) {
        if field.name() == "is_ready" {
            self.0 = value;
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

/// Whose waker it is, by the id of the task's span: of a callsite that is known to have no other number.
#[derive(Default)]
pub(super) struct TaskSpan(pub(super) u64);

impl Visit for TaskSpan {
    #[inline]
    fn record_u64(&mut self, _: &Field, value: u64) {
        self.0 = value;
    }

    fn record_str(&mut self, _: &Field, _: &str) {}

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

/// Whose waker it is, by the id of the task's span, and whether it was used to wake, if it is known what was done.
#[derive(Default)]
pub(super) struct Waker {
    pub(super) span: u64,
    pub(super) wakes: Option<bool>,
}

impl Visit for Waker {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "task.id" {
            self.span = value;
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "op" {
            self.wakes = match value {
                "waker.wake" | "waker.wake_by_ref" => Some(true),
                "waker.clone" | "waker.drop" => Some(false),
                _ => None,
            };
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Locked(bool),
    WriteLocked(bool),
    MaxReaders(u64),
    Readers(u64),
    Permits(u64),
    Size(u64),
    ValueSent(bool),
    SenderDropped(bool),
    ReceiverDropped(bool),
    ValueReceived(bool),
}

/// How a number changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum How {
    #[default]
    Set,
    Added,
    Taken,
}

#[derive(Default)]
pub(super) struct Update {
    pub(super) change: Option<Change>,
    pub(super) how: How,
}

impl Visit for Update {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.change = Some(match field.name() {
            "locked" => Change::Locked(value),
            "write_locked" => Change::WriteLocked(value),
            "value_sent" => Change::ValueSent(value),
            "tx_dropped" => Change::SenderDropped(value),
            "rx_dropped" => Change::ReceiverDropped(value),
            "value_received" => Change::ValueReceived(value),
            _ => return,
        });
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.change = Some(match field.name() {
            "permits" => Change::Permits(value),
            "max_readers" => Change::MaxReaders(value),
            "current_readers" => Change::Readers(value),
            "size" => Change::Size(value),
            _ => return,
        });
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.record_u64(field, value.unsigned_abs());
    }

    fn record_str(&mut self, _: &Field, value: &str) {
        self.how = match value {
            "add" => How::Added,
            "sub" => How::Taken,
            _ => How::Set,
        };
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}
