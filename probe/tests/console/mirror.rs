//! What the stock client makes of a stream, and what it panics at or passes over in silence, as assertions.
use std::{
    collections::{HashMap, HashSet},
    time::{Duration, SystemTime},
};

use console_api::{
    Attribute, Field, PollStats, async_ops, field,
    instrument::{InstrumentRequest, Update, instrument_client::InstrumentClient},
    resources, tasks,
};
use prost::Message;
use tonic::{Streaming, transport::Channel};

/// What that client decodes at most.
const LIMIT: usize = 4 * 1024 * 1024;
/// How long a test waits for something to be told.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) type Client = InstrumentClient<Channel>;

/// All that was told so far.
pub(crate) struct Mirror {
    stream: Streaming<Update>,
    metadata: HashSet<u64>,
    pub(crate) tasks: HashMap<u64, (tasks::Task, tasks::Stats)>,
    pub(crate) resources: HashMap<u64, (resources::Resource, resources::Stats)>,
    pub(crate) ops: HashMap<u64, (async_ops::AsyncOp, async_ops::Stats)>,
    pub(crate) dropped_tasks: u64,
    pub(crate) messages: usize,
}

impl Mirror {
    pub(crate) async fn attach(client: &mut Client) -> Self {
        let stream = client.watch_updates(InstrumentRequest {}).await.unwrap().into_inner();
        Self {
            stream,
            metadata: HashSet::new(),
            tasks: HashMap::new(),
            resources: HashMap::new(),
            ops: HashMap::new(),
            dropped_tasks: 0,
            messages: 0,
        }
    }

    /// Takes updates until it is as `wanted` says.
    pub(crate) async fn until(&mut self, what: &str, wanted: impl Fn(&Self) -> bool) {
        let waiting = async {
            while !wanted(self) {
                let update = self.stream.message().await.unwrap().expect("the stream does not end");
                self.apply(update);
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, waiting).await.is_ok();
        assert!(in_time, "waited for {what}; there are {:#?}\n{:#?}", self.tasks.values(), self.resources.values());
    }

    /// The next update, if one comes within this time.
    pub(crate) async fn within(&mut self, time: Duration) -> bool {
        let Ok(update) = tokio::time::timeout(time, self.stream.message()).await else { return false };
        self.apply(update.unwrap().expect("the stream does not end"));
        true
    }

    fn apply(&mut self, update: Update) {
        assert!(update.encoded_len() < LIMIT, "{} bytes", update.encoded_len());
        let now = SystemTime::try_from(update.now.expect("an update has its time")).unwrap();
        let skew = SystemTime::now().duration_since(now).unwrap_or_default();
        assert!(skew < PATIENCE, "its clock is the target's: {skew:?}");
        self.messages += 1;
        for new in update.new_metadata.into_iter().flat_map(|new| new.metadata) {
            assert!(!new.metadata.unwrap().target.is_empty());
            self.metadata.insert(new.id.unwrap().id);
        }
        if let Some(update) = update.task_update {
            self.dropped_tasks += update.dropped_events;
            self.tasks(update);
        }
        if let Some(update) = update.resource_update {
            self.resources(update);
        }
        if let Some(update) = update.async_op_update {
            self.ops(update);
        }
    }

    fn tasks(&mut self, mut update: tasks::TaskUpdate) {
        for task in update.new_tasks {
            assert!(self.metadata.contains(&task.metadata.as_ref().unwrap().id), "metadata come before their use");
            task.fields.iter().for_each(named);
            let id = task.id.as_ref().unwrap().id;
            let stats = update.stats_update.remove(&id).expect("a task comes with its stats");
            check_task(&stats);
            self.tasks.insert(id, (task, stats));
        }
        for (id, stats) in update.stats_update {
            check_task(&stats);
            let (_, known) = self.tasks.get_mut(&id).expect("stats are of a task that was announced");
            assert!(known.dropped_at.is_none() || stats.dropped_at.is_some(), "nobody comes back to life");
            let polls = |stats: &tasks::Stats| stats.poll_stats.as_ref().unwrap().polls;
            assert!(polls(known) <= polls(&stats), "counts never go down");
            *known = stats;
        }
    }

    fn resources(&mut self, mut update: resources::ResourceUpdate) {
        for resource in update.new_resources {
            assert!(self.metadata.contains(&resource.metadata.as_ref().unwrap().id), "metadata come before their use");
            assert!(resource.kind.as_ref().is_some_and(|kind| kind.kind.is_some()), "a resource has its kind");
            let id = resource.id.as_ref().unwrap().id;
            let stats = update.stats_update.remove(&id).expect("a resource comes with its stats");
            check_resource(&stats);
            self.resources.insert(id, (resource, stats));
        }
        for (id, stats) in update.stats_update {
            check_resource(&stats);
            self.resources.get_mut(&id).expect("stats are of a resource that was announced").1 = stats;
        }
    }

    fn ops(&mut self, mut update: async_ops::AsyncOpUpdate) {
        for op in update.new_async_ops {
            assert!(self.metadata.contains(&op.metadata.as_ref().unwrap().id), "metadata come before their use");
            assert!(op.resource_id.is_some());
            let id = op.id.as_ref().unwrap().id;
            let stats = update.stats_update.remove(&id).expect("an op comes with its stats");
            check_op(&stats);
            self.ops.insert(id, (op, stats));
        }
        for (id, stats) in update.stats_update {
            check_op(&stats);
            self.ops.get_mut(&id).expect("stats are of an op that was announced").1 = stats;
        }
    }

    /// Tasks of that name, and whether each lives.
    pub(crate) fn tasks_named<'a>(
        &'a self,
        name: &'a str,
    ) -> impl Iterator<Item = (&'a tasks::Task, &'a tasks::Stats)> {
        let named = move |task: &tasks::Task| {
            value(&task.fields, "task.name").is_some_and(|value| value == field::Value::StrVal(name.to_owned()))
        };
        self.tasks.values().filter(move |(task, _)| named(task)).map(|(task, stats)| (task, stats))
    }

