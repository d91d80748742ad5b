//! What a thread that does not come back is doing, told by the functions on its stack.
use super::{Cause, Frame, symbols::task_poll};
use crate::recorder::cpu_wait::ThreadState;

/// Functions by which a cause is known, the more telling first.
const SIGNS: &[(Cause, &[&str])] = &[
    (Cause::Dns, &["getaddrinfo", "gethostbyname", "lookup_host", "to_socket_addrs"]),
    (Cause::BlockOn, &["::block_on", "futures_executor::local_pool::run_executor", "runtime::park::CachedParkThread"]),
    (Cause::Sleep, &["std::thread::sleep", "thread::functions::sleep", "clock_nanosleep", "nanosleep"]),
    (
        Cause::Lock,
        &[
            "lock_contended",
            "Mutex<T>::lock",
            "mutex::Mutex<",
            "RwLock<",
            "rwlock::futex",
            "read_contended",
            "write_contended",
            "parking_lot::raw_mutex",
            "parking_lot::raw_rwlock",
            "parking_lot_core::parking_lot::park",
            "condvar",
            "Condvar",
            "__lll_lock_wait",
            "pthread_mutex_lock",
        ],
    ),
    (Cause::File, &["std::fs::", "std::sys::fs", "fsync", "fdatasync", "__open64", "pread64", "pwrite64"]),
    (
        Cause::Wait,
        &[
            "std::sync::mpsc",
            "std::sync::mpmc",
            "crossbeam_channel",
            "std::net::",
            "JoinHandle<T>::join",
            "JoinInner",
            "std::process::",
            "std::thread::park",
            "__libc_recv",
            "__poll",
            "epoll_wait",
        ],
    ),
];

/// The cause that one look at the stack tells.
pub(super) fn of(frames: &[Frame], state: ThreadState) -> Cause {
    let inside = &frames[..task_poll(frames)];
    // A nested `block_on` parks, so it is looked for through the whole poll; the others where the thread is.
    let found = SIGNS.iter().find(|(cause, signs)| {
        let depth = if *cause == Cause::BlockOn { inside.len() } else { inside.len().min(16) };
        inside[..depth].iter().any(|frame| signs.iter().any(|sign| frame.function.contains(sign)))
    });
    match (found, state) {
        // A thread that runs is in none of them for long, but in `block_on` and in the kernel's part of file I/O.
        (Some((cause @ (Cause::BlockOn | Cause::File | Cause::Dns), _)), _) => *cause,
        (_, ThreadState::Runs) => Cause::Cpu,
        // No function of the app's is what it waits for.
        (_, ThreadState::Pages) => Cause::Unknown,
        (Some((cause, _)), _) => *cause,
        // Of a stripped program, nothing but the system's own functions has a name: what it waits for is not known.
        (None, ThreadState::Waits) if inside.iter().any(|frame| frame.function.contains("::")) => Cause::Wait,
        (None, ThreadState::Waits | ThreadState::Unknown) => Cause::Unknown,
    }
}

/// What most looks at one poll say, the newest where there is a tie.
pub(super) fn agreed(causes: &[Cause]) -> Cause {
    let votes = |cause: Cause| causes.iter().filter(|&&other| other == cause).count();
    causes.iter().copied().max_by_key(|&cause| votes(cause)).unwrap_or(Cause::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(functions: &[&str]) -> Vec<Frame> {
        functions
            .iter()
            .map(|function| Frame {
                function: (*function).to_owned(),
                file: String::new(),
                line: 0,
                column: 0,
                user: false,
                body: false,
            })
            .collect()
    }

    #[test]
    fn a_sleep_a_lock_and_a_nested_block_on_are_told_apart() {
        let waits = ThreadState::Waits;
        assert_eq!(of(&stack(&["clock_nanosleep", "std::thread::sleep", "shop::checkout"]), waits), Cause::Sleep);
        let lock = stack(&["syscall", "std::sys::sync::mutex::futex::Mutex::lock_contended", "shop::checkout"]);
        assert_eq!(of(&lock, waits), Cause::Lock);
        let block_on = stack(&["syscall", "std::thread::park", "tokio::runtime::Handle::block_on", "shop::checkout"]);
        assert_eq!(of(&block_on, waits), Cause::BlockOn);
    }

    #[test]
    fn a_thread_that_runs_computes() {
        assert_eq!(of(&stack(&["shop::hash", "shop::checkout"]), ThreadState::Runs), Cause::Cpu);
        assert_eq!(agreed(&[Cause::Cpu, Cause::Unknown, Cause::Cpu]), Cause::Cpu);
    }

    #[test]
    fn what_a_stripped_program_waits_for_is_not_known() {
        let waits = ThreadState::Waits;
        assert_eq!(of(&stack(&["syscall"]), waits), Cause::Unknown);
        assert_eq!(of(&stack(&["syscall", "shop::checkout"]), waits), Cause::Wait);
        assert_eq!(of(&stack(&["clock_nanosleep"]), waits), Cause::Sleep);
    }

    #[test]
    fn the_worker_below_the_poll_is_not_the_cause() {
        let frames =
            stack(&["shop::hash", "async_inspect_probe::recorder::poll::Tracked<F>::poll", "tokio::Runtime::block_on"]);
        assert_eq!(of(&frames, ThreadState::Runs), Cause::Cpu);
    }
}
