//! The threads that poll tasks.
use std::fmt::Write;
use std::time::Duration;

use crate::app::column::{Column, Kind, MARK, Value, Width, muted, plain};
use crate::app::page::Page;
use crate::app::screen::{Body, Rows, Screen, Table};
use crate::app::theme::Role;
use crate::app::{Cx, Entity, Place, graph, names};
use crate::model::{Runtime, RuntimeDetail, RuntimeKind, Worker, WorkerDetail, WorkerKind};
use crate::text::{counted, figures, fit};

pub(crate) static SCREEN: Screen = Screen {
    id: "workers",
    title: "Workers",
    key: Some('5'),
    about: "threads that poll: how busy each is, and which task it is in right now",
    body: Body::Table(Table {
        noun: ("thread", "threads"),
        columns: COLUMNS,
        sort: "poll",
        then: "busy",
        rows,
        empty,
        above,
    }),
};

static COLUMNS: &[Column] = &[
    MARK,
    Column {
        id: "worker",
        title: "WORKER",
        kind: Kind::Text,
        width: Width::Flex(18, 24),
        priority: 1,
        value: |cx, entity| worker(cx, entity).map_or(Value::text("ended"), |w| Value::text(names::worker(w))),
        role: plain,
    },
    Column {
        id: "load",
        title: "",
        kind: Kind::Text,
        width: Width::Fixed(8),
        priority: 4,
        value: |cx, entity| {
            worker(cx, entity).map_or(Value::None, |w| Value::text(graph::bar(w.busy_share, 8, cx.glyphs)))
        },
        role: |cx, entity| if stuck(cx, entity) { Role::Crit } else { Role::Info },
    },
    Column {
        id: "busy",
        title: "BUSY",
        kind: Kind::Share,
        width: Width::Fixed(5),
        priority: 2,
        value: |cx, entity| worker(cx, entity).map_or(Value::None, |w| Value::Share(w.busy_share)),
        role: plain,
    },
    Column {
        id: "poll",
        title: "POLL NOW",
        kind: Kind::Duration,
        width: Width::Fixed(9),
        priority: 1,
        value: |cx, entity| Value::duration(poll(cx, entity)),
        role: |cx, entity| if stuck(cx, entity) { Role::Crit } else { Role::Text },
    },
    Column {
        id: "task",
        title: "TASK",
        kind: Kind::Text,
        width: Width::Flex(16, 40),
        priority: 1,
        value: |cx, entity| {
            worker(cx, entity)
                .and_then(|w| w.poll)
                .map_or(Value::None, |(task, _)| Value::text(names::task_id(cx.model, task)))
        },
        role: plain,
    },
    Column {
        id: "polls",
        title: "POLLS/S",
        kind: Kind::Number,
        width: Width::Fixed(7),
        priority: 8,
        value: |cx, entity| worker(cx, entity).map_or(Value::None, |w| Value::Rate(w.polls_per_s)),
        role: muted,
    },
    Column {
        id: "parks",
        title: "PARKS/S",
        kind: Kind::Number,
        width: Width::Fixed(7),
        priority: 6,
        value: |cx, entity| {
            let told = worker(cx, entity).filter(|_| cx.model.target.sees("runtimes"));
            told.map_or(Value::None, |w| Value::Rate(w.parks_per_s))
        },
        role: muted,
    },
    Column {
        id: "queue",
        title: "QUEUE",
        kind: Kind::Number,
        width: Width::Fixed(5),
        priority: 5,
        value: |cx, entity| detail(cx, entity).map_or(Value::None, |d| Value::Count(d.local_queue)),
        role: plain,
    },
    Column {
        id: "steals",
        title: "STEALS/S",
        kind: Kind::Number,
        width: Width::Fixed(8),
        priority: 6,
        value: |cx, entity| detail(cx, entity).map_or(Value::None, |d| Value::Rate(d.steals_per_s)),
        role: muted,
    },
    Column {
        id: "nocpu",
        title: "NO CPU",
        kind: Kind::Share,
        width: Width::Fixed(6),
        priority: 7,
        value: |cx, entity| {
            let share = worker(cx, entity).map_or(0.0, |w| w.cpu_wait_share);
            if share > 0.0 { Value::Share(share) } else { Value::None }
        },
        role: |cx, entity| {
            if worker(cx, entity).is_some_and(|w| w.cpu_wait_share > 0.2) { Role::Warn } else { Role::Muted }
        },
    },
    Column {
        id: "at",
        title: "SPAWNED AT",
        kind: Kind::Text,
        width: Width::Flex(16, 60),
        priority: 3,
        value: |cx, entity| {
            worker(cx, entity)
                .and_then(|w| w.poll)
                .and_then(|(task, _)| names::created_at(cx.model, Entity::Task(task)))
                .map_or(Value::None, Value::place)
        },
        role: |cx, entity| if cx.mark(entity).is_some() { Role::Accent } else { Role::Muted },
    },
];

