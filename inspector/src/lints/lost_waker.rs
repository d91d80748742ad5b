//! A task that nothing can wake.
use std::collections::BTreeMap;
use std::time::Duration;

use super::rule::{Candidate, Cx, Rule, Threshold};
use super::{Evidence, Severity, words};
use crate::model::{SiteId, Task, TaskKind};
use crate::text;

const IDLE: Threshold =
    Threshold::millis("idle", 3000, "a task has been idle for so long, and no waker of it is alive");

pub(super) const RULE: Rule = Rule {
    id: "lost-waker",
    severity: Severity::Warn,
    summary: "a task is pending, and nothing is left that could wake it",
    explain: EXPLAIN,
    thresholds: &[IDLE],
    enter_after: Duration::from_millis(200),
    leave_after: Duration::from_millis(500),
    subsumed_by: &["deadlock", "self-deadlock"],
    evaluate,
};

const EXPLAIN: &str = "\
A task returned `Pending`, and every waker it ever gave out is gone: no timer, channel, socket or other task has one.

Why it hurts
  It can never go on. It looks like one that waits for something, it holds what it holds, and whoever waits for it waits
  for ever too.

WRONG
  fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Item> {
      match self.queue.pop() {
          Some(item) => Poll::Ready(item),
          None => Poll::Pending,                    // nobody was given the waker
      }
  }

RIGHT
  None => {
      self.waker.register(cx.waker());              // AtomicWaker; the one who pushes calls wake()
      match self.queue.pop() {                      // it may have been pushed meanwhile
          Some(item) => Poll::Ready(item),
          None => Poll::Pending,
      }
  }

  // or leave it to a channel
  receiver.poll_recv(cx)

Thresholds
  idle = 3.00 s   a task has been idle for so long, and no waker of it is alive

The future of a `block_on` is left alone: a `main` that only keeps the process alive may well wait for nothing. So is a
future that has no room for anything that could be waited for, and whose end nobody waits for: it awaits `pending()`,
and is meant to sleep.
";

/// Tasks that are looked at in one judgement: of a program that forgets a million of them, these say enough.
const MOST: usize = 4096;

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    let model = cx.model;
    let mut sites: BTreeMap<SiteId, Vec<&Task>> = BTreeMap::new();
    let lost = |task: &&Task| {
        let idle = model.lasted(task.state_since);
        task.kind != TaskKind::Root && task.waits.is_empty() && !task.flags.more_waits && idle > cx.span(&IDLE)
    };
    let lost: Vec<&Task> = model.unwakeable().filter(lost).take(MOST).collect();
    let all = lost.len() < MOST;
    for task in lost {
        sites.entry(task.site).or_default().push(task);
    }
    out.extend(sites.into_iter().filter_map(|(site, tasks)| judge(cx, site, &tasks, all)));
}

