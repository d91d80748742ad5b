//! What was seen over a while as a trace in Chrome's JSON, which Perfetto and others open: findings, long polls, holds of
//! locks, panics, and the figures of the whole, on the target's own clock.
//!
//! Updates come every tenth of a second: what is shorter than that is not in it one by one, and what lasts is drawn for
//! as long as it was seen to.
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{self, Write};

use serde_json::{Value, json};

use crate::lints::{Finding, FindingKey};
use crate::model::{Lock, LockId, Model, Stamp, TaskId, WorkerId};
use crate::text;

/// Channels and locks with a curve of their own; a service with more has too many to look at.
const CURVES: usize = 200;
/// Of the one process that a trace is about.
const PID: u32 = 1;

/// A trace being written.
#[derive(Debug)]
pub struct Trace<W> {
    out: W,
    begun: bool,
    named: HashSet<WorkerId>,
    /// By worker: the poll that was in progress, since when, and when it was last seen to be.
    polls: HashMap<WorkerId, (TaskId, Stamp, Stamp)>,
    /// By lock: who holds it since when, and when that was last seen.
    holds: BTreeMap<LockId, Hold>,
    /// Of those that the model keeps: the ones that are written.
    panics: HashSet<(TaskId, Stamp)>,
    stacks: HashSet<(WorkerId, Stamp)>,
    /// Things with a curve, by what they are called there.
    curves: HashMap<String, u64>,
    slices: u64,
}

#[derive(Debug, Clone)]
struct Hold {
    task: TaskId,
    since: Stamp,
    seen: Stamp,
    waiters: u32,
    name: String,
    location: String,
}

impl<W: Write> Trace<W> {
    /// Begins a trace that goes to `out`.
    ///
    /// # Errors
    /// When `out` cannot be written to.
    pub fn new(mut out: W) -> io::Result<Self> {
        out.write_all(b"{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n")?;
        Ok(Self {
            out,
            begun: false,
            named: HashSet::new(),
            polls: HashMap::new(),
            holds: BTreeMap::new(),
            panics: HashSet::new(),
            stacks: HashSet::new(),
            curves: HashMap::new(),
            slices: 0,
        })
    }

    /// Takes the newest state in; to be called after each update.
    ///
    /// # Errors
    /// When the output cannot be written to.
    pub fn note(&mut self, model: &Model) -> io::Result<()> {
        if !self.begun {
            let name = format!("{} (pid {})", model.target.app, model.target.pid);
            self.event(&json!({ "ph": "M", "pid": PID, "name": "process_name", "args": { "name": name } }))?;
        }
        self.workers(model)?;
        self.locks(model)?;
        self.figures(model)?;
        self.news(model)
    }

    /// Writes what still lasts, and the end. `findings` are all that there were, also those that are over.
    ///
    /// # Errors
    /// When the output cannot be written to.
    pub fn finish(mut self, model: &Model, findings: &[Finding]) -> io::Result<()> {
        for (worker, (task, since, seen)) in std::mem::take(&mut self.polls) {
            self.poll(model, worker, task, since, seen)?;
        }
        for hold in std::mem::take(&mut self.holds).into_values() {
            self.hold(model, &hold)?;
        }
        let mut told: HashSet<FindingKey> = HashSet::new();
        for finding in findings.iter().filter(|finding| told.insert(finding.key())) {
            let name = format!("{} {}", finding.severity.to_string().to_uppercase(), finding.rule);
            let args = json!({
                "message": finding.message, "location": finding.line().0, "fix": finding.advice, "count": finding.count,
            });
            let end = finding.cleared.unwrap_or(model.now);
            self.slice("finding", &name, finding.since, end, &args)?;
        }
        self.out.write_all(b"\n]}\n")?;
        self.out.flush()
    }

    fn event(&mut self, event: &Value) -> io::Result<()> {
        if std::mem::replace(&mut self.begun, true) {
            self.out.write_all(b",\n")?;
        }
        serde_json::to_writer(&mut self.out, event).map_err(io::Error::from)
    }

    /// Something that lasts and is of no thread: its beginning and its end are told apart from others by a number.
    fn slice(&mut self, kind: &str, name: &str, since: Stamp, until: Stamp, args: &Value) -> io::Result<()> {
        self.slices += 1;
        let id = self.slices.to_string();
        let begin = json!({ "ph": "b", "cat": kind, "id": id, "pid": PID, "tid": 0, "ts": micros(since), "name": name, "args": args });
        let end = json!({ "ph": "e", "cat": kind, "id": id, "pid": PID, "tid": 0, "ts": micros(until), "name": name });
        self.event(&begin)?;
        self.event(&end)
    }

