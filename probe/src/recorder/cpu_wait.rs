//! How long a thread was ready to run and had no CPU. A poll that a full machine or a cgroup's quota holds up takes long
//! and blocks its worker, and no line of the app is to blame for it: that time is told apart.
//!
//! Linux tells it, where its kernel keeps scheduler statistics, as every distribution's does; elsewhere the time is 0.
#[cfg(target_os = "linux")]
use std::{
    fs::File,
    io::{Cursor, Read, Write},
};

/// Of the calling thread, since it started, in nanoseconds. Costs a few microseconds, and allocates nothing.
pub(crate) fn of_this_thread() -> u64 {
    #[cfg(target_os = "linux")]
    return read("/proc/thread-self/schedstat").unwrap_or(0);
    #[cfg(not(target_os = "linux"))]
    0
}

/// Of a thread of this process, by the system's id.
pub(crate) fn of_thread(tid: i32) -> u64 {
    #[cfg(target_os = "linux")]
    {
        let mut path = Cursor::new([0; 48]);
        if tid == 0 || write!(path, "/proc/self/task/{tid}/schedstat").is_err() {
            return 0;
        }
        let end = path.position() as usize;
        std::str::from_utf8(&path.get_ref()[..end]).ok().and_then(read).unwrap_or(0)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = tid;
        0
    }
}

/// The second figure of a `schedstat`: time on the CPU, time waited for it, turns.
#[cfg(target_os = "linux")]
fn read(path: &str) -> Option<u64> {
    let mut text = [0; 80];
    let read = File::open(path).ok()?.read(&mut text).ok()?;
    std::str::from_utf8(&text[..read]).ok()?.split_ascii_whitespace().nth(1)?.parse().ok()
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
        let others: Vec<_> =
            (0..crowd).map(|_| std::thread::spawn(|| compute(Duration::from_millis(400)))).collect();
        let before = of_this_thread();
        compute(Duration::from_millis(300));
        let waited = of_this_thread() - before;
        others.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(waited > 50_000_000, "{waited} ns");

        // SAFETY: it only returns a number.
        let tid = unsafe { libc::gettid() };
        assert!(of_thread(tid) >= before + waited);
        assert_eq!(of_thread(i32::MAX), 0);
    }
}
