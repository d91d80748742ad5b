//! What tasks wait for, as async ops: one for each wait that a task's slot lists.
//!
//! A task that comes back to the same wait keeps its op, told anew: a loop that sleeps is one op and not one a turn. Timers
//! and oneshots have no slots; the line that waits for the one and the line that makes the other stand for them.
use std::{
    collections::{HashMap, hash_map::Entry},
    panic::Location,
};

use super::{
    debts::{Row, Table},
    kinds::{ONESHOTS, TIMER},
    reader::Reader,
    rows::ResourceRow,
};
use crate::recorder::{
    Recorder,
    place::Place,
    task::TaskReading,
    wait::{WaitKind, WaitReading},
};

/// Ops of timers at once, and as many of everything else; the next ones are counted only. A hundred thousand sleepers must
/// not bury the three that wait for a lock, nor the client.
const MAX_OPS: usize = 10_000;
/// Lines that stand for timers and oneshots.
const MAX_LINES: usize = 4096;
/// In the ids of such lines, which no lock or channel has.
const LINE_BIT: u64 = 1 << 62;

/// A wait. Times in ticks.
#[derive(Debug, Clone, Copy)]
pub(super) struct OpRow {
    pub(super) id: u64,
    pub(super) task: u64,
    pub(super) resource: u64,
    /// A [`WaitKind`].
    pub(super) kind: u8,
    /// `None` where it is not known.
    pub(super) location: Option<&'static Location<'static>>,
    pub(super) since: u64,
    ended_at: u64,
}

impl Row for OpRow {
    fn id(&self) -> u64 {
        self.id
    }

    fn ended_at(&self) -> u64 {
        self.ended_at
    }

    fn end(&mut self, now: u64) {
        self.ended_at = now;
    }
}

impl OpRow {
    fn is_timer(&self) -> bool {
        self.kind == WaitKind::Timer as u8
    }

    fn is_as(&self, task: u64, resource: u64, wait: &WaitReading) -> bool {
        self.task == task
            && self.resource == resource
            && self.kind == wait.kind
            && self.location.map(std::ptr::from_ref) == wait.site.map(std::ptr::from_ref)
    }
}

/// All waits, and the lines that stand for what some of them wait for.
#[derive(Debug, Default)]
pub(super) struct Waits {
    pub(super) ops: Table<OpRow>,
    pub(super) lines: Table<ResourceRow>,
    /// By the task's slot and the place in its list: where its op is.
    of: HashMap<(u32, usize), u32>,
    free: Vec<u32>,
    /// By the line's address and whether it is a timer's.
    line_of: HashMap<(usize, bool), u32>,
    timers: usize,
    last_id: u64,
    /// Waits that found no room.
    pub(super) dropped: u64,
}

impl Waits {
    /// The slot at `index` was read at `now` and holds `task`, if that lives. What began before `before` was counted as
    /// dropped already, if it was.
    pub(super) fn set(
        &mut self,
        recorder: &'static Recorder,
        index: u32,
        task: Option<&TaskReading>,
        (before, now): (u64, u64),
        readers: &mut [Reader],
    ) {
        for entry in 0..2 {
            let key = (index, entry);
            let wait = task.and_then(|task| Some((task.id, task.waits[entry]?)));
            // A task is no resource, so there is no op of waiting for one.
            let wait = wait.filter(|(_, wait)| wait.kind != WaitKind::Join as u8);
            let wanted =
                wait.and_then(|(task, wait)| Some((task, self.resource(recorder, &wait, now, readers)?, wait)));
            let known = self.of.get(&key).and_then(|&op| Some((op, *self.ops.get(op)?)));
            match (known, wanted) {
                (Some((op, mut row)), Some((task, resource, wait))) if row.is_as(task, resource, &wait) => {
                    if row.since != wait.since {
                        row.since = wait.since;
                        self.ops.set(op, Some(row), now, readers.iter_mut().map(|reader| &mut reader.ops));
                    }
                    continue;
                }
                (Some((op, row)), _) => {
                    self.ops.set(op, None, now, readers.iter_mut().map(|reader| &mut reader.ops));
                    self.of.remove(&key);
                    self.free.push(op);
                    self.timers -= usize::from(row.is_timer());
                }
                (None, _) => {}
            }
            let Some((_, wait)) = wait else { continue };
            match wanted.filter(|(_, _, wait)| self.has_room(wait.kind == WaitKind::Timer as u8)) {
                Some((task, resource, wait)) => {
                    let op = self.free.pop().unwrap_or(self.ops.len());
                    self.last_id += 1;
                    let (id, kind, location, since) = (self.last_id, wait.kind, wait.site, wait.since);
                    let row = OpRow { id, task, resource, kind, location, since, ended_at: 0 };
                    self.timers += usize::from(row.is_timer());
                    self.of.insert(key, op);
                    self.ops.set(op, Some(row), now, readers.iter_mut().map(|reader| &mut reader.ops));
                }
                None => self.dropped += u64::from(wait.since >= before),
            }
        }
    }

    fn has_room(&self, timer: bool) -> bool {
        let taken = if timer { self.timers } else { self.of.len() - self.timers };
        taken < MAX_OPS
    }

    /// The id of the resource that is waited for.
    fn resource(
        &mut self,
        recorder: &'static Recorder,
        wait: &WaitReading,
        now: u64,
        readers: &mut [Reader],
    ) -> Option<u64> {
        let timer = wait.kind == WaitKind::Timer as u8;
        let (kind, location, carries) = if timer {
            (TIMER, wait.site.map(Place::from), None)
        } else if [WaitKind::Oneshot, WaitKind::OneshotClosed].map(|kind| kind as u8).contains(&wait.kind) {
            let made = recorder.sites.by_id(wait.on)?;
            (ONESHOTS, Some(made.info.location), Some(made))
        } else {
            return Some(wait.on);
        };
        let line = match self.line_of.entry((location.map_or(0, Place::address), timer)) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(_) if self.lines.len() as usize == MAX_LINES => return None,
            Entry::Vacant(new) => {
                let line = *new.insert(self.lines.len());
                let row = ResourceRow::of_line(LINE_BIT | u64::from(line), kind, location, carries, wait.since);
                self.lines.set(line, Some(row), now, readers.iter_mut().map(|reader| &mut reader.lines));
                line
            }
        };
        Some(LINE_BIT | u64::from(line))
    }
}
