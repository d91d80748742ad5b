//! The whole state of a target on a page or two.
use std::cmp::Reverse;
use std::fmt::Write;

use super::Silenced;
use super::table::Table;
use super::text::{blind_spots, dropped, target, verdict};
use crate::lints::Finding;
use crate::model::{Channel, ChannelId, LockId, LockKind, Model, RuntimeDetail, Site, SiteId, TaskId, WaitFor};
use crate::text;

/// Rows of each table; a snapshot in JSON has them all.
const ROWS: usize = 20;

pub(super) fn snapshot(model: &Model, findings: &[Finding], silenced: &Silenced) -> String {
    let mut out = target(&model.target);
    out.push_str("\n\n");
    verdict(&mut out, model, findings, silenced);
    totals(&mut out, model);
    runtimes(&mut out, model);
    workers(&mut out, model);
    sites(&mut out, model);
    tasks(&mut out, model);
    locks(&mut out, model);
    channels(&mut out, model);
    panics(&mut out, model);
    dropped(&mut out, model);
    blind_spots(&mut out, model);
    out
}

fn totals(out: &mut String, model: &Model) {
    let rate = |series: &crate::model::Series| series.last().map_or_else(|| "-".to_owned(), text::rate);
    let depth = model.channels.values().map(Channel::depth).fold(0, u64::saturating_add);
    let _ = writeln!(
        out,
        "\n{}{} · polls {} · wakes {} · lock waits {} · {} in channels",
        text::counted(model.live_tasks(), "task"),
        of_all(model),
        rate(&model.totals.polls),
        rate(&model.totals.wakes),
        rate(&model.totals.lock_waits),
        text::counted(depth, "message"),
    );
    let cost = &model.cost;
    if cost.memory_limit_bytes > 0 {
        let _ =
            writeln!(out, "probe: {} of a core · {}", text::percent(cost.cpu_share), text::bytes(cost.memory_bytes));
    }
}

/// How many tasks tokio counts, where it counts more than are told of.
fn of_all(model: &Model) -> String {
    match model.runtimes.values().map(|runtime| runtime.alive_tasks).fold(0, u64::saturating_add) {
        all if all > model.live_tasks() => format!(" of {} that tokio counts", text::count(all)),
        _ => String::new(),
    }
}

/// The heading of a table, with how many of its rows follow.
fn heading(out: &mut String, what: &str, rows: usize) {
    let shown = if rows > ROWS { format!(", {ROWS} of {rows}") } else { String::new() };
    let _ = writeln!(out, "\n{what}{shown}");
}

fn runtimes(out: &mut String, model: &Model) {
    if model.runtimes.is_empty() {
        return;
    }
    let mut rows: Vec<_> = model.runtimes.values().collect();
    rows.sort_by_key(|runtime| runtime.id);
    heading(out, "Runtimes, as tokio counts", rows.len());
    let mut table = Table::new([
        "id",
        "name",
        ">workers",
        ">awake",
        ">tasks alive",
        ">global queue",
        ">local queues",
        ">blocking threads",
        ">blocking queue",
    ]);
    for runtime in rows.into_iter().take(ROWS) {
        let detail = |of: fn(&RuntimeDetail) -> u64| {
            runtime.detail.as_ref().map_or_else(|| "?".to_owned(), |detail| text::count(of(detail)))
        };
        table.row([
            runtime.id.0.to_string(),
            runtime.name.to_string(),
            text::count(runtime.workers.into()),
            text::percent(runtime.awake_share),
            text::count(runtime.alive_tasks),
            text::count(runtime.global_queue),
            detail(|d| d.local_queues),
            detail(|d| d.blocking_threads.into()),
            detail(|d| d.blocking_queue),
        ]);
    }
    table.print(out);
    if rows_without_detail(model) {
        out.push_str("  ? is told by targets that are built with --cfg tokio_unstable\n");
    }
}

fn rows_without_detail(model: &Model) -> bool {
    model.runtimes.values().any(|runtime| runtime.detail.is_none())
}

