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
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let rss_kib: f64 = rss.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0.0);
    Usage { cpu: cpu_ns as f64 / 1e9, rss_mib: rss_kib / 1024.0 }
}