/// `all` when there are no others.
fn judge(cx: &Cx, site: SiteId, tasks: &[&Task], all: bool) -> Option<Candidate> {
    let model = cx.model;
    let site = model.sites.get(&site)?;
    let first = tasks.iter().min_by_key(|task| (task.state_since, task.id))?;
    let idle = model.lasted(first.state_since);
    let subject = words::site_subject(site);
    let group = site.location.clone();
    let (name, idle_text) = (&subject.name, text::duration(idle));
    let message = match tasks.len() {
        1 => format!("`{name}` can never go on: it has been pending for {idle_text}, and no waker of it is left"),
        n => {
            let at_least = if all { "" } else { "at least " };
            let n = text::count(n as u64);
            format!(
                "{at_least}{n} `{name}` tasks can never go on: they have been pending for up to {idle_text}, and no waker of \
                 theirs is left"
            )
        }
    };
    Some(Candidate {
        message,
        evidence: vec![
            Evidence::span("idle_for_ns", idle).over(cx.limit_text(&IDLE)),
            Evidence::count("polls", first.polls).aside(),
            Evidence::count("wakers", 0).aside(),
            Evidence::task("task", first.id),
            Evidence::count("tasks", tasks.len() as u64).aside(),
        ],
        advice: format!(
            "Find the poll() that `{name}` awaits: before it returns Pending it must store cx.waker().clone(), and whoever \
             makes it ready must call wake() on that."
        )
        .into(),
        onset: Some(first.state_since.after(cx.span(&IDLE))),
        began: Some(first.state_since),
        hurt: tasks.len() as u64,
        tasks: tasks.iter().map(|task| task.id).collect(),
        ..Candidate::enter(subject, &group, Severity::Warn)
    })
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::*;

    fn idle(wakers: Option<u32>) -> (Judged, TaskId) {
        let mut judged = Judged::new();
        let site = judged.target.spawn_site("src/queue.rs:8:9", "shop::drain::{{closure}}", OutputKind::Unit);
        let task = judged.target.task(site);
        judged.settle();
        let now = judged.target.now;
        judged
            .target
            .task_state(task, |task| (task.state, task.state_since, task.wakers) = (TaskState::Idle, now, wakers));
        (judged, task)
    }

    #[test]
    fn a_task_with_no_waker_left_is_named_by_its_spawn_line() {
        let (mut judged, task) = idle(Some(0));
        judged.run(ms(2900));
        judged.expect_nothing();
        judged.run(ms(600));
        let finding = judged.only("lost-waker");
        assert_eq!((finding.severity, finding.subject.location.as_str()), (Severity::Warn, "src/queue.rs:8:9"));
        assert!(
            finding.message.starts_with("`drain` can never go on: it has been pending for 3."),
            "{}",
            finding.message
        );
        judged.target.gone_task(task);
        judged.run(ms(700));
        judged.expect_nothing();
    }

    #[test]
    fn tasks_that_were_read_while_they_were_woken_can_go_on() {
        let mut judged = Judged::new();
        let site = judged.target.spawn_site("src/queue.rs:8:9", "shop::drain::{{closure}}", OutputKind::Unit);
        let tasks: Vec<_> = (0..30).map(|_| judged.target.task(site)).collect();
        judged.settle();
        let slept_since = judged.target.now;
        let read = |judged: &mut Judged, task, wakers, since| {
            let idle = move |task: &mut crate::model::TaskReading| {
                (task.state, task.state_since, task.wakers) = (TaskState::Idle, since, Some(wakers));
            };
            judged.target.task_state(task, idle);
        };
        for &task in &tasks {
            read(&mut judged, task, 1, slept_since);
        }
        judged.run(ms(5000));
        // One after the other: the waker of each is gone, and its poll is not over.
        for task in tasks {
            read(&mut judged, task, 0, slept_since);
            judged.run(ms(100));
            judged.expect_nothing();
            let now = judged.target.now;
            read(&mut judged, task, 1, now);
        }
    }

    #[test]
    fn of_very_many_it_is_said_that_they_may_be_more() {
        let mut judged = Judged::new();
        let site = judged.target.spawn_site("src/queue.rs:8:9", "shop::drain::{{closure}}", OutputKind::Unit);
        let tasks: Vec<_> = (0..super::MOST + 10).map(|_| judged.target.task(site)).collect();
        judged.settle();
        let now = judged.target.now;
        for task in tasks {
            judged.target.task_state(task, |task| {
                (task.state, task.state_since, task.wakers) = (TaskState::Idle, now, Some(0));
            });
        }
        judged.run(ms(3500));
        let finding = judged.only("lost-waker");
        assert!(finding.message.starts_with("at least 4096 `drain` tasks can never go on: "), "{}", finding.message);
    }

    #[test]
    fn a_task_that_something_can_wake_or_of_which_that_is_not_known_is_nothing() {
        for wakers in [Some(1), None] {
            let (mut judged, _) = idle(wakers);
            judged.run(ms(20_000));
            judged.expect_nothing();
        }
    }

    #[test]
    fn a_future_that_has_no_room_for_anything_sleeps_on_purpose() {
        let (mut judged, task) = idle(Some(0));
        judged.tick(ms(100));
        judged.target.model.tasks.get_mut(&task).expect("it").future_bytes = 1;
        judged.target.task_state(task, |_| ());
        judged.run(ms(20_000));
        judged.expect_nothing();
        judged.target.task_state(task, |task| task.tracker = LockId(7));
        judged.run(ms(1000));
        judged.only("lost-waker");
    }

    #[test]
    fn the_future_of_a_block_on_may_wait_for_nothing() {
        let (mut judged, task) = idle(Some(0));
        judged.tick(ms(100));
        judged.target.model.tasks.get_mut(&task).expect("it").kind = TaskKind::Root;
        judged.run(ms(20_000));
        judged.expect_nothing();
    }
}
