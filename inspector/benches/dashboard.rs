//! What the dashboard takes: CPU at ten updates a second, the time from a key to the paint, bytes for each frame.
//!
//! `cargo bench -p async-inspect-cli --bench dashboard`. Everything between the decoded update and the bytes for the
//! terminal is the real thing: model, rules, screens, the terminal's own difference of frames. How long it takes to attach
//! is measured from the bytes of a probe's messages on. The network is not in it.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on fails")]

use std::io::{self, Write};
use std::rc::Rc;
use std::time::{Duration, Instant};

use async_inspect_cli::app::{App, Depth, Msg, Options, update};
use async_inspect_cli::decode::Decoder;
use async_inspect_cli::model::{
    Batch, SiteBirth, SiteId, SiteKind, SiteReading, Stamp, Target, TaskBirth, TaskId, TaskReading, TaskState,
    WorkerId, WorkerReading,
};
use async_inspect_cli::source::Event;
use async_inspect_cli::view::{SCREENS, draw};
use async_inspect_proto::v1;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use prost::Message;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};

/// Updates a second, as a probe sends them.
const TICKS: u64 = 10;
const SITES: u32 = 40;

/// Counts what a terminal would be sent.
#[derive(Clone, Default)]
struct Wire(Rc<std::cell::Cell<usize>>);

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.set(self.0.get() + bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A dashboard on a service with so many tasks.
struct Bench {
    app: App,
    terminal: Terminal<CrosstermBackend<Wire>>,
    wire: Wire,
    tasks: u64,
    tick: u64,
    clock: Duration,
}

impl Bench {
    fn new(tasks: u64, size: (u16, u16)) -> Self {
        let mut bench = Self::empty(tasks, size);
        bench.snapshot();
        bench.rest();
        bench
    }

    /// Attached, and nothing is known yet.
    fn empty(tasks: u64, (columns, rows): (u16, u16)) -> Self {
        let wire = Wire::default();
        let viewport = Viewport::Fixed(Rect::new(0, 0, columns, rows));
        let terminal =
            Terminal::with_options(CrosstermBackend::new(wire.clone()), TerminalOptions { viewport }).unwrap();
        let mut app = App::new("http://127.0.0.1:6670", &SCREENS, Options::default(), Depth::Indexed);
        update(&mut app, Msg::Resize(columns, rows));
        let target = Target {
            instance: 1,
            pid: 4242,
            app: "bench".into(),
            capabilities: ["tasks", "locks", "channels", "wakes", "panics", "workers"].map(String::from).to_vec(),
            slow_poll: Duration::from_millis(10),
            tick: Duration::from_millis(1000 / TICKS),
            ..Target::default()
        };
        update(&mut app, Msg::Source(Event::Connected(Box::new(target))));
        Self { app, terminal, wire, tasks, tick: 600 * TICKS, clock: Duration::ZERO }
    }

    /// Lets a pass over very many tasks come to its end, as the loop does between keys; returns the longest turn, and all
    /// of them together.
    fn rest(&mut self) -> (Duration, Duration) {
        let (mut longest, began) = (Duration::ZERO, Instant::now());
        while self.app.busy() {
            let start = Instant::now();
            update(&mut self.app, Msg::Tick(self.clock));
            longest = longest.max(start.elapsed());
        }
        (longest, began.elapsed())
    }

    /// The messages of a probe's first snapshot, as they come over the wire.
    fn messages(&self) -> Vec<Vec<u8>> {
        // As many as the probe puts into one.
        const ROWS: u64 = 4000;
        let now = self.now().0;
        let mut strings = vec!["service".to_owned(), "handle".to_owned()];
        strings.extend((0..SITES).map(|n| format!("src/handlers/part_{n}.rs")));
        let sites = v1::Sites {
            id: (1..=SITES).collect(),
            kind: vec![v1::SiteKind::Spawn.into(); SITES as usize],
            file: (0..SITES).map(|n| n + 3).collect(),
            line: (0..SITES).map(|n| n + 10).collect(),
            column: vec![9; SITES as usize],
            name: vec![2; SITES as usize],
            output: vec![v1::OutputKind::Unit.into(); SITES as usize],
        };
        let first = v1::Update {
            snapshot_begin: true,
            strings: Some(v1::Strings { first: 1, values: strings }),
            sites: Some(sites),
            ..v1::Update::default()
        };
        let piece = |from: u64| {
            let ids: Vec<i64> = (from..(from + ROWS).min(self.tasks)).map(|n| n.cast_signed() + 1).collect();
            let rows = ids.len();
            let births = v1::TaskBirths {
                kind: vec![v1::TaskKind::Async.into(); rows],
                site: ids.iter().map(|id| (id % i64::from(SITES)) as u32 + 1).collect(),
                name: vec![0; rows],
                spawned_at_ns: ids.iter().map(|id| id * 1000).collect(),
                future_bytes: vec![1024; rows],
                parent: vec![1; rows],
                id: ids.clone(),
            };
            let states = v1::TaskStates {
                state: vec![v1::TaskState::Idle.into(); rows],
                state_since_ns: ids.iter().map(|id| now.cast_signed() - id * 500).collect(),
                polls: vec![600; rows],
                busy_ns: vec![12_345_678; rows],
                max_poll_ns: vec![98_765; rows],
                wakes: vec![600; rows],
                self_wakes: vec![0; rows],
                sched_total_ns: vec![7_654_321; rows],
                sched_max_ns: vec![123_456; rows],
                sched_p99_bucket: vec![5; rows],
                flags: vec![1; rows],
                waits: vec![1; rows],
                wait_kind: vec![v1::WaitKind::Timer.into(); rows],
                wait_for: vec![0; rows],
                wait_site: vec![1; rows],
                wait_before_ns: vec![300; rows],
                wakers_plus_one: vec![2; rows],
                token: vec![0; rows],
                tracker: vec![0; rows],
                id: ids,
            };
            v1::Update { task_births: Some(births), task_states: Some(states), ..v1::Update::default() }
        };
        let last = v1::Update { snapshot_end: true, ..v1::Update::default() };
        let pieces = (0..self.tasks).step_by(ROWS as usize).map(piece);
        let all = std::iter::once(first).chain(pieces).chain([last]);
        all.map(|update| {
            let mut update = v1::Update { seq: self.tick, now_ns: now, ..update };
            update.pack();
            update.encode_to_vec()
        })
        .collect()
    }

    /// From the messages' bytes to the first frame with everything on it: decoding, and all else.
    fn attach(&mut self, messages: &[Vec<u8>]) -> (Duration, Duration) {
        let (start, mut decoding) = (Instant::now(), Duration::ZERO);
        let mut decoder = Decoder::new();
        for message in messages {
            let began = Instant::now();
            let batch = decoder.update(v1::Update::decode(&message[..]).unwrap()).unwrap();
            decoding += began.elapsed();
            self.hear(batch);
        }
        self.paint();
        (decoding, start.elapsed().saturating_sub(decoding))
    }

    fn now(&self) -> Stamp {
        Stamp(self.tick * 1_000_000_000 / TICKS)
    }

    fn snapshot(&mut self) {
        let now = self.now();
        let site = |n: u32| SiteId(n + 1);
        let batch = Batch {
            now,
            snapshot_begin: true,
            snapshot_end: true,
            sites: (0..SITES)
                .map(|n| SiteBirth {
                    id: site(n),
                    kind: SiteKind::Spawn,
                    location: format!("src/handlers/part_{n}.rs:{}:9", 10 + n),
                    name: format!("service::handlers::part_{n}::handle::{{{{closure}}}}").into(),
                    ..SiteBirth::default()
                })
                .collect(),
            site_totals: (0..SITES)
                .map(|n| SiteReading {
                    site: site(n),
                    spawned: self.tasks / u64::from(SITES),
                    ..SiteReading::default()
                })
                .collect(),
            task_births: (0..self.tasks)
                .map(|n| TaskBirth {
                    id: TaskId(n + 1),
                    site: site((n % u64::from(SITES)) as u32),
                    spawned_at: Stamp(1),
                    future_bytes: 1024,
                    ..TaskBirth::default()
                })
                .collect(),
            task_states: (0..self.tasks).map(|n| self.reading(n)).collect(),
            worker_states: self.workers(),
            ..Batch::default()
        };
        self.hear(batch);
    }

    fn reading(&self, n: u64) -> TaskReading {
        TaskReading {
            id: TaskId(n + 1),
            state: TaskState::Idle,
            state_since: self.now(),
            polls: self.tick / TICKS,
            wakes: self.tick / TICKS,
            busy: Duration::from_micros(20 * self.tick),
            max_poll: Duration::from_micros(90),
            ..TaskReading::default()
        }
    }

    fn workers(&self) -> Vec<WorkerReading> {
        (1..=8)
            .map(|n| WorkerReading {
                id: WorkerId(n),
                name: "tokio-rt-worker".into(),
                polls: self.tick * 10,
                busy: Duration::from_millis(self.tick * (n % 4)),
                ..WorkerReading::default()
            })
            .collect()
    }

    fn hear(&mut self, batch: Batch) {
        update(&mut self.app, Msg::Tick(self.clock));
        update(&mut self.app, Msg::Source(Event::Update(Box::new(batch))));
    }

    /// One tick later: `active` tasks a second were polled, each once.
    fn next(&mut self, active: u64) -> Duration {
        self.tick += 1;
        self.clock += Duration::from_millis(1000 / TICKS);
        let share = active / TICKS;
        let first = self.tick % TICKS * share;
        let states = (first..first + share).filter(|n| *n < self.tasks).map(|n| self.reading(n)).collect();
        let batch = Batch { now: self.now(), task_states: states, worker_states: self.workers(), ..Batch::default() };
        let start = Instant::now();
        self.hear(batch);
        self.rest();
        if self.app.take_dirty() {
            self.paint();
        }
        start.elapsed()
    }

    fn paint(&mut self) -> usize {
        let before = self.wire.0.get();
        let app = &self.app;
        self.terminal.draw(|frame| draw(app, frame)).unwrap();
        self.wire.0.get() - before
    }

    /// From a key to the bytes of the frame; then the longest turn of the loop for which a next key would wait, and the time
    /// until everything that takes a pass over all tasks is there.
    fn press(&mut self, code: KeyCode) -> (Duration, Duration, Duration) {
        let start = Instant::now();
        update(&mut self.app, Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)));
        self.paint();
        let painted = start.elapsed();
        let (turn, all) = self.rest();
        (painted, turn, painted + all)
    }

    fn keys(&mut self, keys: &str) {
        for key in keys.chars() {
            self.press(if key == '\r' { KeyCode::Enter } else { KeyCode::Char(key) });
        }
    }
}

