//! What the machine is, and what others do with it meanwhile.
use std::{
    fs,
    thread::{available_parallelism, sleep},
    time::{Duration, Instant},
};

/// Says what the figures were measured on.
pub(crate) fn describe() {
    let cores = available_parallelism().map_or(0, usize::from);
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let model = model.trim_start_matches([' ', '\t', ':']);
    println!("{} on {cores} cores of {model}", std::env::consts::OS);
}

/// Jiffies of the whole machine so far: busy with anything, and all; `None` where the system does not say.
fn jiffies() -> Option<(u64, u64)> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    // user nice system idle iowait irq softirq steal
    let fields: Vec<u64> =
        stat.lines().next()?.split_whitespace().skip(1).take(8).map_while(|n| n.parse().ok()).collect();
    let all: u64 = fields.iter().sum();
    Some((all - fields.get(3)? - fields.get(4)?, all))
}

/// Jiffies of this process and of the children that ended.
fn own_jiffies() -> Option<u64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    // utime stime cutime cstime are the fields 14 to 17 of all, of which two came before the bracket.
    Some(fields.split_whitespace().skip(11).take(4).filter_map(|n| n.parse::<u64>().ok()).sum())
}

/// How much of the CPU was used by others.
pub(crate) struct Busy {
    start: Option<(u64, u64, u64)>,
}

impl Busy {
    pub(crate) fn start() -> Self {
        Self { start: Self::now() }
    }

    fn now() -> Option<(u64, u64, u64)> {
        let (busy, all) = jiffies()?;
        Some((busy, all, own_jiffies()?))
    }

    /// Says so.
    pub(crate) fn say(&self) {
        let (Some((busy, all, own)), Some((busy_now, all_now, own_now))) = (self.start, Self::now()) else { return };
        let others = (busy_now - busy).saturating_sub(own_now - own);
        let percent = others as f64 * 100.0 / (all_now - all).max(1) as f64;
        println!(
            "Others used {percent:.0} % of the CPU meanwhile{}.",
            if percent < 5.0 { "" } else { ": trust the ratios, not the times" }
        );
    }
}

/// Waits until nobody else uses the CPU.
pub(crate) struct Patience(Duration);

impl Patience {
    pub(crate) fn new(seconds: f64) -> Self {
        Self(Duration::from_secs_f64(seconds))
    }

    /// Waits for a fifth of a second in which the machine is nearly idle, as long as patience lasts.
    pub(crate) fn wait(&mut self) {
        while !self.0.is_zero() {
            let (began, before) = (Instant::now(), jiffies());
            sleep(Duration::from_millis(200));
            let (Some(before), Some(now)) = (before, jiffies()) else { return };
            if (now.0 - before.0) * 10 <= now.1 - before.1 {
                return;
            }
            self.0 = self.0.saturating_sub(began.elapsed());
        }
    }
}