    fn workers(&mut self, model: &Model) -> io::Result<()> {
        let mut workers: Vec<_> = model.workers.values().collect();
        workers.sort_by_key(|worker| worker.id);
        for worker in workers {
            if self.named.insert(worker.id) {
                let name = format!("{} {}", worker.name, worker.id.0);
                self.event(&json!({
                    "ph": "M", "pid": PID, "tid": worker.id.0, "name": "thread_name", "args": { "name": name },
                }))?;
            }
            let before = self.polls.get(&worker.id).copied();
            if let Some((task, since, seen)) = before
                && worker.poll != Some((task, since))
            {
                self.poll(model, worker.id, task, since, seen)?;
                self.polls.remove(&worker.id);
            }
            if let Some((task, since)) = worker.poll {
                self.polls.insert(worker.id, (task, since, model.now));
            }
        }
        Ok(())
    }

    /// A poll that is over; short ones were caught by chance and say nothing.
    fn poll(&mut self, model: &Model, worker: WorkerId, task: TaskId, since: Stamp, seen: Stamp) -> io::Result<()> {
        let took = seen.since(since);
        if took < model.target.slow_poll {
            return Ok(());
        }
        let (name, location) = task_named(model, task);
        self.event(&json!({
            "ph": "X", "cat": "poll", "pid": PID, "tid": worker.0, "ts": micros(since), "dur": took.as_nanos() as f64 / 1e3,
            "name": name, "args": { "spawned_at": location },
        }))
    }

    fn locks(&mut self, model: &Model) -> io::Result<()> {
        let now = model.now;
        let over: Vec<LockId> = self
            .holds
            .iter()
            .filter(|(id, hold)| model.locks.get(id).and_then(|lock| lock.held_since) != Some(hold.since))
            .map(|(id, _)| *id)
            .collect();
        for id in over {
            if let Some(hold) = self.holds.remove(&id) {
                self.hold(model, &hold)?;
            }
        }
        for lock in model.locks.values() {
            let Some(since) = lock.held_since else { continue };
            let hold = self.holds.entry(lock.id).or_insert_with(|| Hold {
                task: lock.holder,
                since,
                seen: now,
                waiters: 0,
                name: lock_named(model, lock),
                location: location(model, lock.holder_site).to_owned(),
            });
            hold.seen = now;
            hold.waiters = hold.waiters.max(lock.waiters);
        }
        Ok(())
    }

    fn hold(&mut self, model: &Model, hold: &Hold) -> io::Result<()> {
        // Seen once, it may have lasted a moment.
        if hold.seen.since(hold.since) < model.target.slow_poll {
            return Ok(());
        }
        let (holder, _) = task_named(model, hold.task);
        let args = json!({ "holder": holder, "acquired_at": hold.location, "waiters_at_most": hold.waiters });
        self.slice("lock", &format!("{} held by {holder}", hold.name), hold.since, hold.seen, &args)
    }

    fn figures(&mut self, model: &Model) -> io::Result<()> {
        let at = micros(model.now);
        let counter = |name: &str, args: Value| json!({ "ph": "C", "pid": PID, "ts": at, "name": name, "args": args });
        let states: serde_json::Map<String, Value> = crate::model::TaskState::ALL
            .into_iter()
            .filter(|state| !state.ended())
            .map(|state| (format!("{state:?}").to_lowercase(), model.states.get(state).into()))
            .collect();
        self.event(&counter("tasks", Value::Object(states)))?;
        for (name, series) in [
            ("polls per second", &model.totals.polls),
            ("wakes per second", &model.totals.wakes),
            ("lock waits per second", &model.totals.lock_waits),
        ] {
            self.event(&counter(name, json!({ "value": series.last().filter(|v| v.is_finite()).unwrap_or(0.0) })))?;
        }
        for runtime in model.runtimes.values() {
            let name = format!("runtime {}", runtime.id.0);
            self.event(&counter(
                &name,
                json!({ "global queue": runtime.global_queue, "alive tasks": runtime.alive_tasks }),
            ))?;
        }
        let channels = model.channels.values().map(|channel| {
            let name = named(&channel.name, model, channel.site);
            (format!("depth of channel {name} #{}", channel.id.0), channel.depth())
        });
        let locks = model
            .locks
            .values()
            .map(|lock| (format!("waiters of {} #{}", lock_named(model, lock), lock.id.0), u64::from(lock.waiters)));
        let curves: Vec<(String, u64)> = channels.chain(locks).collect();
        for (name, value) in curves {
            // A curve is its corners; one that was always zero is none.
            let known = self.curves.len() < CURVES || self.curves.contains_key(&name);
            if known && self.curves.get(&name).copied().unwrap_or(0) != value {
                self.event(&counter(&name, json!({ "value": value })))?;
                self.curves.insert(name, value);
            }
        }
        Ok(())
    }

