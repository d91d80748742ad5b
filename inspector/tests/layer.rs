//! Programs on tokio itself, seen by the probe's `tracing` layer alone: the zoo's, and some of each thing that the layer
//! tells of. Only under `--cfg tokio_unstable`, without which tokio tells `tracing` nothing.
#![cfg(tokio_unstable)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod watched;

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::Duration,
};

use async_inspect_cli::model::{
    ChannelKind, Lock, LockKind, Model, RuntimeKind, Site, SiteKind, Task, TaskId, TaskState, WaitFor, WorkerKind,
};
use async_inspect_zoo::{Program, find};
use watched::{Attached, Watched, async_inspect, describe, free_address, serious, turn};

const EXHIBITS: &str = include_str!("../zoo/layer/exhibits.rs");
const LIBRARY: &str = include_str!("../zoo/src/lib.rs");
const COMPOSED: &str = include_str!("../zoo/layer/composed.rs");
const CEILING: &str = include_str!("../zoo/layer/ceiling.rs");
const MERGED: &str = include_str!("../zoo/layer/merged.rs");

/// The zoo on tokio itself, built into the folder that this test was built into.
fn zoo() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        // …/target/debug/deps/layer-0123456789abcdef
        let target = std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_owned();
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo)
            .args(["build", "--locked", "--quiet", "--manifest-path"])
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("zoo/layer/Cargo.toml"))
            .arg("--target-dir")
            .arg(&target)
            .env("RUSTFLAGS", "--cfg tokio_unstable")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .status()
            .unwrap();
        assert!(built.success(), "cargo says why above");
        target.join("debug/async-inspect-zoo-layer")
    })
}

fn start(name: &str, args: &[&str]) -> Watched {
    Watched::start_by(Command::new(zoo()).arg(name).args(args).env("RUST_BACKTRACE", "0"), name, free_address())
}

/// Watches it for as long as that after its start.
async fn watch(program: &Watched, seconds: u64) -> Attached {
    let mut attached = program.attach().await;
    attached.watch_until(Duration::from_secs(seconds)).await;
    attached
}

fn alarms(attached: &Attached) -> Vec<String> {
    let seen = attached.seen.values().filter(|(_, finding)| serious(finding));
    seen.map(|(after, finding)| format!("after {after:?}: {}", describe(finding))).collect()
}

/// The line of `source` in which `text` comes first, counted from 1.
fn line_of(source: &str, text: &str) -> usize {
    source.lines().position(|line| line.contains(text)).unwrap_or_else(|| panic!("no {text:?}")) + 1
}

