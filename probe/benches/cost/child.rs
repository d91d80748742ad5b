//! The measured side. Every figure comes from a process of its own, since a probe or a subscriber, once started, stays.
//!
//! What parent and child say to each other, a line each: the child `ready WHERE` (or `-`), the parent `go`, the child its
//! figures. The end of the child's stdin ends it.
use std::{
    fs,
    io::{self, BufRead, Read},
    net::{Ipv4Addr, TcpListener},
    process::exit,
};

/// Says that everything is set up, and waits until the parent says go.
pub(crate) fn ready(place: &str) {
    println!("ready {place}");
    let mut line = String::new();
    if !matches!(io::stdin().lock().read_line(&mut line), Ok(read) if read > 0) {
        exit(1);
    }
}

/// Measures `SCENARIO WORKERS OPERATIONS` with `measure` and prints `NANOSECONDS PEAK_RSS_KIB`.
pub(crate) fn operation(args: &[String], place: &str, measure: impl FnOnce(&str, usize, usize) -> f64) -> ! {
    let [scenario, workers, operations] = args else { panic!("SCENARIO WORKERS OPERATIONS, not {args:?}") };
    let (workers, operations) = (workers.parse().unwrap(), operations.parse().unwrap());
    ready(place);
    let ns = measured(|| measure(scenario, workers, operations));
    println!("{ns} {}", peak_rss_kib());
    exit(0);
}

/// Where counting instructions begins, hence a function of its own.
#[inline(never)]
fn measured(measure: impl FnOnce() -> f64) -> f64 {
    std::hint::black_box(measure())
}

/// Serves on a free port, which it says after `place`, until stdin ends; then prints `CPU_NANOSECONDS PEAK_RSS_KIB`.
pub(crate) fn service(place: &str, serve: impl FnOnce(TcpListener)) -> ! {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(|| {
        let _ = io::stdin().lock().read_to_end(&mut Vec::new());
        println!("{} {}", cpu_ns(), peak_rss_kib());
        exit(0);
    });
    println!("ready {place} {port}");
    serve(listener);
    unreachable!("the service ended");
}

/// CPU time that all threads of this process took so far, in nanoseconds; 0 where the system does not say.
pub(crate) fn cpu_ns() -> u64 {
    let of_thread = |thread: fs::DirEntry| {
        let schedstat = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        schedstat.split_whitespace().next()?.parse::<u64>().ok()
    };
    fs::read_dir("/proc/self/task").map_or(0, |threads| threads.flatten().filter_map(of_thread).sum())
}

/// The most memory that this process ever had, in KiB; 0 where the system does not say.
pub(crate) fn peak_rss_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// The mean of what is left without the least and the greatest.
pub(crate) fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = &values[1..values.len() - 1];
    middle.iter().sum::<f64>() / middle.len() as f64
}
