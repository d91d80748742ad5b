//! Threads of the probe's own, on which nothing is looked at.
use std::cell::Cell;

thread_local! {
    static IS_OWN: Cell<bool> = const { Cell::new(false) };
}

/// This thread is one.
pub(crate) fn begin() {
    IS_OWN.set(true);
    leave_the_starters_cpus();
}

/// Whether this thread is one.
pub(crate) fn is() -> bool {
    IS_OWN.get()
}

/// A thread begins with the CPUs of the one that started it. That may be a worker which is bound to one of them, and so in the
/// probe's way, and the probe in its; the process' first thread has what the operator gave to all of it.
#[cfg(target_os = "linux")]
fn leave_the_starters_cpus() {
    let size = size_of::<libc::cpu_set_t>();
    // SAFETY: a set of CPUs is an array of words, for which zero is valid.
    let mut cpus: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: both calls are given a set of that size; the first writes to it, the second reads it. A process' id is that of
    // its first thread, 0 is this one. Where the system refuses, the thread stays where it is.
    unsafe {
        if libc::sched_getaffinity(libc::getpid(), size, &raw mut cpus) == 0 {
            libc::sched_setaffinity(0, size, &raw const cpus);
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn leave_the_starters_cpus() {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{fs, thread};

    use super::*;

    /// What the system says of the CPUs that a thread may run on; `of` as in `/proc`.
    fn cpus(of: &str) -> String {
        let status = fs::read_to_string(format!("/proc/{of}/status")).expect("the thread runs");
        status.lines().find(|line| line.starts_with("Cpus_allowed_list")).expect("it is told").to_owned()
    }

    #[test]
    fn a_thread_that_a_bound_one_starts_runs_where_the_process_may() {
        let (bound, own) = thread::spawn(|| {
            // SAFETY: as above; the CPU that this runs on is one of the set.
            unsafe {
                let mut one: libc::cpu_set_t = std::mem::zeroed();
                libc::CPU_SET(libc::sched_getcpu() as usize, &mut one);
                assert_eq!(libc::sched_setaffinity(0, size_of_val(&one), &raw const one), 0);
            }
            let own = thread::spawn(|| {
                begin();
                cpus("thread-self")
            });
            (cpus("thread-self"), own.join().unwrap())
        })
        .join()
        .unwrap();
        assert_eq!(own, cpus("self"));
        assert!(bound != own || thread::available_parallelism().unwrap().get() == 1, "{bound}");
    }
}
