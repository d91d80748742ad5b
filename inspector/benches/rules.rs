//! What judging takes: the time of one update and one judgement of all rules, and their share of a core at ten updates a
//! second, by how many tasks there are. A tenth of the tasks, at most 100 000, change in each second; besides there are
//! locks and channels in use, and locks that were taken within others.
//!
//! `cargo bench -p async-inspect-cli --bench rules`
use std::time::{Duration, Instant};

use async_inspect_cli::lints::{Engine, Settings};
use async_inspect_cli::model::{
    Batch, ChannelBirth, ChannelId, ChannelReading, LockBirth, LockId, LockOrder, LockReading, Model, SiteBirth,
    SiteId, SiteKind, SiteReading, Stamp, Target, TaskBirth, TaskId, TaskReading, TaskState, Wait, WaitFor, WorkerId,
    WorkerReading,
};

const TICK: Duration = Duration::from_millis(100);
const TICKS: u64 = 10;
const SECONDS: u64 = 20;
const SITES: u64 = 200;
const LOCKS: u64 = 2_000;
const CHANNELS: u64 = 2_000;
const ORDERS: u32 = 500;

/// A target that is made up as it is asked.
struct Service {
    tasks: u64,
    now: Stamp,
    tick: u64,
}

impl Service {
    fn site(n: u64) -> SiteId {
        SiteId((n % SITES) as u32 + 1)
    }

    fn task(&self, n: u64) -> TaskReading {
        // One in four waits for a task, one in four for a timer, as servers do.
        let on = match n % 4 {
            0 => Some(WaitFor::Join(TaskId((n + 1) % self.tasks + 1))),
            1 => Some(WaitFor::Timer(Duration::from_secs(5))),
            _ => None,
        };
        let since = self.now.before(Duration::from_millis(n % 5_000));
        TaskReading {
            id: TaskId(n + 1),
            state: TaskState::Idle,
            state_since: since,
            polls: self.tick,
            wakes: self.tick,
            busy: Duration::from_micros(20 * self.tick),
            waits: on.map(|on| Wait { on, site: Self::site(n), since }).into_iter().collect(),
            wakers: Some(1),
            ..TaskReading::default()
        }
    }

    fn first(&self) -> Batch {
        let place = |n: u64| format!("src/part_{n}.rs:{}:9", n + 10);
        Batch {
            now: self.now,
            snapshot_begin: true,
            snapshot_end: true,
            sites: (0..SITES)
                .map(|n| SiteBirth {
                    id: Self::site(n),
                    kind: SiteKind::Spawn,
                    location: place(n),
                    name: format!("service::part_{n}::{{{{closure}}}}").into(),
                    ..SiteBirth::default()
                })
                .collect(),
            task_births: (0..self.tasks)
                .map(|n| TaskBirth { id: TaskId(n + 1), site: Self::site(n), ..TaskBirth::default() })
                .collect(),
            task_states: (0..self.tasks).map(|n| self.task(n)).collect(),
            lock_births: (0..LOCKS)
                .map(|n| LockBirth { id: LockId(n + 1), site: Self::site(n), ..LockBirth::default() })
                .collect(),
            lock_orders: (0..ORDERS)
                .map(|id| LockOrder {
                    id,
                    first: Self::site(id.into()),
                    second: Self::site(u64::from(id) + 7),
                    times: 1,
                    ..LockOrder::default()
                })
                .collect(),
            channel_births: (0..CHANNELS)
                .map(|n| ChannelBirth {
                    id: ChannelId(n + 1),
                    site: Self::site(n),
                    capacity: Some(64),
                    ..ChannelBirth::default()
                })
                .collect(),
            ..Batch::default()
        }
    }

    fn next(&mut self) -> Batch {
        self.tick += 1;
        self.now = self.now.after(TICK);
        let changed = (self.tasks / 10).min(100_000) / TICKS;
        let since = self.now.before(Duration::from_millis(2));
        let first = self.tick * changed;
        Batch {
            now: self.now,
            site_totals: (0..SITES)
                .map(|n| SiteReading {
                    site: Self::site(n),
                    spawned: self.tasks / SITES + self.tick * 100,
                    finished: self.tick * 100,
                    ..SiteReading::default()
                })
                .collect(),
            task_states: (first..first + changed).map(|n| self.task(n % self.tasks)).collect(),
            lock_states: (0..LOCKS)
                .map(|n| LockReading {
                    id: LockId(n + 1),
                    holder: TaskId(n + 1),
                    held_since: (n % 3 == 0).then_some(since),
                    waiters: u32::from(n % 9 == 0),
                    acquires: self.tick * 100,
                    contended: self.tick * 3,
                    ..LockReading::default()
                })
                .collect(),
            channel_states: (0..CHANNELS)
                .map(|n| ChannelReading {
                    id: ChannelId(n + 1),
                    sent: self.tick * 50 + n % 7,
                    received: self.tick * 50,
                    senders: 1,
                    receivers: 1,
                    receiver_task: TaskId(n + 1),
                    last_recv_at: Some(since),
                    last_send_at: Some(since),
                    ..ChannelReading::default()
                })
                .collect(),
            worker_states: (1..=8)
                .map(|n| WorkerReading {
                    id: WorkerId(n),
                    polls: self.tick * 1000,
                    busy: TICK.mul_f64(self.tick as f64 * 0.4),
                    ..WorkerReading::default()
                })
                .collect(),
            ..Batch::default()
        }
    }
}

fn main() {
    println!("{LOCKS} locks and {CHANNELS} channels, all in use; {TICKS} updates a second for {SECONDS} s");
    println!(
        "{:>9} {:>10} {:>11} {:>11} {:>9} {:>11} {:>9}",
        "tasks", "changed/s", "update", "judgement", "longest", "of a core", "findings"
    );
    for tasks in [10_000, 100_000, 1_000_000] {
        let mut service = Service { tasks, now: Stamp(3_600_000_000_000), tick: 0 };
        let mut model = Model::new(Target { tick: TICK, ..Target::default() });
        let mut engine = Engine::new(Settings::default());
        model.apply(service.first());
        engine.evaluate(&model);
        let (mut applying, mut judging, mut longest) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
        for _ in 0..SECONDS * TICKS {
            let batch = service.next();
            let start = Instant::now();
            model.apply(batch);
            let applied = start.elapsed();
            engine.evaluate(&model);
            let judged = start.elapsed().saturating_sub(applied);
            applying += applied;
            judging += judged;
            longest = longest.max(judged);
        }
        let times = (SECONDS * TICKS) as f64;
        println!(
            "{tasks:>9} {:>10} {:>8.2} ms {:>8.2} ms {:>6.2} ms {:>9.1} % {:>9}",
            (tasks / 10).min(100_000),
            applying.as_secs_f64() * 1e3 / times,
            judging.as_secs_f64() * 1e3 / times,
            longest.as_secs_f64() * 1e3,
            judging.as_secs_f64() / SECONDS as f64 * 100.0,
            engine.findings().len(),
        );
    }
}
