//! Pages of memory that a thread had to wait for, since they were on disk. A poll that this happens to takes long, and what
//! the machine has too little of is to blame, memory or a disk's time, rather than a line of the app.
//!
//! A page of a file that the app has mapped itself is none of the machine's doing, and is not told from others: such a poll is
//! not accused either.
//!
//! Linux tells it of each thread; elsewhere nothing is known, and the counts are 0.
#[cfg(target_os = "linux")]
use std::{fs, mem::MaybeUninit};

/// Of the calling thread, since it started. One system call.
pub(crate) fn of_this_thread() -> u64 {
    #[cfg(target_os = "linux")]
    return count(libc::RUSAGE_THREAD);
    #[cfg(not(target_os = "linux"))]
    0
}

/// Of all threads there ever were. One system call.
pub(crate) fn of_process() -> u64 {
    #[cfg(target_os = "linux")]
    return count(libc::RUSAGE_SELF);
    #[cfg(not(target_os = "linux"))]
    0
}

/// Of a thread of this process, by the system's id. Slow: reads a file.
pub(crate) fn of_thread(tid: i32) -> u64 {
    #[cfg(target_os = "linux")]
    {
        let stat = fs::read_to_string(format!("/proc/self/task/{tid}/stat"));
        stat.ok().and_then(|stat| major_faults(&stat)).unwrap_or(0)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = tid;
        0
    }
}

/// Whether a thread of this process that waits does so for a page: it is in no system call then.
pub(crate) fn is_waited_for(tid: i32) -> bool {
    #[cfg(target_os = "linux")]
    return fs::read_to_string(format!("/proc/self/task/{tid}/syscall")).is_ok_and(|call| call.starts_with("-1 "));
    #[cfg(not(target_os = "linux"))]
    {
        let _ = tid;
        false
    }
}

#[cfg(target_os = "linux")]
fn count(of: libc::c_int) -> u64 {
    let mut usage = MaybeUninit::<libc::rusage>::uninit();
    // SAFETY: it writes no more than that struct, and all of it where it returns 0.
    let usage = unsafe { (libc::getrusage(of, usage.as_mut_ptr()) == 0).then(|| usage.assume_init()) };
    usage.and_then(|usage| u64::try_from(usage.ru_majflt).ok()).unwrap_or(0)
}

/// Of a `stat`: the tenth figure behind the name, which is in parentheses and may hold anything.
#[cfg(target_os = "linux")]
fn major_faults(stat: &str) -> Option<u64> {
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(9)?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
pub(crate) mod tests;