fn workers(out: &mut String, model: &Model) {
    if model.workers.is_empty() {
        return;
    }
    let mut rows: Vec<_> = model.workers.values().collect();
    rows.sort_by(|a, b| b.busy_share.total_cmp(&a.busy_share).then(a.id.cmp(&b.id)));
    heading(out, "Threads that poll", rows.len());
    let mut table = Table::new(["id", "name", ">busy", "in poll", ">for"]);
    for worker in rows.into_iter().take(ROWS) {
        let (task, since) = worker.poll.map_or_else(Default::default, |(task, since)| {
            (text::task_id(task), text::duration(model.now.since(since)))
        });
        table.row([worker.id.0.to_string(), worker.name.to_string(), text::percent(worker.busy_share), task, since]);
    }
    table.print(out);
}

fn sites(out: &mut String, model: &Model) {
    let mut rows: Vec<&Site> = model.sites.values().filter(|site| site.spawned > 0).collect();
    if rows.is_empty() {
        return;
    }
    rows.sort_by_key(|site| (Reverse(site.live()), Reverse(site.spawned), site.id));
    heading(out, "Tasks by spawn site", rows.len());
    let mut table = Table::new([">live", ">spawned", ">max poll", ">long polls", ">panics", "name", "spawned at"]);
    for site in rows.into_iter().take(ROWS) {
        table.row([
            text::count(site.live()),
            text::count(site.spawned),
            text::duration(site.max_poll),
            text::count(site.slow_polls),
            text::count(site.panics),
            site.title(),
            text::short_location(&site.location).to_owned(),
        ]);
    }
    table.print(out);
}

fn tasks(out: &mut String, model: &Model) {
    if model.tasks.is_empty() {
        return;
    }
    let mut rows: Vec<_> = model.tasks.values().collect();
    // Only as many as are shown need be in order.
    let order = |a: &&crate::model::Task, b: &&crate::model::Task| {
        b.busy_share.total_cmp(&a.busy_share).then(b.max_poll.cmp(&a.max_poll)).then(a.id.cmp(&b.id))
    };
    let all = rows.len();
    if all > ROWS {
        rows.select_nth_unstable_by(ROWS, order);
        rows.truncate(ROWS);
    }
    rows.sort_by(order);
    heading(out, "Tasks, busiest first", all);
    let mut table =
        Table::new(["id", "name", "state", ">for", ">busy", ">polls/s", ">max poll", "waits for", "spawned at"]);
    for task in rows {
        let name = if task.name.is_empty() { site_name(model, task.site) } else { task.name.to_string() };
        table.row([
            text::task_id(task.id),
            name,
            format!("{:?}", task.state).to_lowercase(),
            text::duration(model.now.since(task.state_since)),
            text::percent(task.busy_share),
            text::rate(task.polls_per_s),
            text::duration(task.max_poll),
            task.waits.first().map_or_else(String::new, |wait| waits_for(model, wait.on)),
            location(model, task.site),
        ]);
    }
    table.print(out);
}

fn waits_for(model: &Model, on: WaitFor) -> String {
    match on {
        WaitFor::Lock(id) | WaitFor::Read(id) => match model.locks.get(&id).map(|lock| lock.holder) {
            Some(TaskId(0)) | None => lock_name(model, id),
            Some(holder) => format!("{} of {}", lock_name(model, id), text::task_id(holder)),
        },
        WaitFor::Send(id) => format!("room in {}", channel_name(model, id)),
        WaitFor::Recv(id) => format!("message of {}", channel_name(model, id)),
        WaitFor::Closed(id) => format!("receiver of {} to close it", channel_name(model, id)),
        WaitFor::Join(id) => format!("end of {}", text::task_id(id)),
        WaitFor::Oneshot(site) => format!("answer of {}", oneshot_name(model, site)),
        WaitFor::OneshotClosed(site) => format!("receiver of {} to close it", oneshot_name(model, site)),
        WaitFor::Timer(_) => "timer".to_owned(),
    }
}

/// Its number, by which the table below has it, and what it goes by.
fn lock_name(model: &Model, id: LockId) -> String {
    let name = model.locks.get(&id).map(|lock| model.name_of(&lock.name, lock.site));
    numbered("lock", id.0, &name.unwrap_or_default())
}

fn channel_name(model: &Model, id: ChannelId) -> String {
    let name = model.channels.get(&id).map(|channel| model.name_of(&channel.name, channel.site));
    numbered("channel", id.0, &name.unwrap_or_default())
}

fn numbered(noun: &str, number: u64, name: &str) -> String {
    if name.is_empty() { format!("{noun} {number}") } else { format!("{noun} {number} {}", text::head(name, 32)) }
}