/// `check` on a faulty program: its rule at that line of that file, and no other alarm.
fn check_names(program: &'static Program, file: &str, line: usize) {
    let rule = program.rule.unwrap();
    let watched = start(program.name, &[]);
    watched::wait_for("the probe", || std::net::TcpStream::connect(watched.probe).ok());
    let output = async_inspect()
        .args(["check", &watched.probe.to_string(), "--for", "5s", "--fail-on", "warn", "--format", "json"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{rule}: {said}\n{}", watched.stderr());
    let report: serde_json::Value = serde_json::from_str(&said).unwrap();
    // Cargo names a file of another workspace from there.
    let place = format!("{}:{line}:", file.trim_start_matches("inspector/zoo/"));
    let findings = report["findings"].as_array().unwrap().iter().filter(|finding| finding["severity"] != "info");
    for finding in findings {
        assert_eq!(finding["rule"], rule, "{finding:#}");
        let location = finding["subject"]["location"].as_str().unwrap();
        assert!(location.contains(&place), "at {location}, not at {place}: {finding:#}");
    }
    let blind = report["not_visible"].to_string();
    for what in ["unbounded mpsc", "broadcast", "watch", "Notify", "JoinHandles", "polled a task"] {
        assert!(blind.contains(what), "{what} is not in {blind}");
    }
    assert!(!blind.contains("locks of the drop-in are watched"), "there is no drop-in: {blind}");
}

#[test]
fn check_names_what_is_wrong_and_where() {
    let _turn = turn();
    zoo();
    std::thread::scope(|scope| {
        let check = |name, line| {
            let program = find(name).unwrap();
            scope.spawn(move || check_names(program, program.file, line_of(program.source, line)));
        };
        check("deadlock", "Mutex::new(Account");
        check("lock-contention", "Mutex::new(Ledger");
        check("long-poll", "// <- fault: long-poll");
        check("blocked-worker", "thread::sleep(Duration");
        // A bounded mpsc is known by the semaphore within, and where it was made by the task that was polled then.
        let (program, made_by) = (find("channel-saturated").unwrap(), line_of(LIBRARY, ".block_on(body)"));
        scope.spawn(move || check_names(program, "src/lib.rs", made_by));
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn healthy_twins_raise_no_alarm() {
    let _turn = turn();
    let mut watches = tokio::task::JoinSet::new();
    for name in ["deadlock", "channel-saturated", "receiver-stalled", "oneshot-abandoned", "semaphore-exhausted"] {
        let program = start(name, &["--healthy"]);
        watches.spawn(async move {
            let attached = watch(&program, 10).await;
            assert!(!attached.watch.judged.model.tasks.is_empty(), "{name}: its tasks are seen");
            (name, alarms(&attached))
        });
    }
    for (name, alarms) in watches.join_all().await {
        assert!(alarms.is_empty(), "{name}: {alarms:#?}");
    }
}

/// What is known of a program that shows something, and its source.
struct Shown {
    model: Model,
    file: &'static str,
    source: &'static str,
}

impl Shown {
    /// Starts it and reads what is known once all is on show.
    async fn of(name: &str, file: &'static str, source: &'static str) -> Self {
        let program = start(name, &[]);
        program.listens_on();
        let mut attached = program.attach().await;
        for _ in 0..20 {
            attached.step().await;
        }
        Self { model: attached.watch.judged.model, file, source }
    }

    /// What comes from the marked line.
    fn at(&self, kind: SiteKind, name: &str) -> &Site {
        let end = format!("{}:{}:", self.file, line_of(self.source, &format!("// <- exhibit: {name}")));
        let mut sites = self.model.sites.values().filter(|site| site.kind == kind && site.location.contains(&end));
        let site = sites.next().unwrap_or_else(|| panic!("nothing is known of {name}"));
        assert!(sites.next().is_none(), "one site a line");
        site
    }

    fn lock(&self, name: &str) -> &Lock {
        let site = self.at(SiteKind::Lock, name).id;
        self.model.locks.values().find(|lock| lock.site == site).unwrap()
    }

    /// Tasks that wait for that, by where they were spawned.
    fn waiting(&self, on: WaitFor) -> Vec<&Task> {
        self.model.tasks.values().filter(|task| task.waits.iter().any(|wait| wait.on == on)).collect()
    }
}

#[tokio::test]
async fn what_tokio_tells_of_itself_is_what_is_shown() {
    let _turn = turn();
    let shown = Shown::of("exhibits", "exhibits.rs", EXHIBITS).await;

    let sees = |what| shown.model.target.sees(what);
    let told = ["tasks", "locks", "holders", "channels", "oneshots", "timers", "wakes", "panics", "runtimes"];
    assert!(told.into_iter().all(sees));
    assert!(!sees("handles"), "nothing tells of them");
    let workers = shown.model.workers.values().filter(|worker| worker.kind == WorkerKind::Worker);
    let workers: Vec<_> = workers.collect();
    assert!(!workers.is_empty(), "a runtime's workers are no tasks");
    assert!(workers.iter().all(|worker| worker.detail.is_some()), "each is known by its thread: {workers:?}");
    let [runtime] = shown.model.runtimes.values().collect::<Vec<_>>()[..] else { panic!("one, and not the probe's") };
    assert_eq!((runtime.kind, runtime.workers), (RuntimeKind::MultiThread, 2));
    assert!(runtime.alive_tasks > 5 && runtime.detail.is_some(), "{runtime:?}");
    let mutex = shown.lock("mutex");
    // The one that gave up has not acquired it.
    assert_eq!((mutex.kind, mutex.acquires, mutex.waiters, mutex.holder_count), (LockKind::Mutex, 101, 1, 1));
    let holder = &shown.model.tasks[&mutex.holder];
    assert!(shown.model.sites[&holder.site].location.contains("exhibits.rs"));
    assert_eq!((holder.state, holder.waits.len()), (TaskState::Idle, 0));
    assert_eq!(shown.waiting(WaitFor::Lock(mutex.id)).len(), 1);

    let rw = shown.lock("rwlock");
    assert_eq!((rw.kind, rw.acquires, rw.holder_count), (LockKind::RwLock, 22, 2));
    assert_eq!((rw.waiting_writers, rw.waiters), (1, 1));
    assert!(rw.holders.iter().all(|holder| !holder.exclusive && shown.model.tasks.contains_key(&holder.task)));

    let barrier = shown.lock("barrier");
    assert_eq!((barrier.kind, barrier.permits_total, barrier.waiters), (LockKind::Barrier, 3, 2));

    let semaphore = shown.lock("semaphore");
    assert_eq!((semaphore.kind, semaphore.acquires, semaphore.waiters), (LockKind::Semaphore, 21, 1));
    assert_eq!((semaphore.permits_total, semaphore.permits_available, semaphore.holders.len()), (5, 0, 0));
    assert!(semaphore.holder_count > 0, "somebody has them, and nobody is named");

    let [channel] = shown.model.channels.values().collect::<Vec<_>>()[..] else {
        panic!("there is one that is told of")
    };
    assert_eq!((channel.kind, channel.capacity, channel.inferred), (ChannelKind::Mpsc, Some(4), true));
    assert_eq!((channel.sent, channel.received, channel.depth()), (13, 9, 4));
    assert_eq!((channel.blocked_senders, channel.sends_blocked), (1, 2));
    assert_eq!(shown.waiting(WaitFor::Send(channel.id)).len(), 1);

    let oneshot = &shown.model.oneshots[&shown.at(SiteKind::Channel, "oneshot").id];
    assert_eq!((oneshot.made, oneshot.delivered, oneshot.unsent), (4, 2, 1));
    assert_eq!((oneshot.unsent_awaited, oneshot.unreceived), (1, 1));
    let unanswered = shown.at(SiteKind::Channel, "unanswered").id;
    assert_eq!(shown.waiting(WaitFor::Oneshot(unanswered)).len(), 1);
    let sleeps = |task: &&Task| task.waits.iter().any(|wait| matches!(wait.on, WaitFor::Timer(_)));
    let sleeping: Vec<_> = shown.model.tasks.values().filter(sleeps).map(|task| &*task.name).collect();
    assert_eq!(sleeping, ["sleeper"], "it alone, by the name that its builder gave it");

    let spinner = shown.model.tasks.values().find(|task| task.self_wakes > 0).unwrap();
    assert_eq!((spinner.polls, spinner.self_wakes, spinner.wakes), (1000, 999, 999));
    let ended = shown.at(SiteKind::Spawn, "ended");
    assert_eq!((ended.spawned, ended.finished, ended.finished_polls), (3, 3, 6), "a drop is no poll");
    let panicked = shown.at(SiteKind::Spawn, "panicked");
    assert_eq!((panicked.panics, panicked.panics_lost), (1, 0), "whether somebody was told is not known");
    assert!(shown.model.panics.iter().any(|panic| panic.message == "on show" && panic.site == panicked.id));
    let blocking = shown.at(SiteKind::Spawn, "blocking");
    assert_eq!((blocking.spawned, blocking.finished, blocking.finished_polls), (1, 1, 1));
}

#[tokio::test]
async fn a_task_of_which_several_tell_is_one_task() {
    let _turn = turn();
    let shown = Shown::of("merged", "merged.rs", MERGED).await;
    let (own, plain) = (shown.at(SiteKind::Spawn, "own"), shown.at(SiteKind::Spawn, "plain"));
    for site in [own, plain] {
        let tasks: Vec<&Task> = shown.model.tasks.values().filter(|task| task.site == site.id).collect();
        let [task] = tasks[..] else { panic!("{tasks:?}") };
        assert_eq!((task.polls, task.wakes), (3, 2), "{}", site.location);
    }
    assert_eq!(shown.model.tasks.len(), 5, "and one more, and two roots");
    let workers = shown.model.workers.values().filter(|worker| worker.kind == WorkerKind::Worker);
    assert_eq!(workers.count(), 2, "a runtime's workers are no tasks");
    let ended = shown.at(SiteKind::Spawn, "ended");
    assert_eq!((ended.spawned, ended.finished, ended.aborted, ended.finished_polls), (1, 1, 0, 3));
    let aborted = shown.at(SiteKind::Spawn, "aborted");
    assert_eq!((aborted.spawned, aborted.finished), (1, 1));
    let [lock] = shown.model.locks.values().collect::<Vec<_>>()[..] else { panic!("{:?}", shown.model.locks) };
    assert_eq!(lock.acquires, 10);
    let built = shown.at(SiteKind::Spawn, "built");
    assert_eq!(built.shared_name(), Some("by hand"), "as its builder has it");
    // The drop-in's own, and one that tokio built beside it.
    assert_eq!(shown.model.runtimes.len(), 2, "{:?}", shown.model.runtimes);
}

/// The values of lines `name: value` that a program printed.
fn said<'a>(output: &'a str, name: &str) -> Vec<&'a str> {
    output.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).collect()
}

#[tokio::test]
async fn it_composes_with_other_layers_and_refuses_what_it_has_no_place_for() {
    let _turn = turn();
    let program = start("composed", &[]);
    program.listens_on();
    let output = program.stdout();
    // The app's own layer has what its filter lets through, then and later, and nothing of tokio's.
    let written = said(&output, "fmt");
    assert_eq!(written.len(), 2, "{output}");
    assert!(written[0].contains("order{id=7}") && written[0].contains("an order came"), "{output}");
    assert!(written[1].contains("after reload"), "{output}");
    // What nobody wants is refused for all, until somebody does.
    assert_eq!(said(&output, "locks seen by another"), ["0, then 2"], "{output}");
    // What is refused is refused for good.
    let asked = start("asked", &[]);
    asked.listens_on();
    let answers = asked.stdout();
    for (of, answer) in
        [("the app's own", "never"), ("a spawn", "always"), ("a send", "sometimes"), ("an interval", "never")]
    {
        assert_eq!(said(&answers, &format!("interest in {of}")), [answer], "{of}: {answers}");
    }
    assert_eq!(said(&answers, "asked again about what was refused"), ["0"]);
    // And what the layer is for comes to one of the two.
    let mut attached = program.attach().await;
    attached.watch_for(Duration::from_millis(500)).await;
    let end = format!("composed.rs:{}:", line_of(COMPOSED, "// <- exhibit: composed"));
    let site = attached
        .watch
        .judged
        .model
        .sites
        .values()
        .find(|site| site.location.contains(&end))
        .expect("tasks are told of");
    assert_eq!((site.spawned, site.states.total()), (3, 3));
}

#[tokio::test]
async fn what_finds_no_room_is_counted_and_nothing_is_said_that_is_not_so() {
    let _turn = turn();
    let mut program = Command::new(zoo());
    program.arg("ceiling").env("RUST_BACKTRACE", "0").env("ASYNC_INSPECT_MEMORY", "2");
    let program = Watched::start_by(&mut program, "ceiling", free_address());
    program.listens_on();
    let each: u64 = said(&program.stdout(), "of each")[0].parse().unwrap();
    let attached = watch(&program, 3).await;
    let (model, loss) = (&attached.watch.judged.model, &attached.watch.judged.model.loss);
    assert_eq!(alarms(&attached), [""; 0], "{}", program.stderr());
    assert!(!program.stderr().contains("panicked"), "{}", program.stderr());

    let site = |exhibit| {
        let end = format!("ceiling.rs:{}:", line_of(CEILING, exhibit));
        model.sites.values().find(|site| site.kind == SiteKind::Spawn && site.location.contains(&end))
    };
    let many = site("// <- exhibit: many tasks").expect("the first of them have room");
    assert_eq!((many.spawned, many.finished), (each, 0));
    assert_eq!(many.shed + many.states.total(), each);
    assert!(many.shed > 0 && loss.tasks >= many.shed, "{loss:?}");
    if let Some(waiting) = site("// <- exhibit: waiting") {
        assert_eq!((waiting.spawned, waiting.finished + waiting.shed), (4, 4));
    }

    // Of each kind some are told of, and all others are counted.
    let kinds = [LockKind::Mutex, LockKind::Semaphore];
    let [mutexes, semaphores] = kinds.map(|kind| model.locks.values().filter(|lock| lock.kind == kind).count() as u64);
    assert!(mutexes > 0 && semaphores > 0 && loss.locks > 0, "{mutexes} {semaphores} {loss:?}");
    assert_eq!(mutexes + semaphores + loss.locks, 2 * each + 1);
    // The one that was full has gone since, if it was told of.
    assert!([each, each + 1].contains(&(model.channels.len() as u64 + loss.channels)), "{loss:?}");
    assert!(!model.channels.is_empty() && loss.channels > 0 && loss.details > 0, "{loss:?}");

    // And what is told of those is so.
    for lock in model.locks.values() {
        assert_eq!((lock.holder, lock.waiters), (TaskId::default(), 0), "{lock:?}");
        if lock.kind == LockKind::Semaphore {
            assert_eq!((lock.permits_total, lock.permits_available), (3, 2), "{lock:?}");
        }
    }
    for channel in model.channels.values() {
        assert_eq!((channel.sent, channel.received, channel.capacity), (1, 0, Some(2)), "{channel:?}");
    }
    for oneshots in model.oneshots.values() {
        assert!(oneshots.made <= each + 1 && oneshots.unsent + oneshots.unreceived == 0, "{oneshots:?}");
    }
}
