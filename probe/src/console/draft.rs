//! Rows become messages: ticks become times of the wall clock, types become names.
use std::time::{Duration, SystemTime};

use console_api::{
    self as wire, PollStats, async_ops, field,
    instrument::Update,
    register_metadata::NewMetadata,
    resources::{self, resource},
    tasks,
};
use prost::Message;

use super::{
    debts::{Row, Told},
    kinds::{self, Attribute, Kind},
    names,
    rows::{ResourceRow, TaskRow},
    waits::OpRow,
};
use crate::recorder::{
    clock::{duration_ns, since_start_ns, ticks},
    names as recorded,
    place::Place,
    task::{ROOT_BIT, TaskKind},
    wait::WaitKind,
};

/// What a field takes on the wire beside what is in it, at most.
const FRAME: usize = 8;

/// A message that is being written.
pub(super) struct Draft {
    update: Update,
    clock: WallClock,
    bytes: usize,
    limit: usize,
}

/// What the wall clock says now, so that all times in a message are of one clock.
#[derive(Clone, Copy)]
pub(super) struct WallClock {
    now: SystemTime,
    now_ns: u64,
}

impl WallClock {
    pub(super) fn read() -> Self {
        Self { now: SystemTime::now(), now_ns: since_start_ns(ticks()) }
    }

    /// When it was so many ticks.
    fn at(self, ticks: u64) -> SystemTime {
        self.now - Duration::from_nanos(self.now_ns.saturating_sub(since_start_ns(ticks)))
    }

    /// The same; `None` for never.
    fn at_if_ever(self, ticks: u64) -> Option<SystemTime> {
        (ticks != 0).then(|| self.at(ticks))
    }
}

impl Draft {
    /// A message of about `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        let clock = WallClock::read();
        let update = Update { now: Some(clock.now.into()), ..Update::default() };
        Self { update, clock, bytes: 0, limit }
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes >= self.limit
    }

    /// What comes before anything else: where things can be from.
    pub(super) fn greet(&mut self) {
        let metadata = kinds::MODULES.iter().map(|&module| NewMetadata {
            id: Some(module_id(module)),
            metadata: Some(wire::Metadata {
                name: module.to_owned(),
                target: module.to_owned(),
                kind: wire::metadata::Kind::Span.into(),
                level: wire::metadata::Level::Trace.into(),
                ..wire::Metadata::default()
            }),
        });
        self.update.new_metadata = Some(wire::RegisterMetadata { metadata: metadata.collect() });
    }

    /// How many more were not told of, one by one, than were said to be.
    pub(super) fn dropped(&mut self, tasks: u64, resources: u64, ops: u64) {
        if tasks > 0 {
            self.update.task_update.get_or_insert_default().dropped_events = tasks;
        }
        if resources > 0 {
            self.update.resource_update.get_or_insert_default().dropped_events = resources;
        }
        if ops > 0 {
            self.update.async_op_update.get_or_insert_default().dropped_events = ops;
        }
    }

    pub(super) fn task(&mut self, Told { row, born }: &Told<TaskRow>) {
        let stats = task_stats(row, self.clock);
        self.bytes += stats.encoded_len() + 2 * FRAME;
        let update = self.update.task_update.get_or_insert_default();
        if *born {
            let task = task(row);
            self.bytes += task.encoded_len() + FRAME;
            update.new_tasks.push(task);
        }
        update.stats_update.insert(row.id, stats);
    }

    pub(super) fn resource(&mut self, Told { row, born }: &Told<ResourceRow>) {
        let stats = resources::Stats {
            created_at: Some(self.clock.at(row.made_at).into()),
            dropped_at: self.clock.at_if_ever(row.ended_at()).map(Into::into),
            attributes: attributes(row),
        };
        self.bytes += stats.encoded_len() + 2 * FRAME;
        let update = self.update.resource_update.get_or_insert_default();
        if *born {
            let resource = resource(row);
            self.bytes += resource.encoded_len() + FRAME;
            update.new_resources.push(resource);
        }
        update.stats_update.insert(row.id, stats);
    }

    pub(super) fn op(&mut self, Told { row, born }: &Told<OpRow>) {
        let since = self.clock.at(row.since);
        let at = field("at", row.location.map(ToString::to_string).unwrap_or_default().as_str());
        let stats = async_ops::Stats {
            created_at: Some(since.into()),
            dropped_at: self.clock.at_if_ever(row.ended_at()).map(Into::into),
            task_id: Some(row.task.into()),
            // It was polled once at the least, and found pending.
            poll_stats: Some(PollStats {
                polls: 1,
                first_poll: Some(since.into()),
                last_poll_started: Some(since.into()),
                last_poll_ended: Some(since.into()),
                busy_time: Duration::ZERO.try_into().ok(),
            }),
            attributes: vec![wire::Attribute { field: Some(at), unit: None }],
        };
        self.bytes += stats.encoded_len() + 2 * FRAME;
        let update = self.update.async_op_update.get_or_insert_default();
        if *born {
            let op = async_ops::AsyncOp {
                id: Some(row.id.into()),
                metadata: Some(module_id(kinds::TASK)),
                source: what_is_done(row.kind).to_owned(),
                parent_async_op_id: None,
                resource_id: Some(row.resource.into()),
            };
            self.bytes += op.encoded_len() + FRAME;
            update.new_async_ops.push(op);
        }
        update.stats_update.insert(row.id, stats);
    }

    pub(super) fn finish(self) -> Update {
        self.update
    }
}

