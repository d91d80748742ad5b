//! What is no fault of the target's: pauses, lost updates, clocks that fall back.
use super::*;

/// A service in the middle of everything at once, none of it for longer than some milliseconds.
struct Busy {
    judged: Judged,
    site: SiteId,
    task: TaskId,
    waiter: TaskId,
    lock: LockId,
    permits: LockId,
    channel: ChannelId,
    unbounded: ChannelId,
    worker: WorkerId,
    line: SiteId,
}

fn busy() -> Busy {
    let mut judged = Judged::new();
    let site = judged.target.spawn_site("src/main.rs:9:9", "shop::connection::{{closure}}", OutputKind::Unit);
    let line = judged.target.call_site("src/state.rs:20:9");
    let (task, waiter) = (judged.target.task(site), judged.target.task(site));
    let made = judged.target.lock_site("src/state.rs:3:9", "shop::State");
    let lock = judged.target.lock(made);
    let permits = judged.target.lock_of(LockKind::Semaphore, made);
    let place = judged.target.channel_site("src/jobs.rs:3:9", "shop::Job");
    let (channel, unbounded) = (judged.target.channel(place, Some(4)), judged.target.channel(place, None));
    let worker = judged.target.worker("tokio-worker-1");
    let mut busy = Busy { judged, site, task, waiter, lock, permits, channel, unbounded, worker, line };
    busy.goes_on(ms(3000));
    busy.judged.expect_nothing();
    busy
}

impl Busy {
    /// All of it goes on; what is under way has begun a moment ago.
    fn goes_on(&mut self, span: Duration) {
        let &mut Busy { task, waiter, lock, permits, channel, unbounded, worker, line, .. } = self;
        let mut n = 0;
        self.judged.every(span, |target| {
            n += 1;
            let since = target.now.before(ms(2));
            let holder = Holder { task, site: line, since, permits: 1, exclusive: false };
            target.worker_state(worker, |worker| worker.poll = Some((waiter, since)));
            target.task_state(task, |task| {
                (task.state, task.state_since, task.polls) = (TaskState::Scheduled, since, task.polls + 9);
            });
            target.task_state(waiter, |task| {
                (task.state, task.state_since) = (TaskState::Idle, since);
                task.waits = [Wait { on: WaitFor::Lock(lock), site: line, since }].into();
            });
            target.lock_state(lock, |lock| {
                (lock.holder, lock.holder_site, lock.held_since) = (task, line, Some(since));
                (lock.waiters, lock.acquires) = (1, lock.acquires + 50);
            });
            target.lock_state(permits, |lock| {
                (lock.permits_total, lock.permits_available, lock.holder_count, lock.waiters) = (1, 0, 1, 3);
                (lock.holders, lock.acquires) = (vec![holder], lock.acquires + 20);
            });
            for id in [channel, unbounded] {
                target.channel_state(id, |channel| {
                    (channel.sent, channel.received) = (channel.sent + 10, channel.sent + 6);
                    (channel.last_recv_at, channel.last_send_at) = (Some(since), Some(since));
                    // Full at one reading of four.
                    (channel.receiver_task, channel.blocked_senders) = (task, u32::from(n % 4 == 0));
                    channel.sends_blocked += 1;
                });
            }
        });
    }

    /// What was under way has come to its end, and seems to have taken `span`.
    fn all_took(&mut self, span: Duration) {
        let now = self.judged.target.now;
        self.judged.target.totals(self.site, |totals| {
            totals.slow_polls += 2;
            (totals.last_slow_poll, totals.last_slow_poll_at, totals.max_poll) = (span, now, span);
            totals.slow_poll_total += span * 2;
        });
        let line = self.line;
        self.judged.target.lock_state(self.lock, |lock| {
            lock.acquires += 40;
            lock.contended += 40;
            lock.wait_total += span * 40;
            lock.wait_max = span;
            lock.wait_hist.0[15] += 40;
            lock.suspended_holds += 4;
            (lock.last_suspended, lock.last_suspended_at) = (span, now);
            (lock.last_suspended_site, lock.last_suspended_waiters) = (line, 3);
        });
    }
}

#[test]
fn a_process_that_was_stopped_has_done_nothing_wrong() {
    for seconds in [1, 3, 60, 3600] {
        let mut busy = busy();
        let span = Duration::from_secs(seconds);
        busy.judged.tick(span);
        busy.judged.expect_nothing();
        busy.all_took(span);
        busy.goes_on(ms(8000));
        busy.judged.expect_nothing();
        assert!(busy.judged.engine.findings().is_empty(), "{seconds} s: {:#?}", busy.judged.engine.findings());
    }
}

#[test]
fn updates_that_are_lost_with_the_link_are_no_fault_either() {
    for seconds in [1, 3, 60] {
        let mut busy = busy();
        busy.all_took(ms(900));
        busy.judged.target.snapshot(Duration::from_secs(seconds));
        busy.judged.engine.evaluate(&busy.judged.target.model);
        busy.goes_on(ms(8000));
        assert!(busy.judged.engine.findings().is_empty(), "{seconds} s: {:#?}", busy.judged.engine.findings());
    }
}

#[test]
fn a_clock_that_falls_back_makes_nothing_older_than_it_is() {
    let mut busy = busy();
    busy.judged.target.now = busy.judged.target.now.before(Duration::from_mins(10));
    busy.goes_on(ms(8000));
    assert!(busy.judged.engine.findings().is_empty(), "{:#?}", busy.judged.engine.findings());
}

#[test]
fn what_is_wrong_stays_so_through_a_pause() {
    let mut judged = Judged::new();
    let (task, worker) = blocked_poll(&mut judged);
    judged.run(ms(500));
    judged.only("blocked-worker");
    judged.tick(ms(5000));
    judged.only("blocked-worker");
    judged.run(ms(4000));
    let finding = judged.only("blocked-worker");
    assert_eq!(finding.subject.name, "look_up", "{task:?} {worker:?}");
    assert!(evidence(&finding, "poll_running_ns").text.starts_with("4."), "{finding:#?}");
}
