//! The screens, one a file.

pub(crate) mod channel;
pub(crate) mod channels;
pub(crate) mod finding;
pub(crate) mod findings;
mod group;
pub(crate) mod help;
pub(crate) mod lock;
pub(crate) mod locks;
pub(crate) mod overview;
pub(crate) mod site;
pub(crate) mod target;
pub(crate) mod task;
pub(crate) mod tasks;
pub(crate) mod timeline;
pub(crate) mod worker;
pub(crate) mod workers;

use std::time::Duration;

use crate::app::page::Page;
use crate::app::screen::{Screen, Screens};
use crate::app::theme::Role;
use crate::app::{Common, Cx, Entity, accused, names};
use crate::lints::Finding;
use crate::model::{Frame, Histogram, LockKind, SiteId, Stack, StackCause, TaskId, Wait, WaitFor};
use crate::text::{self, figures, fit};

/// All screens; the first is where the dashboard starts.
pub static SCREENS: Screens = Screens {
    all: &[
        &overview::SCREEN,
        &tasks::SCREEN,
        &locks::SCREEN,
        &channels::SCREEN,
        &workers::SCREEN,
        &findings::SCREEN,
        &timeline::SCREEN,
        &target::SCREEN,
        &task::SCREEN,
        &site::SCREEN,
        &lock::SCREEN,
        &channel::SCREEN,
        &worker::SCREEN,
        &finding::SCREEN,
        &help::SCREEN,
    ],
    page_of,
    help: &help::SCREEN,
};

/// The page about one entity.
fn page_of(entity: Entity) -> &'static Screen {
    match entity {
        Entity::Task(_) => &task::SCREEN,
        Entity::Worker(_) => &worker::SCREEN,
        Entity::Site(_) => &site::SCREEN,
        Entity::Lock(_) => &lock::SCREEN,
        Entity::Channel(_) => &channel::SCREEN,
        Entity::Finding(_) | Entity::Past(_) | Entity::Then(..) => &finding::SCREEN,
        Entity::Tasks(_) => &tasks::SCREEN,
    }
}

/// Links to those that wait for `entity`, the longest first, at most `most`.
pub(crate) fn waiters(cx: &Cx, entity: Entity, page: &mut Page, most: usize) {
    let Some(focus) = cx.derived.focus(entity) else { return };
    // Who has got it since it was looked for, or is gone, does not wait.
    let waits = |(wait, task): &&(Wait, TaskId)| {
        cx.model.tasks.get(task).is_some_and(|task| task.waits.iter().any(|now| now.on == wait.on))
    };
    let waiters: Vec<_> = focus.waiters.iter().filter(waits).collect();
    for (n, (wait, task)) in waiters.iter().copied().take(most).enumerate() {
        let what = match wait.on {
            WaitFor::Recv(_) => "waits for a message",
            WaitFor::Send(_) => "waits for room",
            WaitFor::Read(_) => "waits to read",
            WaitFor::Lock(id) => match cx.model.locks.get(&id).map(|lock| lock.kind) {
                Some(LockKind::RwLock) => "waits to write",
                Some(LockKind::Semaphore) => "waits for a permit",
                Some(LockKind::Notify) => "waits to be notified",
                Some(LockKind::CancellationToken) => "listens",
                Some(LockKind::TaskTracker) => "waits for all to end",
                _ => "waits",
            },
            WaitFor::Closed(_) | WaitFor::OneshotClosed(_) => "waits for its receiver to close it",
            WaitFor::Join(_) | WaitFor::Oneshot(_) | WaitFor::Timer(_) => "waits",
        };
        let since = figures::duration(focus.at.since(wait.since));
        let place = text::file_line(names::location(cx.model, wait.site));
        let remark = if place.is_empty() { format!("{what} {since}") } else { format!("{what} {since} at {place}") };
        let label = if n == 0 { "waiters" } else { "" };
        page.link("waiter", label, Entity::Task(*task), &names::task_id(cx.model, *task), &remark);
    }
    let all = focus.waiting - (focus.waiters.len() - waiters.len());
    more_tasks(all, waiters.len().min(most), Common::wait_for(entity), page);
}