fn quantile(times: &mut [Duration], q: f64) -> Duration {
    times.sort_unstable();
    times[((times.len() - 1) as f64 * q).round() as usize]
}

fn main() {
    println!("From the bytes of a probe's first snapshot to the first frame with everything on it, 120x40");
    println!("{:>9} {:>9} {:>12} {:>14} {:>10}", "tasks", "bytes", "decoding", "all the rest", "both");
    for tasks in [10_000, 100_000, 1_000_000] {
        let mut bench = Bench::empty(tasks, (120, 40));
        let messages = bench.messages();
        let bytes: usize = messages.iter().map(Vec::len).sum();
        let (decoding, rest) = bench.attach(&messages);
        let (decoding, rest) = (decoding.as_secs_f64() * 1e3, rest.as_secs_f64() * 1e3);
        println!(
            "{tasks:>9} {:>6.1} MB {decoding:>9.0} ms {rest:>11.0} ms {:>7.0} ms",
            bytes as f64 / 1e6,
            decoding + rest
        );
    }

    println!("\nOne core of CPU, updates and frames together, {TICKS} updates a second, 120x40");
    println!("An update, its frame and each pass over all tasks that is due (here in one go) take, at p50 and p99");
    println!(
        "{:>9} {:>9} {:>14} {:>9} {:>9} {:>9} {:>10} {:>10}",
        "tasks", "polled/s", "first paint", "screen", "CPU", "frozen", "p50", "p99"
    );
    let mut frozen_in = Vec::new();
    for (tasks, active) in [(1_000, 1_000), (10_000, 10_000), (100_000, 100_000), (1_000_000, 100_000)] {
        let start = Instant::now();
        let mut bench = Bench::new(tasks, (120, 40));
        bench.paint();
        let first = start.elapsed();
        for (screen, keys) in [("overview", "1"), ("tasks", "2"), ("flat", "v")] {
            bench.keys(keys);
            let seconds = if tasks > 100_000 { 12 } else { 20 };
            let run = |bench: &mut Bench| -> (f64, Vec<Duration>) {
                let spent: Vec<Duration> = (0..seconds * TICKS).map(|_| bench.next(active)).collect();
                (spent.iter().sum::<Duration>().as_secs_f64() / seconds as f64 * 100.0, spent)
            };
            let (live, mut frames) = run(&mut bench);
            bench.keys(" ");
            let thaw = bench.next(active);
            let (frozen, _) = run(&mut bench);
            bench.keys(" ");
            if screen == "overview" {
                frozen_in.push((tasks, thaw));
            }
            let first =
                if screen == "overview" { format!("{:.0} ms", first.as_secs_f64() * 1e3) } else { String::new() };
            let (half, most) = (quantile(&mut frames, 0.5), quantile(&mut frames, 0.99));
            println!(
                "{tasks:>9} {active:>9} {first:>14} {screen:>9} {live:>8.2}% {frozen:>8.2}% {:>7.2} ms {:>7.2} ms",
                half.as_secs_f64() * 1e3,
                most.as_secs_f64() * 1e3
            );
        }
    }

    println!("\nThe first update after the view was frozen, which parts what is shown from what goes on");
    for (tasks, took) in frozen_in {
        println!("{tasks:>9} {:>7.1} ms", took.as_secs_f64() * 1e3);
    }

    println!(
        "\nFrom a key to the bytes of the frame, 120x40; the longest turn after it for which a key would wait; the longest \
         time until also what takes a look at all tasks is there"
    );
    println!("{:>9} {:>28} {:>10} {:>10} {:>10} {:>10}", "tasks", "keys", "median", "worst", "turn", "all there");
    for tasks in [10_000, 1_000_000] {
        let mut bench = Bench::new(tasks, (120, 40));
        bench.paint();
        for (what, to, keys) in [
            ("down, overview", "1", "jk"),
            ("down, tasks by site", "2", "jk"),
            ("screens 2 3 4 5 6", "1", "23456"),
            ("down, tasks one by one", "2v", "jk"),
            ("last, first one by one", "2", "Gg"),
        ] {
            bench.keys(to);
            let (mut times, mut longest, mut whole) = (Vec::new(), Duration::ZERO, Duration::ZERO);
            for key in keys.chars().cycle().take(40) {
                bench.clock += Duration::from_millis(30);
                let (painted, turn, all) = bench.press(KeyCode::Char(key));
                times.push(painted);
                longest = longest.max(turn);
                whole = whole.max(all);
            }
            let (median, worst) = (quantile(&mut times, 0.5), quantile(&mut times, 1.0));
            println!(
                "{tasks:>9} {what:>28} {:>7.2} ms {:>7.2} ms {:>7.2} ms {:>7.1} ms",
                median.as_secs_f64() * 1e3,
                worst.as_secs_f64() * 1e3,
                longest.as_secs_f64() * 1e3,
                whole.as_secs_f64() * 1e3
            );
        }
    }

    println!("\nBytes for each frame that data changes, 10k tasks that are polled once a second");
    println!("{:>9} {:>10} {:>10} {:>10}", "size", "screen", "first", "mean");
    for size in [(80, 24), (120, 40), (200, 60)] {
        for (screen, keys) in [("overview", "1"), ("tasks", "2"), ("flat", "2v"), ("workers", "5"), ("timeline", "7")] {
            let mut bench = Bench::new(10_000, size);
            let first = bench.paint();
            bench.keys(keys);
            let before = bench.wire.0.get();
            let frames = 100;
            for _ in 0..frames {
                bench.next(10_000);
            }
            let mean = (bench.wire.0.get() - before) / frames;
            println!("{:>9} {screen:>10} {first:>8} B {mean:>8} B", format!("{}x{}", size.0, size.1));
        }
    }
}
