//! The stock tokio-console on many tasks: on our probe, and on console-subscriber 0.5.
//!
//! `cargo bench -p async-inspect-cli --bench tokio_console [-- TASKS…]`. Each task is polled about once a second. The client
//! is the released one, in a real terminal; what is timed is what its user sees.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on fails")]

#[path = "../tests/common/address.rs"]
mod address;
#[path = "../../probe/benches/cost/apart.rs"]
mod apart;
#[path = "../tests/common/mod.rs"]
mod common;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use address::free_address;
use common::stock_console::{installed, tokio_console};
use common::terminal::{ASYNC_INSPECT, Terminal};

/// How long the client may take to show something.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long both are watched after that.
const WINDOW: Duration = Duration::from_secs(10);
/// For the tasks to be spawned.
const START: Duration = Duration::from_secs(8);

/// A process that is watched; killed when dropped.
struct App(Child);

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl App {
    fn start(mut command: Command) -> Self {
        let app = Self(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap());
        thread::sleep(START);
        app
    }

    fn on_the_probe(tasks: usize, address: &str) -> Self {
        let mut command = Command::new(ASYNC_INSPECT);
        command.args(["zoo-program", &format!("crowd:{tasks}")]).env("ASYNC_INSPECT", address);
        Self::start(command)
    }

    fn on_console_subscriber(program: &Path, tasks: usize, address: &str) -> Self {
        let mut command = Command::new(program);
        command.args(["crowd", &tasks.to_string(), address]);
        Self::start(command)
    }
}

/// CPU seconds that a process took so far.
fn cpu(pid: u32) -> f64 {
    let of_thread = |thread: fs::DirEntry| {
        let schedstat = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        schedstat.split_whitespace().next()?.parse::<u64>().ok()
    };
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    threads.flatten().filter_map(of_thread).sum::<u64>() as f64 / 1e9
}

/// A figure of a process's status, in MiB.
fn mib(pid: u32, name: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let kib = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    kib.and_then(|kib| kib.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

/// Seconds until the screen is as wanted, counted from `began`; what to print.
fn seconds_until(terminal: &Terminal, began: Instant, wanted: impl Fn(&str) -> bool) -> String {
    while began.elapsed() < PATIENCE {
        if wanted(&terminal.text()) {
            return format!("{:.1}", began.elapsed().as_secs_f64());
        }
        thread::sleep(Duration::from_millis(10));
    }
    format!("> {}", PATIENCE.as_secs())
}

fn measure(what: &str, tasks: usize, address: &str, app: &App) {
    let alone = (cpu(app.0.id()), Instant::now());
    thread::sleep(Duration::from_secs(3));
    let alone = 100.0 * (cpu(app.0.id()) - alone.0) / alone.1.elapsed().as_secs_f64();
    let resident = mib(app.0.id(), "VmRSS");

    let began = Instant::now();
    let console = tokio_console(address, 120, 40);
    let shown = |screen: &str| -> Option<usize> {
        let (_, title) = screen.split_once("Tasks (")?;
        title.split_once(')')?.0.parse().ok()
    };
    let at_least = |least: usize| move |screen: &str| shown(screen).is_some_and(|shown| shown >= least);
    let first = seconds_until(&console, began, at_least(2));
    let all = seconds_until(&console, began, at_least(tasks));

    let pids = [app.0.id(), console.pid()];
    let (before, began) = (pids.map(cpu), Instant::now());
    thread::sleep(WINDOW);
    let took = began.elapsed().as_secs_f64();
    let [app_cpu, client_cpu] = std::array::from_fn(|i| 100.0 * (cpu(pids[i]) - before[i]) / took);
    println!(
        "{what:<20} {tasks:>7} {first:>9} {all:>9} {:>9} {resident:>8.0} {:>8.0} {alone:>7.0} {app_cpu:>7.0} {client_cpu:>9.0}",
        shown(&console.text()).unwrap_or(0),
        mib(pids[0], "VmHWM"),
    );
}

fn main() {
    let asked: Vec<usize> = std::env::args().skip(1).filter_map(|arg| arg.parse().ok()).collect();
    let sizes = if asked.is_empty() { vec![10_000, 100_000] } else { asked };
    let subscriber = apart::build("console").unwrap();
    // Here, or the first that is measured would have it in its time.
    installed();
    println!(
        "tokio-console 0.1.14; s to the first row and to all, tasks shown in the end, app's RSS before and at most in"
    );
    println!("MiB, CPU of the app alone, of the app and of the client while it is attached, in % of a core\n");
    println!(
        "{:<20} {:>7} {:>9} {:>9} {:>9} {:>8} {:>8} {:>7} {:>7} {:>9}",
        "watched by", "tasks", "first, s", "all, s", "shown", "RSS", "peak", "alone", "app", "client"
    );
    for tasks in sizes {
        let address = free_address().to_string();
        measure("our probe", tasks, &address, &App::on_the_probe(tasks, &address));
        let address = free_address().to_string();
        measure("console-subscriber", tasks, &address, &App::on_console_subscriber(&subscriber, tasks, &address));
    }
}