/// Where the newest blocked poll of `entity` stood, if its stack was taken.
pub(crate) fn stack(cx: &Cx, entity: Entity, page: &mut Page) {
    let of = |stack: &&Stack| match entity {
        Entity::Task(id) => stack.task == id,
        Entity::Site(id) => cx.model.tasks.get(&stack.task).is_some_and(|t| t.site == id),
        _ => false,
    };
    let Some(stack) = cx.model.stacks.iter().rev().find(of) else { return };
    let what = match stack.cause {
        StackCause::Unknown => "Where it blocked",
        StackCause::Sleep => "Where it blocked: it sleeps the thread",
        StackCause::Lock => "Where it blocked: on a blocking lock",
        StackCause::BlockOn => "Where it blocked: in a block_on inside of the poll",
        StackCause::File => "Where it blocked: on a file",
        StackCause::Dns => "Where it blocked: looking up a name",
        StackCause::Cpu => "Where it blocked: it computes",
        StackCause::Wait => "Where it blocked: waiting for something outside of the runtime",
    };
    page.heading(what);
    let ago = figures::duration(cx.model.now.since(stack.at));
    let into = figures::duration(stack.at.since(stack.poll_started));
    page.words(Role::Muted, &format!("taken {ago} ago, {into} into the poll; {} looks at it", stack.samples));
    calls(cx, &stack.frames, page);
}

/// The calls of a stack, innermost first, those of the app with their lines.
pub(crate) fn calls(cx: &Cx, frames: &[Frame], page: &mut Page) {
    /// That are shown; what is below them is the runtime's.
    const SHOWN: usize = 20;
    for frame in frames.iter().take(SHOWN) {
        let (role, sign) = if frame.user { (Role::Strong, cx.glyphs.crumb) } else { (Role::Muted, " ") };
        page.line(vec![(
            role,
            format!("{sign} {}", fit::tail(&frame.function, page.width().saturating_sub(2), cx.glyphs.ellipsis)),
        )]);
        if frame.user && !frame.location.is_empty() {
            let place = fit::location(&frame.location, page.width().saturating_sub(4), cx.glyphs.ellipsis);
            page.line(vec![(Role::Accent, format!("    {place}"))]);
        }
    }
    more(frames.len(), frames.len().min(SHOWN), page);
}

/// Links to the tasks that came from `entity`, the most telling first, at most `most`.
pub(crate) fn children(cx: &Cx, entity: Entity, page: &mut Page, most: usize) {
    let Some(focus) = cx.derived.focus(entity) else { return };
    let children: Vec<_> = focus.children.iter().filter(|id| cx.model.tasks.contains_key(id)).collect();
    for (n, id) in children.iter().copied().take(most).enumerate() {
        let remark = cx.model.tasks.get(id).map_or_else(String::new, |task| {
            let since = figures::duration(cx.model.now.since(task.state_since));
            match task.waits.first() {
                Some(wait) => format!("waits for {} for {since}", names::wait(cx.model, wait)),
                None => format!("{} for {since}", names::state(task.state)),
            }
        });
        let label = match (n, entity) {
            (0, Entity::Site(_)) => "tasks",
            (0, _) => "spawned",
            _ => "",
        };
        let mark = cx
            .accused
            .own(Entity::Task(*id))
            .map_or_else(String::new, |severity| format!("{} ", cx.glyphs.severity(severity)));
        let name = format!("{mark}{}", names::task_id(cx.model, *id));
        page.link("child", label, Entity::Task(*id), &name, &remark);
    }
    let common = match entity {
        Entity::Task(id) => Some(Common::Parent(id)),
        Entity::Site(id) => Some(Common::Site(id)),
        _ => None,
    };
    more_tasks(focus.born - (focus.children.len() - children.len()), children.len().min(most), common, page);
}