fn worker<'a>(cx: &Cx<'a>, entity: Entity) -> Option<&'a Worker> {
    match entity {
        Entity::Worker(id) => cx.model.workers.get(&id),
        _ => None,
    }
}

fn detail(cx: &Cx, entity: Entity) -> Option<WorkerDetail> {
    worker(cx, entity)?.detail
}

/// What the threads below take their work from: a line for each runtime, and one for the blocking pools.
fn above(cx: &Cx, page: &mut Page) {
    let model = cx.model;
    let dot = cx.glyphs.dot;
    let mut runtimes: Vec<&Runtime> = model.runtimes.values().collect();
    runtimes.sort_by_key(|runtime| runtime.id);
    for runtime in &runtimes {
        let name = match (&*runtime.name, runtime.kind) {
            ("", RuntimeKind::CurrentThread) => "current_thread".to_owned(),
            ("", _) => format!("runtime {}", runtime.id.0),
            (name, _) => fit::head(name, 20, cx.glyphs.ellipsis),
        };
        let role = if runtime.global_queue > 0 { Role::Strong } else { Role::Text };
        page.fact(&name, role, &told(runtime, dot));
    }
    let details: Vec<_> = runtimes.iter().filter_map(|runtime| runtime.detail).collect();
    if !details.is_empty() {
        let sum = |of: fn(&RuntimeDetail) -> u64| details.iter().map(of).fold(0, u64::saturating_add);
        let (threads, idle) = (sum(|d| d.blocking_threads.into()), sum(|d| d.blocking_idle.into()));
        let queue = sum(|d| d.blocking_queue);
        let text = format!(
            "{}, {} at work {dot} {} in its queue",
            counted(threads, "thread"),
            figures::count(threads.saturating_sub(idle)),
            figures::count(queue)
        );
        page.fact("blocking pool", if queue > 0 { Role::Warn } else { Role::Text }, &text);
    } else if !runtimes.is_empty() {
        let seen = model.workers.values().filter(|worker| worker.kind == WorkerKind::Blocking).count() as u64;
        let waiting = model.waiting_jobs().count() as u64;
        let text = format!("{} seen, {} waiting", counted(seen, "thread"), counted(waiting, "job"));
        page.fact("blocking pool", if waiting > 0 { Role::Warn } else { Role::Text }, &text);
        page.fact("not told", Role::Muted, "its queue, local queues, steals: build with --cfg tokio_unstable");
    }
}

/// One runtime in figures.
fn told(runtime: &Runtime, dot: &str) -> String {
    let mut text = format!(
        "{} awake {} {dot} global queue {} {dot} {}",
        counted(runtime.workers.into(), "worker"),
        figures::share(runtime.awake_share),
        figures::count(runtime.global_queue),
        counted(runtime.alive_tasks, "task"),
    );
    if let Some(detail) = runtime.detail {
        let (queues, steals) = (figures::count(detail.local_queues), figures::rate(detail.steals_per_s));
        // Writing to a string does not fail.
        let _ = write!(text, " {dot} local queues {queues} {dot} {steals} steals/s");
    }
    let _ = write!(text, " {dot} {} parks/s", figures::rate(runtime.parks_per_s));
    text
}

fn poll(cx: &Cx, entity: Entity) -> Option<Duration> {
    worker(cx, entity)?.poll.map(|(_, since)| cx.model.now.since(since))
}

fn stuck(cx: &Cx, entity: Entity) -> bool {
    worker(cx, entity).is_some_and(|worker| is_stuck(cx, worker))
}

/// Whether a poll keeps it from its other tasks. A thread of the blocking pool is there to be kept.
pub(super) fn is_stuck(cx: &Cx, worker: &Worker) -> bool {
    let long = |since| cx.model.now.since(since) >= Duration::from_millis(100);
    worker.kind != WorkerKind::Blocking && worker.poll.is_some_and(|(_, since)| long(since))
}

fn rows(cx: &Cx, place: &Place, table: &Table) -> Rows {
    table.arrange(cx, place, cx.model.workers.keys().map(|&id| Entity::Worker(id)))
}

fn empty(_: &Cx, page: &mut Page) {
    page.words(Role::Text, "No thread polls tasks.");
    let text = "A thread appears here with the first task of the probe's tokio that it polls: the workers of a runtime, what is \
                in a block_on, and the blocking pool. Threads of the service that poll nothing, and pools of other crates, do \
                not.";
    page.words(Role::Muted, text);
    let text = "If the service does have work, see Tasks (2): where there is none either, its main runs before it spawns \
                anything, or it spawns through another tokio than the probe's.";
    page.words(Role::Muted, text);
}
