//! A target made by hand, and the updates that it would send.
use console_api::async_ops::{AsyncOp, Stats as OpStats};
use console_api::resources::{PollOp, Resource, Stats as ResourceStats};
use console_api::tasks::{Stats as TaskStats, Task};
use console_api::{Attribute, Field, Location, PollStats, field};
use prost_types::{Duration as ProtoDuration, Timestamp};

use super::super::*;
use crate::model::Model;

/// Milliseconds after the start of the program, as every field has it.
#[allow(clippy::unnecessary_wraps)]
pub(super) fn at(ms: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds: 1_700_000_000 + ms.div_euclid(1000), nanos: ms.rem_euclid(1000) as i32 * 1_000_000 })
}

pub(super) fn stamp(ms: u64) -> Stamp {
    Stamp(ms * 1_000_000)
}

pub(super) fn named(name: &str, value: field::Value) -> Field {
    Field { name: Some(field::Name::StrName(name.into())), value: Some(value), metadata_id: None }
}

pub(super) fn attribute(name: &str, value: field::Value) -> Attribute {
    Attribute { field: Some(named(name, value)), unit: None }
}

#[allow(clippy::unnecessary_wraps)]
pub(super) fn place(line: u32) -> Option<Location> {
    Some(Location { file: Some("src/main.rs".into()), line: Some(line), column: Some(5), module_path: None })
}

/// The updates of one target, as it would send them.
pub(super) struct Target {
    pub(super) decoder: Decoder,
    pub(super) model: Model,
    pub(super) update: Update,
}

impl Target {
    pub(super) fn new() -> Self {
        Self { decoder: Decoder::new(), model: Model::default(), update: Update::default() }
    }

    pub(super) fn task(&mut self, span: u64, id: u64, kind: &str) {
        let fields = vec![
            named("kind", field::Value::DebugVal(kind.into())),
            named("task.id", field::Value::U64Val(id)),
            named("size.bytes", field::Value::U64Val(512)),
        ];
        let task = Task { id: Some(span.into()), fields, location: place(span as u32), ..Task::default() };
        self.update.task_update.get_or_insert_default().new_tasks.push(task);
        self.polled(span, 0, None, None, 0);
    }

    /// Polls, when the last one began and ended, and the time in those that ended.
    pub(super) fn polled(&mut self, span: u64, polls: u64, started: Option<i64>, ended: Option<i64>, busy_ms: i64) {
        let poll_stats = PollStats {
            polls,
            last_poll_started: started.and_then(at),
            last_poll_ended: ended.and_then(at),
            busy_time: Some(ProtoDuration { seconds: busy_ms / 1000, nanos: (busy_ms % 1000) as i32 * 1_000_000 }),
            ..PollStats::default()
        };
        let stats = TaskStats { created_at: at(0), poll_stats: Some(poll_stats), ..TaskStats::default() };
        self.update.task_update.get_or_insert_default().stats_update.insert(span, stats);
    }

    pub(super) fn ends(&mut self, span: u64, ms: i64) {
        self.polled(span, 1, Some(ms), Some(ms), 0);
        let tasks = self.update.task_update.get_or_insert_default();
        tasks.stats_update.entry(span).or_default().dropped_at = at(ms);
    }

    /// A mutex, and the semaphore inside of it under the next number.
    pub(super) fn mutex(&mut self, span: u64, locked: bool, permits: u64) {
        let resources = self.update.resource_update.get_or_insert_default();
        let resource = |span: u64, concrete_type: &str, parent: Option<u64>| Resource {
            id: Some(span.into()),
            concrete_type: concrete_type.into(),
            location: if parent.is_none() { place(span as u32) } else { None },
            parent_resource_id: parent.map(Into::into),
            is_internal: parent.is_some(),
            ..Resource::default()
        };
        resources.new_resources.push(resource(span, "Mutex", None));
        resources.new_resources.push(resource(span + 1, "Semaphore", Some(span)));
        self.locked(span, locked, permits);
    }

    pub(super) fn locked(&mut self, span: u64, locked: bool, permits: u64) {
        let stats = |attribute| ResourceStats { created_at: at(0), attributes: vec![attribute], ..Default::default() };
        let resources = self.update.resource_update.get_or_insert_default();
        resources.stats_update.insert(span, stats(attribute("locked", field::Value::BoolVal(locked))));
        resources.stats_update.insert(span + 1, stats(attribute("permits", field::Value::U64Val(permits))));
    }

    /// Somebody awaits a lock, and gets it when `got` says.
    pub(super) fn locks(&mut self, span: u64, lock: u64, task: u64, began: i64, got: Option<i64>) {
        let operations = self.update.async_op_update.get_or_insert_default();
        operations.new_async_ops.push(AsyncOp {
            id: Some(span.into()),
            resource_id: Some(lock.into()),
            source: "Mutex::lock".into(),
            ..AsyncOp::default()
        });
        let last = got.unwrap_or(began);
        let poll_stats = PollStats {
            polls: 2,
            first_poll: at(began),
            last_poll_started: at(last),
            last_poll_ended: at(last),
            ..PollStats::default()
        };
        let stats = OpStats {
            created_at: at(began),
            dropped_at: got.and_then(at),
            task_id: Some(task.into()),
            poll_stats: Some(poll_stats),
            ..OpStats::default()
        };
        operations.stats_update.insert(span, stats);
        let polls = &mut self.update.resource_update.get_or_insert_default().new_poll_ops;
        let ready = [began < last].into_iter().filter(|waited| *waited).map(|_| false).chain([got.is_some()]);
        polls.extend(ready.map(|is_ready| PollOp {
            resource_id: Some(lock.into()),
            task_id: Some(task.into()),
            async_op_id: Some(span.into()),
            is_ready,
            ..PollOp::default()
        }));
    }

    pub(super) fn whole(&mut self, ms: i64, place: Place) -> Batch {
        let new = console_api::register_metadata::NewMetadata {
            id: Some(console_api::MetaId { id: 1 }),
            metadata: Some(console_api::Metadata::default()),
        };
        self.update.new_metadata.get_or_insert_default().metadata.push(new);
        self.send(ms, place)
    }

    pub(super) fn later(&mut self, ms: i64) -> Batch {
        self.send(ms, Place::Later)
    }

    pub(super) fn send(&mut self, ms: i64, place: Place) -> Batch {
        self.update.now = at(ms);
        let batch = self.decoder.update(std::mem::take(&mut self.update), place).unwrap();
        self.model.apply(batch.clone());
        batch
    }
}