/// Durations by powers of two, a line each, and the quantiles that people ask for beside the longest.
pub(crate) fn histogram(histogram: &Histogram, most: Duration, page: &mut Page) {
    let of = |q| quantile(histogram, q, most).unwrap_or_default();
    let most = figures::duration(most);
    page.words(Role::Text, &format!("p50 {}   p90 {}   p99 {}   max {most}", of(0.5), of(0.9), of(0.99)));
    let used = |n: &u32| *n > 0;
    let (Some(first), Some(last)) = (histogram.0.iter().position(used), histogram.0.iter().rposition(used)) else {
        return;
    };
    let most = histogram.0.iter().copied().max().unwrap_or(1).max(1);
    for (bucket, &count) in histogram.0.iter().enumerate().take(last + 1).skip(first) {
        let bound = figures::duration(Histogram::bound(bucket));
        let label = if bucket + 1 == histogram.0.len() { "longer".to_owned() } else { format!("<{bound}") };
        let share = f64::from(count) / f64::from(most);
        page.bar(&label, share, Role::Info, &figures::count(count.into()));
    }
}

/// What a quantile is below, or at most where that is the `longest` of all; `None` when there are none.
fn quantile(histogram: &Histogram, q: f64, longest: Duration) -> Option<String> {
    let span = histogram.quantile(q, longest)?;
    Some(format!("{}{}", if span == longest { "" } else { "<" }, figures::duration(span)))
}

/// How many were left out of a list.
pub(crate) fn more(all: usize, shown: usize, page: &mut Page) {
    if all > shown {
        page.fact("", Role::Muted, &format!("and {} more", figures::count((all - shown) as u64)));
    }
}

/// The same of tasks, and the way to the list of all of them.
pub(crate) fn more_tasks(all: usize, shown: usize, common: Option<Common>, page: &mut Page) {
    match common {
        Some(common) if all > shown => {
            let text = format!("and {} more", figures::count((all - shown) as u64));
            page.link("more", "", Entity::Tasks(common), &text, "all of them in Tasks");
        }
        _ => more(all, shown, page),
    }
}

/// The same finding in another process of the service than that which `entity` is of: the newest earlier one from now,
/// and what is found now from an earlier one.
pub(crate) fn again(cx: &Cx, entity: Entity, finding: &Finding, page: &mut Page) {
    let same = |f: &Finding| f.rule == finding.rule && f.subject.location == finding.subject.location;
    if !cx.is_of_this_run(entity) {
        if let Some(now) = cx.findings.iter().find(|f| same(f)) {
            page.link("now", "found again", Entity::Finding(now.key()), now.rule, &now.subject.name);
        }
    } else if let Some(past) = cx.app.past().iter().rev().find(|past| same(&past.finding)) {
        let remark = format!("in process {}, before the restart", past.pid);
        page.link("past", "also before", Entity::Past(past.id), finding.rule, &remark);
    }
}

/// The findings about `entity` that last, as links.
pub(crate) fn accusations(cx: &Cx, entity: Entity, page: &mut Page) {
    accuse(cx, page, |f| accused::is_about(f, entity));
}

/// The same about all tasks of a site, one of which is in front: not what is said of some of the others.
pub(crate) fn accusations_of_all(cx: &Cx, site: SiteId, page: &mut Page) {
    accuse(cx, page, |f| accused::is_about_all(f, site));
}

fn accuse(cx: &Cx, page: &mut Page, concerns: impl Fn(&Finding) -> bool) {
    for finding in cx.active().filter(|f| concerns(f)) {
        page.blank();
        let role = Role::from(finding.severity);
        let sign = cx.glyphs.severity(finding.severity);
        page.line(vec![(role, format!("{sign} {} {}", finding.severity.to_string().to_uppercase(), finding.rule))]);
        page.fact("", Role::Strong, &finding.message);
        page.fact("fix", Role::Ok, &finding.advice);
        page.link("finding", "evidence", Entity::Finding(finding.key()), finding.rule, "");
        page.blank();
    }
}
