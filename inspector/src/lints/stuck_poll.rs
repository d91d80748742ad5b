//! Polls that stand, or lately stood, in one kind of blocking call, as their stacks tell.
use std::collections::BTreeMap;
use std::time::Duration;

use super::rule::{Cx, Threshold};
use super::{Evidence, LocationRole, Subject, words};
use crate::model::{Beside, Frame, Model, Stack, StackCause, Stamp, TaskId, TaskKind, WorkerKind};
use crate::text;

/// A limit of every rule about polls that stand.
pub(super) const STARTUP: Threshold = Threshold::millis(
    "startup",
    5000,
    "for so long after its start, what `main` does between awaits is set-up, not a fault",
);

/// Whether the target takes stacks of blocked polls.
pub(super) fn has_stacks(cx: &Cx) -> bool {
    cx.model.target.sees("stacks")
}

/// How long a look at the poll's stack is waited for, since it may tell that another rule has more to say. The first one
/// takes the probe longer: it reads the symbols.
pub(super) fn look(cx: &Cx) -> Duration {
    let model = cx.model;
    if !has_stacks(cx) {
        Duration::ZERO
    } else if model.stacks.is_empty() {
        Duration::from_secs(3)
    } else {
        Duration::from_secs(2)
    }
}

/// A poll that ended counts for so long.
const FRESH: Duration = Duration::from_secs(5);
/// Polls at one line are counted over this time.
const WINDOW: Duration = Duration::from_secs(10);
/// One look may have met a moment that is nobody's fault.
const LOOKS: u32 = 2;

/// What to say where a stack was taken and no line of the app's could be had from it.
pub(super) fn no_line(stack: &Stack) -> Option<Evidence> {
    const WHY: &str = "not known: the program has no line tables; build it with debug = \"line-tables-only\" in its profile, \
                       and without strip";
    stack.frames.iter().all(|frame| frame.location.is_empty()).then(|| Evidence::words("blocked_location", WHY))
}

/// A function of a stack: its path is for programs, people read the last of it.
pub(super) fn function(name: &'static str, frame: &Frame) -> Evidence {
    Evidence { text: frame.name(), ..Evidence::words(name, text::head(&frame.function, 200)) }
}

/// Polls that stood at one line of the app's own code.
pub(super) struct Place<'a> {
    /// The line, as `path:line:column`; where the task was spawned if the stack does not tell.
    pub(super) location: String,
    /// The stack that tells it best.
    pub(super) stack: &'a Stack,
    /// Moments at which polls of the last ten seconds began.
    pub(super) polls: Vec<Stamp>,
    /// How long the one that goes on has done so; else how long the longest was seen to.
    pub(super) longest: Duration,
    /// Threads that stand there now.
    pub(super) now: u64,
    /// Tasks that did.
    tasks: Vec<TaskId>,
    /// Who else ran all through each of these polls.
    beside: Vec<&'a [Beside]>,
}

/// Whether a stack is inside of `block_in_place`, where a task may block: the runtime has moved on to another thread.
pub(super) fn may_block(stack: &Stack) -> bool {
    stack.frames.iter().any(|frame| frame.function.contains("block_in_place"))
}

/// Whether a stack is that of a panic: the poll is at its end, and what takes long is the hook that prints the backtrace.
pub(super) fn panics(stack: &Stack) -> bool {
    const SIGNS: &[&str] = &["panic_with_hook", "begin_panic_handler", "rust_begin_unwind", "_Unwind_RaiseException"];
    stack.frames.iter().any(|frame| SIGNS.iter().any(|sign| frame.function.contains(sign)))
}

/// Whether the lock that a stack stands in is the runtime's own, as that of the blocking pool's queue is: it is held for
/// moments, unless its holder has no CPU, and nothing of the app's is to be changed.
pub(super) fn is_the_runtimes(stack: &Stack) -> bool {
    const LOCKS: &[&str] = &["std::", "core::", "alloc::", "parking_lot", "lock_api::"];
    let paths = stack.frames.iter().map(|frame| frame.function.trim_start_matches('<')).filter(|f| f.contains("::"));
    let mut callers = paths.skip_while(|function| LOCKS.iter().any(|of| function.starts_with(of)));
    callers.next().is_some_and(|function| function.starts_with("tokio::"))
}

/// Whether `task` may block its thread `until` then: jobs of the blocking pool may, and `main` may set things up for the
/// time `startup`.
pub(super) fn may_stand(model: &Model, task: TaskId, until: Stamp, startup: Duration) -> bool {
    model.tasks.get(&task).is_some_and(|task| {
        task.kind == TaskKind::Blocking || task.kind == TaskKind::Root && until.since(task.spawned_at) < startup
    })
}

