//! What a process has taken so far, as the system tells it; zeros where it does not.
use std::fs;

/// Of one process.
#[derive(Clone, Copy, Default)]
pub(crate) struct Usage {
    /// CPU time of all its threads, in seconds.
    pub(crate) cpu: f64,
    /// Memory now, in MiB.
    pub(crate) rss_mib: f64,
}

/// Of the process with that id.
pub(crate) fn of(pid: u32) -> Usage {
    let cpu_ns: u64 = fs::read_dir(format!("/proc/{pid}/task")).map_or(0, |threads| {
        let of_thread = |thread: fs::DirEntry| {
            fs::read_to_string(thread.path().join("schedstat")).ok()?.split_whitespace().next()?.parse::<u64>().ok()
        };
        threads.flatten().filter_map(of_thread).sum()
    });
    Usage { cpu: cpu_ns as f64 / 1e9, rss_mib: mib(pid, "status", "VmRSS:") }
}

/// The memory of the process with that id by a walk over all of its pages: what the system keeps as a sum may be some hundred
/// kilobytes behind, on each CPU.
pub(crate) fn exact_rss_mib(pid: u32) -> f64 {
    mib(pid, "smaps_rollup", "Rss:")
}

fn mib(pid: u32, file: &str, line_of: &str) -> f64 {
    let told = fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let line = told.lines().find_map(|line| line.strip_prefix(line_of));
    let kib: f64 = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0.0);
    kib / 1024.0
}