fn oneshot_name(model: &Model, site: SiteId) -> String {
    match model.sites.get(&site).and_then(Site::shared_name) {
        Some(name) => format!("oneshot {}", text::head(name, 32)),
        None => "a oneshot".to_owned(),
    }
}

fn locks(out: &mut String, model: &Model) {
    if model.locks.is_empty() {
        return;
    }
    let mut rows: Vec<_> = model.locks.values().collect();
    rows.sort_by_key(|lock| (Reverse(lock.waiters), Reverse(lock.contended), lock.id));
    heading(out, "Locks, most waited for first", rows.len());
    let mut table = Table::new([
        "id",
        "name",
        "holder",
        ">held for",
        ">waiters",
        ">acquires/s",
        ">wait p99",
        ">hold p99",
        "created at",
    ]);
    for lock in rows.into_iter().take(ROWS) {
        let below = |span: Option<_>| span.map_or_else(String::new, |span| format!("< {}", text::duration(span)));
        let holder = match (lock.held_since, lock.holder) {
            _ if lock.kind == LockKind::Semaphore => match model.permits(lock) {
                Some(all) => format!("{} of {} free", text::count(lock.permits_available), text::count(all)),
                None => format!("{} of ? free", text::count(lock.permits_available)),
            },
            (None, _) => String::new(),
            (Some(_), TaskId(0)) if model.target.sees("holders") => "a thread".to_owned(),
            (Some(_), TaskId(0)) => "somebody".to_owned(),
            (Some(_), task) => text::task_id(task),
        };
        table.row([
            lock.id.0.to_string(),
            if lock.name.is_empty() { site_name(model, lock.site) } else { lock.name.to_string() },
            holder,
            lock.held_since.map_or_else(String::new, |since| text::duration(model.now.since(since))),
            text::count(lock.waiters.into()),
            lock.acquires_s.last().map_or_else(String::new, text::rate),
            below(lock.wait_p99()),
            below(lock.hold_p99()),
            location(model, lock.site),
        ]);
    }
    table.print(out);
}

fn channels(out: &mut String, model: &Model) {
    if model.channels.is_empty() {
        return;
    }
    let mut rows: Vec<_> = model.channels.values().collect();
    rows.sort_by_key(|channel| (Reverse(channel.blocked_senders), Reverse(channel.depth()), channel.id));
    heading(out, "Channels, fullest first", rows.len());
    let mut table = Table::new([
        "id",
        "name",
        ">depth",
        ">capacity",
        ">sent",
        ">received",
        ">blocked senders",
        ">tx",
        ">rx",
        "created at",
    ]);
    for channel in rows.into_iter().take(ROWS) {
        table.row([
            channel.id.0.to_string(),
            if channel.name.is_empty() { site_name(model, channel.site) } else { channel.name.to_string() },
            text::count(channel.depth()),
            match channel.capacity {
                None => "none".to_owned(),
                Some(0) => "not told".to_owned(),
                Some(capacity) => text::count(capacity),
            },
            channel.sent_s.last().map_or_else(String::new, text::rate),
            channel.received_s.last().map_or_else(String::new, text::rate),
            text::count(channel.blocked_senders.into()),
            handles(channel, channel.senders),
            handles(channel, channel.receivers),
            location(model, channel.site),
        ]);
    }
    table.print(out);
}

/// How many handles there are, where they are counted.
fn handles(channel: &Channel, count: u32) -> String {
    if channel.inferred { "?".to_owned() } else { text::count(count.into()) }
}

fn panics(out: &mut String, model: &Model) {
    if model.panics.is_empty() {
        return;
    }
    heading(out, "Panics of tasks, newest first", model.panics.len());
    let mut table = Table::new([">ago", "task", "panicked at", "message"]);
    for panic in model.panics.iter().rev().take(ROWS) {
        table.row([
            text::duration(model.now.since(panic.at)),
            text::task_id(panic.task),
            text::short_location(&panic.location).to_owned(),
            text::head(&panic.message, 80),
        ]);
    }
    table.print(out);
}

fn site_name(model: &Model, site: SiteId) -> String {
    model.sites.get(&site).map_or_else(String::new, |site| text::short_type(&site.name))
}

fn location(model: &Model, site: SiteId) -> String {
    model.sites.get(&site).map_or_else(String::new, |site| text::short_location(&site.location).to_owned())
}