fn task(row: &TaskRow) -> tasks::Task {
    let kind = match row.kind {
        k if k == TaskKind::Blocking as u8 => "blocking",
        k if k == TaskKind::Root as u8 => "block_on",
        k if k == TaskKind::Local as u8 => "local",
        _ => "task",
    };
    let info = &row.site.info;
    let mut fields = vec![field("kind", kind)];
    let name = match recorded::text(row.name) {
        "" => names::of_type(info.type_name),
        given => given.to_owned(),
    };
    if !name.is_empty() {
        fields.push(field("task.name", name.as_str()));
    }
    // tokio gives none to what `block_on` runs.
    if row.id & ROOT_BIT == 0 {
        fields.push(field("task.id", row.id));
    }
    if info.future_bytes != 0 {
        fields.push(field("size.bytes", u64::from(info.future_bytes)));
    }
    let blocking = row.kind == TaskKind::Blocking as u8;
    tasks::Task {
        id: Some(row.id.into()),
        metadata: Some(module_id(kinds::TASK)),
        kind: if blocking { tasks::task::Kind::Blocking } else { tasks::task::Kind::Spawn }.into(),
        fields,
        parents: Vec::new(),
        location: Some(location(info.location)),
    }
}

fn task_stats(row: &TaskRow, clock: WallClock) -> tasks::Stats {
    let running = row.running_since != 0;
    // When the last poll began is not recorded: no later than a moment before it ended.
    let ended = clock.at_if_ever(row.last_poll_ended);
    let started =
        if running { Some(clock.at(row.running_since)) } else { ended.map(|at| at - Duration::from_nanos(1)) };
    tasks::Stats {
        created_at: Some(clock.at(row.spawned_at).into()),
        dropped_at: clock.at_if_ever(row.ended_at()).map(Into::into),
        wakes: row.wakes,
        // How many came and went is not recorded, but how many there are.
        waker_clones: row.wakers.into(),
        waker_drops: 0,
        last_wake: clock.at_if_ever(row.woken_at).map(Into::into),
        poll_stats: Some(PollStats {
            // Without the one in progress, which a reading may count or not as it ends.
            polls: row.polls,
            first_poll: None,
            last_poll_started: started.map(Into::into),
            last_poll_ended: ended.map(Into::into),
            busy_time: Duration::from_nanos(duration_ns(row.busy)).try_into().ok(),
        }),
        self_wakes: row.self_wakes,
        scheduled_time: Duration::from_nanos(duration_ns(row.scheduled)).try_into().ok(),
    }
}

fn resource(row: &ResourceRow) -> resources::Resource {
    let Kind { name, group, module, .. } = kinds::of(row.kind);
    let carries = names::of_type(row.type_name());
    let kind = match *group {
        "Timer" => resource::kind::Kind::Known(resource::kind::Known::Timer.into()),
        group => resource::kind::Kind::Other(group.to_owned()),
    };
    resources::Resource {
        id: Some(row.id.into()),
        metadata: Some(module_id(module)),
        concrete_type: if carries.is_empty() { (*name).to_owned() } else { format!("{name}<{carries}>") },
        kind: Some(resources::resource::Kind { kind: Some(kind) }),
        location: row.location.map(location),
        parent_resource_id: None,
        is_internal: false,
    }
}

fn attributes(row: &ResourceRow) -> Vec<wire::Attribute> {
    let values = kinds::of(row.kind).attributes.iter().zip(row.values);
    let told = values.filter_map(|(attribute, value)| match *attribute {
        Attribute::Flag(name) => Some(field(name, value != 0)),
        Attribute::Task(_) if value == 0 || value & ROOT_BIT != 0 => None,
        Attribute::Count(name) | Attribute::Task(name) => Some(field(name, value)),
    });
    let name = Some(recorded::text(row.name)).filter(|name| !name.is_empty()).map(|name| field("name", name));
    told.chain(name).map(|field| wire::Attribute { field: Some(field), unit: None }).collect()
}

fn what_is_done(wait: u8) -> &'static str {
    match wait {
        k if k == WaitKind::LockRead as u8 => "read",
        k if k == WaitKind::ChannelSend as u8 => "send",
        k if k == WaitKind::ChannelRecv as u8 || k == WaitKind::Oneshot as u8 => "recv",
        k if k == WaitKind::ChannelClosed as u8 || k == WaitKind::OneshotClosed as u8 => "closed",
        k if k == WaitKind::Timer as u8 => "sleep",
        _ => "acquire",
    }
}

/// By its name, since that client asks for metadata otherwise.
fn field(name: &str, value: impl Into<field::Value>) -> wire::Field {
    wire::Field { metadata_id: None, name: Some(field::Name::StrName(name.to_owned())), value: Some(value.into()) }
}

fn location(at: impl Into<Place>) -> wire::Location {
    let at = at.into();
    wire::Location {
        file: Some(at.file().to_owned()),
        module_path: None,
        line: Some(at.line()),
        column: Some(at.column()),
    }
}

fn module_id(module: &str) -> wire::MetaId {
    wire::MetaId { id: kinds::module_id(module) }
}