    /// What happened at one moment: panics, and stacks of blocked polls.
    fn news(&mut self, model: &Model) -> io::Result<()> {
        let written = std::mem::take(&mut self.panics);
        self.panics = model.panics.iter().map(|panic| (panic.task, panic.at)).collect();
        for panic in model.panics.iter().filter(|panic| !written.contains(&(panic.task, panic.at))) {
            let (name, _) = task_named(model, panic.task);
            self.event(&json!({
                "ph": "i", "s": "p", "cat": "panic", "pid": PID, "tid": 0, "ts": micros(panic.at),
                "name": format!("{name} panicked"), "args": { "message": panic.message, "location": panic.location },
            }))?;
        }
        for stack in &model.stacks {
            if self.stacks.insert((stack.worker, stack.poll_started)) {
                let frames: Vec<String> =
                    stack.frames.iter().map(|frame| format!("{} {}", frame.function, frame.location)).collect();
                self.event(&json!({
                    "ph": "i", "s": "t", "cat": "stack", "pid": PID, "tid": stack.worker.0, "ts": micros(stack.at),
                    "name": "blocked here", "args": { "frames": frames },
                }))?;
            }
        }
        Ok(())
    }
}

fn micros(at: Stamp) -> f64 {
    at.0 as f64 / 1e3
}

fn location(model: &Model, site: crate::model::SiteId) -> &str {
    model.sites.get(&site).map_or("", |site| &site.location)
}

fn named(own: &str, model: &Model, site: crate::model::SiteId) -> String {
    if own.is_empty() {
        model.sites.get(&site).map_or_else(String::new, |s| text::short_type(&s.name))
    } else {
        own.to_owned()
    }
}

fn lock_named(model: &Model, lock: &Lock) -> String {
    format!("{} {}", lock.kind.name(), named(&lock.name, model, lock.site))
}

/// What a task goes by, and where it was spawned.
fn task_named(model: &Model, id: TaskId) -> (String, String) {
    if id.0 == 0 {
        return ("a thread".to_owned(), String::new());
    }
    let task = model.tasks.get(&id);
    let name = task.map_or_else(String::new, |task| named(&task.name, model, task.site));
    let at = task.map_or_else(String::new, |task| location(model, task.site).to_owned());
    (format!("{} {name}", text::task_id(id)).trim_end().to_owned(), at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_json_in_which_what_begins_ends() {
        let mut model = crate::app::fixture::model();
        let findings = crate::app::fixture::findings();
        let mut out = Vec::new();
        let mut trace = Trace::new(&mut out).unwrap();
        for _ in 0..3 {
            trace.note(&model).unwrap();
            model.now = model.now.after(std::time::Duration::from_millis(100));
        }
        trace.finish(&model, &findings).unwrap();
        let read: Value = serde_json::from_slice(&out).unwrap();
        let events = read["traceEvents"].as_array().unwrap();
        let of = |phase: &'static str| events.iter().filter(move |event| event["ph"] == phase);
        let ids =
            |phase: &'static str| of(phase).map(|event| event["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        assert_eq!(ids("b"), ids("e"));
        for (begin, end) in of("b").zip(of("e")) {
            assert!(begin["ts"].as_f64() <= end["ts"].as_f64(), "{begin}");
        }
        let is_long = |event: &&Value| event["dur"].as_f64().is_some_and(|dur| dur > 2.3e6);
        let poll = of("X").find(is_long).expect("the long poll");
        assert!(poll["cat"] == "poll" && poll["name"].as_str().unwrap().contains("nightly"), "{poll}");
        assert!(of("b").any(|event| event["name"] == "CRIT blocked-worker"));
        assert!(of("C").any(|event| event["name"].as_str().unwrap().starts_with("depth of channel")));
        assert_eq!(of("i").filter(|event| event["cat"] == "panic").count(), model.panics.len());
    }

    #[test]
    fn panics_beyond_those_that_the_model_keeps_are_all_in_a_trace() {
        let mut target = crate::model::fixture::Fixture::new();
        let mut out = Vec::new();
        let mut trace = Trace::new(&mut out).unwrap();
        for at in 0..300 {
            let (task, site) = (TaskId(1 + at % 7), crate::model::SiteId(0));
            let (message, location) = (format!("number {at}"), String::new());
            target.panic(crate::model::Panic { task, site, at: Stamp(at), message, location });
            target.tick(std::time::Duration::from_millis(100));
            trace.note(&target.model).unwrap();
        }
        assert!(target.model.panics.len() < 300, "the model keeps the newest only");
        trace.finish(&target.model, &[]).unwrap();
        let read: Value = serde_json::from_slice(&out).unwrap();
        let panics = read["traceEvents"].as_array().unwrap().iter().filter(|event| event["cat"] == "panic");
        let messages = panics.map(|event| event["args"]["message"].as_str().unwrap()).collect::<Vec<_>>();
        assert_eq!(messages, (0..300).map(|at| format!("number {at}")).collect::<Vec<_>>());
    }
}
