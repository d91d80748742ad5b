//! What the dashboard takes on a live target: the real program, in a real terminal, on a service of many tasks.
//!
//! `cargo bench -p async-inspect-cli --bench live [-- TASKS/POLLED/THINGS…]`: so many tasks, of which so many are polled about
//! once a second, so many of these with a lock and a channel that they use each time. All is measured from outside: CPU as
//! the system counts it, frames and bytes as the terminal gets them, and keys from their press until what they lead to is on
//! the screen. But how long a frame was in the making, and a turn in which data was taken in, the program says when it is left.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on fails")]

#[path = "../tests/common/mod.rs"]
mod common;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use async_inspect_cli::text::count;
use common::terminal::{ASYNC_INSPECT, Terminal};

/// Columns and rows.
const SIZE: (u16, u16) = (160, 50);
/// How long each screen is looked at.
const WINDOW: Duration = Duration::from_secs(4);
/// Keys that are timed, of each kind.
const KEYS: usize = 100;
/// How long something on the screen may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// MiB that the probe may take for its records: a million tasks do not fit into what it takes by itself.
const MEMORY: u64 = 1024;

/// The service; killed when dropped.
struct Service {
    process: Child,
    address: SocketAddr,
}

impl Service {
    /// Started, and done with spawning them all.
    fn start(tasks: usize, polled: usize, things: usize) -> Self {
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let process = Command::new(ASYNC_INSPECT)
            .args(["zoo-program", &format!("crowd:{tasks}/{polled}/{things}")])
            .env("ASYNC_INSPECT", address.to_string())
            .env("ASYNC_INSPECT_MEMORY", MEMORY.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let service = Self { process, address };
        while TcpStream::connect(address).is_err() {
            thread::sleep(Duration::from_millis(10));
        }
        // A second in which it takes no more than half of a core.
        loop {
            let (before, second) = (cpu(service.process.id(), ""), Duration::from_secs(1));
            thread::sleep(second);
            if cpu(service.process.id(), "") - before < 0.5 {
                return service;
            }
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// CPU seconds that the threads of a process took so far whose name begins so.
fn cpu(pid: u32, name: &str) -> f64 {
    let of_thread = |thread: fs::DirEntry| {
        let read = |file: &str| fs::read_to_string(thread.path().join(file)).ok();
        if !read("comm")?.starts_with(name) {
            return None;
        }
        read("schedstat")?.split_whitespace().next()?.parse::<u64>().ok()
    };
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    threads.flatten().filter_map(of_thread).sum::<u64>() as f64 / 1e9
}

/// Memory of a process now, in MiB.
fn rss(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    kib.and_then(|kib| kib.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

/// One dashboard on one service.
struct Bench {
    service: Service,
    terminal: Terminal,
}

impl Bench {
    fn see(&self, what: &str, wanted: impl Fn(&str) -> bool) {
        self.terminal.wait_within(PATIENCE, what, wanted);
    }

    /// Looks at what is on the screen for a while, and prints a row.
    fn window(&self, screen: &str) {
        let (inspector, service) = (self.terminal.pid(), self.service.process.id());
        let taken = || {
            let frames = self.terminal.count(b"\x1b[?2026h") as f64;
            [cpu(inspector, ""), cpu(service, "async-inspect"), frames, self.terminal.written() as f64]
        };
        // What the key led to is over.
        thread::sleep(Duration::from_millis(1500));
        let (before, began) = (taken(), Instant::now());
        thread::sleep(WINDOW);
        let (after, seconds) = (taken(), began.elapsed().as_secs_f64());
        let [inspector_cpu, probe, frames, bytes] = std::array::from_fn(|n| after[n] - before[n]);
        let each = if frames > 0.0 { format!("{:.0}", bytes / frames) } else { "-".to_owned() };
        println!(
            "{screen:>22} {:>12.1} {:>9.1} {:>9.1} {each:>13} {:>9.0}",
            100.0 * inspector_cpu / seconds,
            100.0 * probe / seconds,
            frames / seconds,
            rss(inspector)
        );
    }

    /// Times keys, each from its press until `there` says that what it leads to is on the screen; prints a row.
    fn keys(&mut self, what: &str, key: impl Fn(usize) -> &'static str, there: impl Fn(usize, &str) -> bool) {
        let mut times: Vec<Duration> = Vec::new();
        for n in 0..KEYS {
            // At any moment between two updates.
            thread::sleep(Duration::from_millis(40 + n as u64 * 61 % 100));
            let began = Instant::now();
            self.terminal.send(key(n));
            self.see(what, |screen| there(n, screen));
            times.push(began.elapsed());
        }
        times.sort_unstable();
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        println!("{what:>22} {:>9.1} {:>9.1}", ms(times[KEYS / 2]), ms(times[KEYS * 99 / 100 - 1]));
    }
}

fn measure([tasks, polled, things]: [usize; 3]) {
    let service = Service::start(tasks, polled, things);
    let began = Instant::now();
    let (args, env) = (["connect", &service.address.to_string()], [("ASYNC_INSPECT_TIMINGS", "1")]);
    let terminal = Terminal::start_with(ASYNC_INSPECT, &args, &env, SIZE.0, SIZE.1);
    let mut bench = Bench { service, terminal };
    bench.see("the service", |screen| screen.contains(" pid "));
    let first = began.elapsed().as_secs_f64();
    // All of the first picture, which the first line then tells; the `block_on` is one more.
    let all = count(tasks as u64 + 1);
    let counted = |line: &str| line.starts_with(" tasks ") && line.contains(&format!(" {all} "));
    bench.see(&all, |screen| screen.lines().any(counted) && screen.contains(" probe "));
    println!(
        "\n{tasks} tasks, of which {polled} are polled once a second, {things} locks and channels; from attach to first paint {first:.2} s, with all of \
         them on it {:.2} s",
        began.elapsed().as_secs_f64()
    );
    // What comes of the first snapshot is over, and rates are known.
    thread::sleep(Duration::from_secs(4));
    println!(
        "{:>22} {:>12} {:>9} {:>9} {:>13} {:>9}",
        "screen", "inspector, %", "probe, %", "frames/s", "bytes a frame", "RSS, MiB"
    );
    bench.window("overview");
    bench.terminal.send(" ");
    bench.see("a frozen view", |screen| screen.contains("FROZEN"));
    bench.window("overview, frozen");
    bench.terminal.send(" 2");
    bench.see("tasks", |screen| screen.contains("spawn sites"));
    bench.window("tasks by spawn site");
    bench.terminal.send("v");
    bench.see("tasks", |screen| screen.contains("row 1") && !screen.contains("spawn sites"));
    bench.window("tasks one by one");

    println!("{:>22} {:>9} {:>9}", "key to paint", "p50, ms", "p99, ms");
    bench.keys("down, one by one", |_| "j", |n, screen| screen.contains(&format!("row {} ", n + 2)));
    let to = |n: usize| if n.is_multiple_of(2) { ("1", "── last ") } else { ("2", "SPAWNED AT") };
    bench.keys("screens 1 and 2", |n| to(n).0, |n, screen| screen.contains(to(n).1));
    bench.terminal.send("q");
    bench.terminal.wait_exit();
    let left = bench.terminal.text();
    for said in ["frames: ", "turns: "] {
        println!(
            "{}",
            left.lines().find(|line| line.starts_with(said)).unwrap_or_else(|| panic!("no {said}in {left}"))
        );
    }
}

fn main() {
    let of = |arg: String| {
        let mut numbers = arg.split('/').map(|number| number.parse().ok());
        let mut next = |otherwise| numbers.next().unwrap_or(otherwise);
        Some([next(None)?, next(None)?, next(Some(0))?])
    };
    let asked: Vec<_> = std::env::args().skip(1).filter_map(of).collect();
    let usual = vec![[10_000, 0, 0], [10_000, 10_000, 1000], [1_000_000, 100_000, 10_000]];
    println!("% of a core, in a terminal of {}x{}; inspector and service share this machine", SIZE.0, SIZE.1);
    for size in if asked.is_empty() { usual } else { asked } {
        measure(size);
    }
}
