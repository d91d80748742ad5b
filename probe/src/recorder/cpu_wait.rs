//! How long a thread was ready to run and had no CPU. A poll that a full machine or a cgroup's quota holds up takes long
//! and blocks its worker, and no line of the app is to blame for it: that time is told apart.
//!
//! Linux tells it, where its kernel keeps scheduler statistics, as every distribution's does; elsewhere the time is 0.
#[cfg(target_os = "linux")]
use std::{
    fs::File,
    io::{Cursor, Read, Write},
};

use super::paging;

/// What the scheduler has given to a thread since it started, in nanoseconds; zeros where the system does not tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CpuTime {
    /// On a CPU.
    pub(crate) ran: u64,
    /// Ready, and waiting for one. A wait that goes on counts when it ends.
    pub(crate) waited: u64,
    /// Pages of memory that it had to wait for, as [`paging`] says; not looked at for other threads.
    pub(crate) paged: u64,
}

/// What is told of a thread, in nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CpuShown {
    /// Time on a CPU since it started.
    pub(crate) ran: u64,
    /// Time for which it was ready to run and had none, since it started.
    pub(crate) waited: u64,
    /// Of that, in the poll in progress.
    pub(crate) waited_in_poll: u64,
}

/// Of the calling thread. Costs a few microseconds, and allocates nothing.
pub(crate) fn of_this_thread() -> CpuTime {
    #[cfg(target_os = "linux")]
    return CpuTime { paged: paging::of_this_thread(), ..read("/proc/thread-self/schedstat").unwrap_or_default() };
    #[cfg(not(target_os = "linux"))]
    CpuTime::default()
}

/// Of a thread of this process, by the system's id.
pub(crate) fn of_thread(tid: i32) -> CpuTime {
    #[cfg(target_os = "linux")]
    {
        let mut path = Cursor::new([0; 48]);
        if tid == 0 || write!(path, "/proc/self/task/{tid}/schedstat").is_err() {
            return CpuTime::default();
        }
        let end = path.position() as usize;
        std::str::from_utf8(&path.get_ref()[..end]).ok().and_then(read).unwrap_or_default()
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = tid;
        CpuTime::default()
    }
}

/// Whether the system says that a thread runs, or waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ThreadState {
    /// Runs, or waits for nothing but a CPU.
    Runs,
    /// Waits for a page of memory.
    Pages,
    Waits,
    Unknown,
}

/// What a thread of this process does now.
pub(crate) fn thread_state(tid: i32) -> ThreadState {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/self/task/{tid}/stat")) else { return ThreadState::Unknown };
    // The name in parentheses may hold anything.
    match stat.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next()) {
        Some('R') => ThreadState::Runs,
        Some('S' | 'D') if paging::is_waited_for(tid) => ThreadState::Pages,
        Some('S' | 'D') => ThreadState::Waits,
        _ => ThreadState::Unknown,
    }
}

/// A `schedstat`: time on the CPU, time waited for it, turns.
#[cfg(target_os = "linux")]
fn read(path: &str) -> Option<CpuTime> {
    let mut text = [0; 80];
    let read = File::open(path).ok()?.read(&mut text).ok()?;
    let mut figures = std::str::from_utf8(&text[..read]).ok()?.split_ascii_whitespace().map(str::parse);
    Some(CpuTime { ran: figures.next()?.ok()?, waited: figures.next()?.ok()?, paged: 0 })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn compute(span: Duration) {
        let until = Instant::now() + span;
        while Instant::now() < until {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn a_thread_waits_for_a_cpu_while_others_have_them_all() {
        if read("/proc/thread-self/schedstat").is_none() {
            eprintln!("this kernel keeps no scheduler statistics");
            return;
        }
        let crowd = std::thread::available_parallelism().map_or(8, usize::from) * 3;
        let others: Vec<_> = (0..crowd).map(|_| std::thread::spawn(|| compute(Duration::from_millis(400)))).collect();
        let before = of_this_thread().waited;
        compute(Duration::from_millis(300));
        let waited = of_this_thread().waited - before;
        for thread in others {
            thread.join().unwrap();
        }
        assert!(waited > 50_000_000, "{waited} ns");

        // SAFETY: it only returns a number.
        let tid = unsafe { libc::gettid() };
        assert!(of_thread(tid).waited >= before + waited);
        assert!(of_thread(tid).ran > 0 && thread_state(tid) == ThreadState::Runs);
        assert_eq!(of_thread(i32::MAX), CpuTime::default());
        assert_eq!(thread_state(i32::MAX), ThreadState::Unknown);
    }
}