    /// How many tasks of that name live.
    pub(crate) fn alive(&self, name: &str) -> usize {
        self.tasks_named(name).filter(|(_, stats)| stats.dropped_at.is_none()).count()
    }

    /// The resource of that type.
    pub(crate) fn resource(&self, concrete_type: &str) -> Option<(&resources::Resource, &resources::Stats)> {
        let (resource, stats) =
            self.resources.values().find(|(resource, _)| resource.concrete_type == concrete_type)?;
        Some((resource, stats))
    }

    /// An attribute of the resource of that type, as text.
    pub(crate) fn attribute(&self, concrete_type: &str, name: &str) -> Option<String> {
        attribute(&self.resource(concrete_type)?.1.attributes, name)
    }

    /// Sources and stats of the ops that wait for the resource of that type now.
    pub(crate) fn waiting(&self, concrete_type: &str) -> Vec<(&str, &async_ops::Stats)> {
        let Some((resource, _)) = self.resource(concrete_type) else { return Vec::new() };
        let of_it = self.ops.values().filter(|(op, _)| op.resource_id == resource.id);
        of_it.filter(|(_, stats)| stats.dropped_at.is_none()).map(|(op, stats)| (op.source.as_str(), stats)).collect()
    }
}

/// The value of a field.
pub(crate) fn value(fields: &[Field], name: &str) -> Option<field::Value> {
    let named = |field: &&Field| field.name == Some(field::Name::StrName(name.to_owned()));
    fields.iter().find(named)?.value.clone()
}

/// The value of an attribute, as text.
pub(crate) fn attribute(attributes: &[Attribute], name: &str) -> Option<String> {
    let fields: Vec<Field> = attributes.iter().filter_map(|attribute| attribute.field.clone()).collect();
    value(&fields, name).map(|value| value.to_string())
}

fn named(field: &Field) {
    assert!(matches!(field.name, Some(field::Name::StrName(_))), "fields go by their names: {field:?}");
    assert!(field.value.is_some());
}

fn check_task(stats: &tasks::Stats) {
    assert!(stats.created_at.is_some(), "that client panics otherwise");
    check_polls(stats.poll_stats.as_ref().expect("that client panics otherwise"));
    let scheduled = stats.scheduled_time.as_ref().unwrap();
    assert!(scheduled.seconds >= 0 && scheduled.nanos >= 0);
    for end in [stats.dropped_at, stats.last_wake] {
        if let (Some(began), Some(end)) = (time(stats.created_at), time(end)) {
            assert!(end.duration_since(began).is_ok(), "nothing is before its task");
        }
    }
}

fn check_polls(stats: &PollStats) {
    let busy = stats.busy_time.as_ref().unwrap();
    assert!(busy.seconds >= 0 && busy.nanos >= 0, "that client panics otherwise");
    assert!(stats.last_poll_started.is_some() || stats.polls == 0, "{stats:?}");
}

fn check_resource(stats: &resources::Stats) {
    assert!(stats.created_at.is_some(), "that client panics otherwise");
    stats.attributes.iter().for_each(|attribute| named(attribute.field.as_ref().unwrap()));
}

fn check_op(stats: &async_ops::Stats) {
    assert!(stats.created_at.is_some(), "that client panics otherwise");
    check_polls(stats.poll_stats.as_ref().expect("that client panics otherwise"));
    assert!(stats.task_id.is_some());
    stats.attributes.iter().for_each(|attribute| named(attribute.field.as_ref().unwrap()));
}

/// A time of the wire.
pub(crate) fn time<T>(at: Option<T>) -> Option<SystemTime>
where
    T: TryInto<SystemTime, Error: std::fmt::Debug>,
{
    at.map(|at| at.try_into().unwrap())
}
