//! A shop on a bad night: one model with every kind of entity and findings of every severity, for the tests of the
//! screens. The findings are written out, so that the wording of a rule can change without redrawing every screen.
mod deadlock;

pub(crate) use deadlock::deadlock;

use std::time::Duration;

use crate::lints::{Confidence, Evidence, Finding, Severity, Subject, SubjectKind};
use crate::model::{
    Blind, Channel, ChannelId, ChannelKind, Cost, Frame, Histogram, Holder, Lock, LockId, LockKind, Loss, Model,
    OutputKind, Panic, Runtime, RuntimeDetail, RuntimeId, RuntimeKind, Series, Site, SiteId, SiteKind, SlowPoll, Stack,
    StackCause, Stamp, SuspendedHold, Target, Task, TaskFlags, TaskId, TaskKind, TaskState, Wait, WaitFor, Worker,
    WorkerDetail, WorkerId, WorkerKind,
};

const SECOND: u64 = 1_000_000_000;

/// The target's clock in the fixture: ten minutes after its start.
pub(crate) const NOW: Stamp = Stamp(600 * SECOND);

fn ago(millis: u64) -> Stamp {
    Stamp(NOW.0 - millis * 1_000_000)
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn series(of: impl Fn(u32) -> f64) -> Series {
    let mut series = Series::default();
    (0..60).for_each(|second| series.push(of(second)));
    series
}

fn blind(about: &str, what: &str, why: &str, remedy: &str) -> Blind {
    Blind { about: about.into(), what: what.into(), why: why.into(), remedy: remedy.into() }
}

/// The target of the fixture.
pub(crate) fn target() -> Target {
    Target {
        address: "http://127.0.0.1:6670".into(),
        instance: 7,
        pid: 4242,
        app: "shop".into(),
        probe_version: "0.1.0".into(),
        capabilities: ["tasks", "handles", "locks", "holders", "channels", "wakes", "panics", "workers"]
            .map(String::from)
            .to_vec(),
        blind: vec![
            blind(
                "tasks",
                "tasks of dependencies",
                "hyper and others spawn through their own tokio, which only the runtime's hooks see",
                "build the service with RUSTFLAGS=\"--cfg tokio_unstable\"",
            ),
            blind("locks", "std and parking_lot locks", "only tokio's are watched", "use tokio::sync"),
            blind("channels", "channels of other crates", "only tokio's are watched", "use tokio::sync"),
        ],
        slow_poll: ms(10),
        tick: ms(200),
    }
}

const SERVE: SiteId = SiteId(1);
const ORDERS: SiteId = SiteId(2);
const REPORT: SiteId = SiteId(3);
const HYPER: SiteId = SiteId(4);
const MAIL: SiteId = SiteId(5);

fn site(id: u32, kind: SiteKind, location: &str, name: &str) -> Site {
    Site { id: SiteId(id), kind, location: location.into(), name: name.into(), ..Site::default() }
}

fn sites() -> Vec<Site> {
    let mut sites = vec![
        Site { spawned: 1, ..site(1, SiteKind::Spawn, "src/main.rs:41:5", "shop::serve::{{closure}}") },
        Site {
            spawned: 48_211,
            finished: 48_171,
            max_poll: ms(3),
            handles_dropped: 48_000,
            output: OutputKind::Result,
            errors_lost: 12,
            ..site(
                2,
                SiteKind::Spawn,
                "src/handlers/orders.rs:88:9",
                "shop::handlers::orders::place_order::{{closure}}",
            )
        },
        Site {
            spawned: 31,
            finished: 30,
            max_poll: ms(2310),
            slow_polls: 30,
            slow_poll_total: ms(62_000),
            recent_slow: vec![
                SlowPoll {
                    at: ago(8100),
                    took: ms(1980),
                    longest: ms(1980),
                    total: ms(1980),
                    task: TaskId(11),
                    count: 1,
                },
                SlowPoll {
                    at: ago(4100),
                    took: ms(2050),
                    longest: ms(2050),
                    total: ms(2050),
                    task: TaskId(14),
                    count: 1,
                },
            ]
            .into(),
            ..site(3, SiteKind::Spawn, "src/report.rs:42:9", "shop::report::nightly::{{closure}}")
        },
        Site {
            spawned: 9120,
            finished: 9112,
            ..site(
                4,
                SiteKind::Spawn,
                "/home/u/.cargo/registry/src/index-1949cf8c6b5b557f/hyper-util-0.1.17/src/rt/tokio.rs:38:9",
                "hyper_util::server::conn::auto::UpgradeableConnection<TokioIo<TcpStream>, Router>",
            )
        },
        Site {
            spawned: 3,
            finished: 1,
            panics: 1,
            panics_lost: 1,
            ..site(5, SiteKind::Spawn, "src/mail.rs:17:5", "shop::mail::sender::{{closure}}")
        },
        site(10, SiteKind::Lock, "src/state.rs:23:20", "std::collections::HashMap<u64, shop::Order>"),
        site(11, SiteKind::Lock, "src/state.rs:24:20", "shop::Sessions"),
        site(12, SiteKind::Lock, "src/payments.rs:14:22", ""),
        site(13, SiteKind::Lock, "src/prices.rs:8:19", "shop::Prices"),
        site(22, SiteKind::Channel, "src/prices.rs:11:18", "shop::PriceChange"),
        site(34, SiteKind::Call, "src/payments.rs:40:31", ""),
        site(35, SiteKind::Call, "src/prices.rs:29:30", ""),
        site(20, SiteKind::Channel, "src/mail.rs:12:20", "shop::mail::Mail"),
        site(21, SiteKind::Channel, "src/audit.rs:9:20", "shop::audit::Event"),
        site(30, SiteKind::Call, "src/handlers/orders.rs:93:29", ""),
        site(31, SiteKind::Call, "src/handlers/orders.rs:104:18", ""),
        site(32, SiteKind::Call, "src/mail.rs:31:26", ""),
        site(33, SiteKind::Call, "src/handlers/orders.rs:110:22", ""),
    ];
    for site in &mut sites {
        site.name.shrink_to_fit();
    }
    sites
}

fn task(id: u64, site: SiteId, state: TaskState, since: u64) -> Task {
    Task {
        id: TaskId(id),
        site,
        kind: TaskKind::Async,
        spawned_at: ago(20_000 + (id & 0xfff) * 10),
        future_bytes: 1480,
        parent: TaskId(1),
        state,
        state_since: ago(since),
        polls: 120 + (id & 0xfff),
        busy: ms(14),
        max_poll: Duration::from_micros(830),
        wakes: 119 + (id & 0xfff),
        self_wakes: 3,
        sched_total: ms(12),
        sched_max: Duration::from_micros(2300),
        flags: TaskFlags { handle_dropped: true, ..TaskFlags::default() },
        busy_share: 0.002,
        polls_per_s: 6.4,
        ..Task::default()
    }
}

fn wait(on: WaitFor, site: u32, since: u64) -> Wait {
    Wait { on, site: SiteId(site), since: ago(since) }
}

fn tasks() -> Vec<Task> {
    const ROOT: u64 = 1 << 63 | 1;
    let mut tasks = vec![
        Task {
            kind: TaskKind::Root,
            parent: TaskId(0),
            name: "main".into(),
            ..task(ROOT, SERVE, TaskState::Idle, 590_000)
        },
        Task { parent: TaskId(ROOT), name: "accept".into(), ..task(1, SERVE, TaskState::Idle, 210) },
        Task {
            max_poll: ms(2310),
            busy_share: 1.0,
            flags: TaskFlags { handle_held: true, ..TaskFlags::default() },
            ..task(17, REPORT, TaskState::Running, 2310)
        },
        Task {
            waits: vec![wait(WaitFor::Recv(ChannelId(2)), 32, 480)],
            name: "mailer".into(),
            ..task(5, MAIL, TaskState::Idle, 480)
        },
        Task { waits: vec![wait(WaitFor::Recv(ChannelId(1)), 32, 480)], ..task(6, MAIL, TaskState::Idle, 480) },
    ];
    tasks.extend((0..8).map(|n| task(40 + n, HYPER, TaskState::Idle, 900 + n * 130)));
    // One order holds the lock while it waits for room in the mail channel; 38 others wait for the lock.
    tasks.push(Task {
        waits: vec![wait(WaitFor::Send(ChannelId(1)), 31, 412)],
        ..task(100, ORDERS, TaskState::Idle, 412)
    });
    tasks.extend((0..38).map(|n| Task {
        waits: vec![wait(WaitFor::Lock(LockId(1)), 30, 400 - n * 10)],
        ..task(101 + n, ORDERS, TaskState::Idle, 400 - n * 10)
    }));
    tasks.push(Task {
        waits: vec![wait(WaitFor::Send(ChannelId(1)), 33, 95)],
        ..task(139, ORDERS, TaskState::Scheduled, 5)
    });
    tasks
}

fn locks() -> Vec<Lock> {
    let mut hist = Histogram::default();
    hist.0[2] = 900;
    hist.0[12] = 300;
    hist.0[13] = 40;
    vec![
        Lock {
            id: LockId(1),
            kind: LockKind::Mutex,
            site: SiteId(10),
            name: "orders".into(),
            holder: TaskId(100),
            holder_site: SiteId(30),
            held_since: Some(ago(412)),
            waiters: 38,
            acquires: 48_171,
            contended: 31_300,
            wait_total: ms(800_000),
            wait_max: ms(512),
            wait_hist: hist,
            hold_total: ms(560_000),
            hold_max: ms(498),
            hold_max_site: SiteId(30),
            hold_hist: hist,
            suspended_holds: 1240,
            recent_suspended: vec![SuspendedHold {
                at: ago(450),
                took: ms(380),
                site: SiteId(30),
                waiters: 37,
                count: 1,
                total: ms(380),
            }]
            .into(),
            acquires_s: series(|s| if s < 40 { 80.0 } else { 12.0 }),
            contended_s: series(|s| if s < 40 { 1.0 } else { 11.0 }),
            wait_ns_s: series(|s| f64::from(s) * 1e7),
            waiters_s: series(|s| f64::from(s.saturating_sub(40)) * 2.0),
            ..Lock::default()
        },
        Lock {
            id: LockId(2),
            site: SiteId(11),
            acquires: 96_000,
            contended: 12,
            acquires_s: series(|_| 160.0),
            contended_s: series(|_| 0.0),
            waiters_s: series(|_| 0.0),
            ..Lock::default()
        },
        Lock {
            id: LockId(3),
            kind: LockKind::Semaphore,
            site: SiteId(12),
            name: "payments".into(),
            holders: (0..6).map(|n| hold(40 + n, 34, 900 + n * 130, false)).collect(),
            holder_count: 6,
            permits_total: 8,
            permits_available: 2,
            acquires: 9_120,
            ..Lock::default()
        },
        Lock {
            id: LockId(4),
            kind: LockKind::RwLock,
            site: SiteId(13),
            name: "prices".into(),
            holder: TaskId(46),
            holder_site: SiteId(35),
            held_since: Some(ago(60)),
            holders: vec![hold(46, 35, 60, false), hold(47, 35, 12, false)],
            holder_count: 2,
            acquires: 40_000,
            contended: 80,
            ..Lock::default()
        },
    ]
}

fn hold(task: u64, site: u32, since: u64, exclusive: bool) -> Holder {
    Holder { task: TaskId(task), site: SiteId(site), since: ago(since), permits: 1, exclusive }
}

fn channels() -> Vec<Channel> {
    vec![
        Channel {
            id: ChannelId(1),
            kind: ChannelKind::Mpsc,
            site: SiteId(20),
            name: "mail".into(),
            capacity: Some(64),
            sent: 48_300,
            received: 48_236,
            blocked_senders: 2,
            sends_blocked: 900,
            send_wait_total: ms(310_000),
            senders: 3,
            receivers: 1,
            last_recv_at: Some(ago(480)),
            receiver_task: TaskId(6),
            recv_site: SiteId(32),
            last_send_at: Some(ago(480)),
            sender_task: TaskId(100),
            send_site: SiteId(31),
            saturated_since: Some(ago(18_000)),
            depth_s: series(|s| f64::from((s * 2).min(64))),
            sent_s: series(|s| if s < 30 { 80.0 } else { 2.0 }),
            received_s: series(|s| if s < 30 { 78.0 } else { 2.0 }),
            saturated_s: series(|s| if s < 32 { 0.0 } else { 1.0 }),
            ..Channel::default()
        },
        Channel {
            id: ChannelId(2),
            kind: ChannelKind::MpscUnbounded,
            site: SiteId(21),
            sent: 131_000,
            received: 118_800,
            senders: 42,
            receivers: 1,
            last_recv_at: Some(ago(20)),
            receiver_task: TaskId(5),
            recv_site: SiteId(32),
            last_send_at: Some(ago(1)),
            sender_task: TaskId(139),
            send_site: SiteId(33),
            depth_s: series(|s| f64::from(s) * 200.0 + 200.0),
            sent_s: series(|_| 410.0),
            received_s: series(|_| 210.0),
            saturated_s: series(|_| 0.0),
            ..Channel::default()
        },
        Channel {
            id: ChannelId(3),
            kind: ChannelKind::Broadcast,
            site: SiteId(22),
            capacity: Some(16),
            sent: 7_210,
            received: 7_201,
            lagged: 3,
            messages_lost: 41,
            last_lag_at: Some(ago(52_000)),
            last_lag_task: TaskId(44),
            last_lag_site: SiteId(35),
            senders: 1,
            receivers: 8,
            last_recv_at: Some(ago(30)),
            last_send_at: Some(ago(25)),
            send_site: SiteId(35),
            depth_s: series(|s| f64::from(s % 13)),
            sent_s: series(|_| 12.0),
            received_s: series(|_| 12.0),
            saturated_s: series(|_| 0.0),
            ..Channel::default()
        },
    ]
}

fn workers() -> Vec<Worker> {
    let worker = |id: u64, busy_share, poll| Worker {
        id: WorkerId(id),
        kind: WorkerKind::Worker,
        name: "tokio-rt-worker".into(),
        poll,
        polls: 190_000 + id,
        busy: ms(31_000),
        busy_share,
        ..Worker::default()
    };
    let worker = |id: u64, busy_share: f64, poll| Worker {
        parks_per_s: 40.0 * (1.0 - busy_share),
        detail: Some(WorkerDetail { local_queue: u64::from(id == 1) * 3, steals_per_s: 0.7, awake_share: busy_share }),
        ..worker(id, busy_share, poll)
    };
    vec![
        worker(1, 1.0, Some((TaskId(17), ago(2310)))),
        worker(2, 0.31, Some((TaskId(139), ago(0)))),
        worker(3, 0.04, None),
        worker(4, 0.02, None),
    ]
}

fn runtime() -> Runtime {
    Runtime {
        id: RuntimeId(1),
        kind: RuntimeKind::MultiThread,
        workers: 4,
        alive_tasks: 61,
        global_queue: 2,
        awake_share: 0.34,
        parks_per_s: 118.0,
        detail: Some(RuntimeDetail {
            local_queues: 3,
            steals_per_s: 2.8,
            blocking_threads: 5,
            blocking_idle: 4,
            blocking_queue: 0,
        }),
        ..Runtime::default()
    }
}

fn frame(function: &str, location: &str, user: bool) -> Frame {
    Frame { function: function.into(), location: location.into(), user }
}

/// The model of the fixture.
pub(crate) fn model() -> Model {
    let mut model = Model {
        now: NOW,
        target: target(),
        sites: sites().into_iter().map(|s| (s.id, s)).collect(),
        tasks: tasks().into_iter().collect(),
        locks: locks().into_iter().map(|l| (l.id, l)).collect(),
        channels: channels().into_iter().map(|c| (c.id, c)).collect(),
        workers: workers().into_iter().map(|w| (w.id, w)).collect(),
        runtimes: [(RuntimeId(1), runtime())].into(),
        panics: vec![Panic {
            task: TaskId(3),
            site: MAIL,
            at: ago(95_000),
            message: "called `Result::unwrap()` on an `Err` value: Closed".into(),
            location: "src/mail.rs:33:14".into(),
        }],
        stacks: vec![Stack {
            worker: WorkerId(1),
            task: TaskId(17),
            poll_started: ago(2310),
            at: ago(110),
            cause: StackCause::Cpu,
            samples: 22,
            frames: vec![
                frame("core::slice::sort::stable::quicksort::quicksort", "", false),
                frame("shop::report::sort_orders", "src/report.rs:71:14", true),
                frame("shop::report::nightly::{{closure}}", "src/report.rs:55:9", true),
            ],
        }],
        loss: Loss::default(),
        cost: Cost {
            cpu: ms(1800),
            cpu_share: 0.004,
            memory_bytes: 3_250_000,
            memory_limit_bytes: 64 << 20,
            subscribers: 1,
        },
        complete: true,
        ..Model::default()
    };
    model.totals.tasks = series(|s| 40.0 + f64::from(s % 7));
    model.totals.polls = series(|s| if s < 40 { 900.0 } else { 240.0 });
    model.totals.wakes = series(|s| if s < 40 { 910.0 } else { 260.0 });
    model.totals.lock_waits = series(|s| if s < 40 { 1.0 } else { 11.0 });
    model.totals.channel_depth = series(|s| f64::from(s) * 203.0);
    model
}

fn evidence(name: &'static str, text: &str, limit: &str) -> Evidence {
    Evidence { name, text: text.into(), value: serde_json::Value::Null, limit: limit.into() }
}

fn subject(kind: SubjectKind, name: &str, location: &str) -> Subject {
    Subject { kind, name: name.into(), location: location.into() }
}

/// The findings about it, worst first, the cleared one last.
pub(crate) fn findings() -> Vec<Finding> {
    let finding = |rule, severity, subject, message: &str, evidence, advice: &str, since| Finding {
        rule,
        severity,
        subject,
        message: message.into(),
        evidence,
        cycle: Vec::new(),
        advice: advice.into(),
        confidence: Confidence::Certain,
        since: ago(since),
        older: false,
        last_seen: NOW,
        cleared: None,
        count: 1,
    };
    vec![
        finding(
            "blocked-worker",
            Severity::Crit,
            subject(SubjectKind::Task(TaskId(17)), "task #17 nightly", "src/report.rs:42:9"),
            "A poll of `nightly` has been running for 2.31 s; its worker serves no other task meanwhile",
            vec![
                evidence("poll_ns", "2.31 s", "> 100 ms"),
                evidence("worker", "tokio-rt-worker 1", ""),
                evidence("workers_blocked", "1 of 4", ""),
            ],
            "Move the CPU-bound part into tokio::task::spawn_blocking and await it, or split it with yield_now().",
            2310,
        ),
        finding(
            "lock-held-across-await",
            Severity::Warn,
            subject(SubjectKind::Lock(LockId(1)), "Mutex orders", "src/handlers/orders.rs:93:29"),
            "Mutex `orders` is held across an .await for 412 ms while 38 tasks wait for it",
            vec![
                evidence("hold_ns", "412 ms", "> 50 ms"),
                evidence("waiters", "38", "> 0"),
                evidence("holder", "task #100 place_order", ""),
                evidence("holder_awaits", "room in mail at src/handlers/orders.rs:104:18", ""),
            ],
            "Copy what is needed out of the guard and drop it before the .await; send to `mail` after that.",
            19_400,
        ),
        finding(
            "channel-saturated",
            Severity::Warn,
            subject(SubjectKind::Channel(ChannelId(1)), "channel mail", "src/mail.rs:31:26"),
            "Channel `mail` is full (64 of 64) and 2 senders wait; its receiver takes 2.0 messages a second",
            vec![
                evidence("saturated_ns", "18.0 s", "> 1 s"),
                evidence("blocked_senders", "2", ""),
                evidence("received_per_s", "2.0", ""),
            ],
            "Make the receiver faster or run several of them; a larger capacity only hides the delay.",
            18_000,
        ),
        finding(
            "never-awaited-handle",
            Severity::Info,
            subject(SubjectKind::Site(ORDERS), "tasks of place_order", "src/handlers/orders.rs:88:9"),
            "48000 JoinHandles were dropped before their task ended; 12 of the results were Err and nobody saw them",
            vec![evidence("handles_dropped", "48.0k", "> 0"), evidence("errors_lost", "12", "")],
            "Keep the handles in a JoinSet and log what they return.",
            580_000,
        ),
        Finding {
            cleared: Some(ago(12_000)),
            ..finding(
                "lock-contention",
                Severity::Warn,
                subject(SubjectKind::Lock(LockId(2)), "Mutex Sessions", "src/state.rs:24:20"),
                "Mutex `Sessions`: 31% of acquisitions waited, p99 16.4 ms",
                vec![evidence("contended_share", "31%", "> 20%")],
                "Hold it for less, or shard the map.",
                44_000,
            )
        },
    ]
}

/// A target that means harm: names of every bad kind, and figures at the ends of their range.
pub(crate) fn hostile() -> (Model, Vec<Finding>) {
    let mut model = model();
    let mut findings = findings();
    let long = "数据库".repeat(3000) + &"e\u{301}\u{302}".repeat(500);
    let nasty = [
        "\u{1b}[2J\u{1b}]0;owned\u{7}",
        "\u{202e}gnp.exe",
        "",
        "\n\r\t",
        "👩‍👩‍👧‍👦🏳️‍🌈",
        &long,
        "שלום עולם",
        "\u{0}\u{9b}1m",
        "\u{300}\u{301}\u{302}",
    ];
    let mut names = nasty.iter().cycle();
    let mut name = || (*names.next().unwrap_or(&"")).to_owned();
    model.now = Stamp(u64::MAX);
    for site in model.sites.values_mut() {
        (site.name, site.location) = (name(), name());
        (site.spawned, site.finished, site.shed, site.slow_polls) = (u64::MAX, 0, u64::MAX, u64::MAX);
        site.slow_poll_total = Duration::MAX;
    }
    for task in model.tasks.values_mut() {
        task.name = name();
        (task.polls, task.wakes, task.self_wakes) = (u64::MAX, 1, u64::MAX);
        (task.busy, task.sched_total, task.max_poll) = (Duration::MAX, Duration::MAX, Duration::MAX);
        (task.busy_share, task.polls_per_s) = (f64::NAN, f64::INFINITY);
        (task.spawned_at, task.state_since) = (Stamp(u64::MAX), Stamp(0));
        task.parent = task.id;
        task.waits.push(Wait { on: WaitFor::Join(task.id), site: SiteId(999), since: Stamp(u64::MAX) });
        task.waits.push(Wait { on: WaitFor::Lock(LockId(u64::MAX)), site: SiteId(0), since: Stamp(0) });
    }
    for lock in model.locks.values_mut() {
        lock.name = name();
        lock.holder = TaskId(u64::MAX);
        (lock.waiters, lock.acquires, lock.contended) = (u32::MAX, 1, u64::MAX);
        (lock.wait_hist, lock.hold_hist) = (Histogram([u32::MAX; 16]), Histogram([u32::MAX; 16]));
        (lock.holder_count, lock.permits_total, lock.permits_available) = (u32::MAX, 0, u64::MAX);
        (lock.waiting_writers, lock.lost_notifies) = (u32::MAX, u64::MAX);
        lock.holders.push(Holder {
            task: TaskId(u64::MAX),
            since: Stamp(u64::MAX),
            permits: u32::MAX,
            ..Holder::default()
        });
        lock.waiters_s = series(|s| if s % 2 == 0 { f64::NAN } else { f64::INFINITY });
        lock.acquires_s = series(|_| f64::NEG_INFINITY);
    }
    for channel in model.channels.values_mut() {
        channel.name = name();
        (channel.sent, channel.received, channel.sends_blocked) = (u64::MAX, 0, u64::MAX);
        channel.capacity = channel.capacity.map(|_| 0);
        (channel.lagged, channel.messages_lost, channel.unheard) = (u64::MAX, u64::MAX, u64::MAX);
        channel.depth_s = series(|s| if s == 59 { f64::MAX } else { -f64::MAX });
        channel.sent_s = series(|_| f64::NAN);
    }
    for worker in model.workers.values_mut() {
        worker.name = name();
        worker.busy_share = f64::NAN;
        worker.poll = Some((TaskId(u64::MAX), Stamp(0)));
        worker.parks_per_s = f64::INFINITY;
        worker.detail = Some(WorkerDetail { local_queue: u64::MAX, steals_per_s: f64::NAN, awake_share: f64::NAN });
    }
    for runtime in model.runtimes.values_mut() {
        runtime.name = name();
        (runtime.workers, runtime.alive_tasks, runtime.global_queue) = (u32::MAX, u64::MAX, u64::MAX);
        (runtime.awake_share, runtime.parks_per_s) = (f64::NAN, f64::INFINITY);
        runtime.detail = Some(RuntimeDetail { blocking_idle: u32::MAX, ..RuntimeDetail::default() });
    }
    for frame in model.stacks.iter_mut().flat_map(|s| &mut s.frames) {
        (frame.function, frame.location) = (name(), name());
    }
    for panic in &mut model.panics {
        (panic.message, panic.location) = (long.clone(), name());
    }
    for finding in &mut findings {
        finding.message = name();
        finding.advice = name();
        (finding.subject.name, finding.subject.location) = (name(), name());
        finding.evidence.iter_mut().for_each(|e| (e.text, e.limit) = (name(), name()));
        finding.count = u64::MAX;
    }
    let first = findings[0].clone();
    findings.extend((0..400).map(|n| Finding {
        subject: Subject { kind: SubjectKind::Task(TaskId(n)), ..first.subject.clone() },
        ..first.clone()
    }));
    model.target.app = long;
    model.loss = Loss { tasks: u64::MAX, updates: u64::MAX, ..Loss::default() };
    model.cost = Cost { cpu_share: f64::NAN, memory_bytes: u64::MAX, cpu: Duration::MAX, ..Cost::default() };
    (model, findings)
}