/// Places at which polls stand, or lately stood, for `cause`: seen there more than once.
pub(super) fn places<'a>(cx: &Cx<'a>, cause: StackCause, startup: Duration) -> Vec<Place<'a>> {
    let model = cx.model;
    let mut places: BTreeMap<&str, Place<'a>> = BTreeMap::new();
    let mut looks: BTreeMap<&str, u32> = BTreeMap::new();
    let stands = |stack: &&Stack| {
        stack.cause == cause && !may_block(stack) && !(cause == StackCause::Lock && is_the_runtimes(stack))
    };
    for stack in model.stacks.iter().filter(stands) {
        let worker = model.workers.get(&stack.worker);
        let goes_on = worker.is_some_and(|worker| worker.poll == Some((stack.task, stack.poll_started)));
        if !goes_on && model.now.since(stack.at) > WINDOW || worker.is_some_and(|w| w.kind == WorkerKind::Blocking) {
            continue;
        }
        let line = stack.user_frame().map_or("", |frame| frame.location.as_str());
        let line = if line.is_empty() { words::spawn_place(model, stack.task) } else { line };
        if line.is_empty() {
            continue;
        }
        let until = if goes_on { model.now } else { stack.at };
        if may_stand(model, stack.task, until, startup) {
            continue;
        }
        let held_up = worker.filter(|_| goes_on).map_or(Duration::ZERO, |worker| worker.poll_cpu_wait);
        let lasted = model.between(stack.poll_started, until).saturating_sub(held_up);
        *looks.entry(line).or_default() += stack.samples;
        let place = places.entry(line).or_insert_with(|| Place {
            location: line.to_owned(),
            stack,
            polls: Vec::new(),
            longest: Duration::ZERO,
            now: 0,
            tasks: Vec::new(),
            beside: Vec::new(),
        });
        place.polls.push(stack.poll_started);
        place.tasks.push(stack.task);
        place.beside.push(&stack.beside);
        place.now += u64::from(goes_on);
        if lasted >= place.longest {
            (place.longest, place.stack) = (lasted, stack);
        }
    }
    let mut out: Vec<Place<'a>> = places.into_values().collect();
    out.retain(|place| {
        let fresh = place.now > 0 || model.now.since(place.stack.at) <= FRESH;
        fresh && looks.get(place.location.as_str()).is_some_and(|&looks| looks >= LOOKS)
    });
    out
}

impl Place<'_> {
    /// The tasks of the place's spawn site; the task itself where that is not known.
    pub(super) fn subject(&self, cx: &Cx) -> Subject {
        let model = cx.model;
        let role = if self.is_its_line() { LocationRole::Blocks } else { LocationRole::Spawned };
        words::poll_subject(model, self.stack.task, self.stack.user_frame()).at(&self.location, role)
    }

    /// The line, and where its tasks were spawned.
    pub(super) fn causes(&self, cx: &Cx) -> Vec<String> {
        let mut causes = vec![self.location.clone()];
        causes.extend(self.tasks.iter().map(|&task| words::spawn_place(cx.model, task).to_owned()));
        causes.sort();
        causes.dedup();
        causes.retain(|place| !place.is_empty());
        causes
    }

    /// Whether the location is where the polls stand.
    fn is_its_line(&self) -> bool {
        self.stack.user_frame().is_some_and(|frame| !frame.location.is_empty())
    }

    /// Where that is, in a sentence.
    pub(super) fn at(&self) -> String {
        if self.is_its_line() {
            format!("at {}", text::file_line(&self.location))
        } else {
            format!("in the task spawned at {}", text::file_line(&self.location))
        }
    }

    /// What is the same of every such place.
    pub(super) fn evidence(&self, limit: &str) -> Vec<Evidence> {
        let mut evidence = vec![
            Evidence::span("blocked_for_ns", self.longest).over(limit),
            Evidence::count("blocked_polls_10s", self.polls.len() as u64),
        ];
        evidence[1].aside = self.polls.len() == 1;
        if self.now > 0 {
            let blocked = Evidence::count("blocked_workers", self.now);
            evidence.insert(1, if self.now == 1 { blocked.aside() } else { blocked });
        }
        if let Some(frame) = self.stack.user_frame() {
            evidence.push(Evidence::words("blocked_location", frame.location.as_str()));
            evidence.push(function("blocked_function", frame));
        }
        evidence.extend(no_line(self.stack));
        // A bare name is the system's, which says no more than that it waits.
        if let Some(frame) = self.stack.frames.first().filter(|frame| frame.function.contains("::")) {
            evidence.push(function("innermost_function", frame));
        }
        evidence.push(Evidence::task("blocking_task", self.stack.task));
        evidence
    }

    /// Who may have had what the polls waited for: the only one that ran all through the newest of them of which that is
    /// known; and through how many of how many of these another of its site was the only one.
    pub(super) fn may_be_kept_by(&self) -> Option<(Beside, usize, usize)> {
        // Who stands there too waits for the same.
        let others = self.beside.iter().map(|beside| beside.iter().filter(|one| !self.tasks.contains(&one.task)));
        let known: Vec<Vec<Beside>> =
            others.map(|beside| beside.copied().collect()).filter(|beside: &Vec<_>| !beside.is_empty()).collect();
        let [newest] = known.last()?[..] else { return None };
        let alike =
            known.iter().filter(|beside| matches!(beside[..], [only] if only.spawned == newest.spawned)).count();
        Some((newest, alike, known.len()))
    }
}
