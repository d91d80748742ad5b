//! Interrupts a thread and copies what is needed to unwind it.
//!
//! The handler takes no lock and allocates nothing: it copies three registers and the used part of the stack into a buffer
//! that was there before, and marks the poll where it is asked to, for which it asks tokio for the task and its budget. Both
//! are loads and stores in thread-local memory that is there, since the thread polls. Signals that are not ours
//! go to the handler that was there before us.
use std::{
    cell::UnsafeCell,
    io,
    sync::{
        Mutex, PoisonError,
        atomic::{
            AtomicI32, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize,
            Ordering::{AcqRel, Acquire, Relaxed, Release},
        },
    },
    time::{Duration, Instant},
};

use super::{budget, raw::copy_stack};
use crate::recorder::peek;

/// Ignored by default and hardly used: its purpose, out-of-band data on sockets, is all but gone.
const SIGNAL: libc::c_int = libc::SIGURG;
/// Bytes of a stack that are copied at most; deeper callers are cut off.
const MAX_STACK: usize = 256 * 1024;
/// A thread that does not answer within this time has the signal blocked, or sits in the kernel.
const PATIENCE: Duration = Duration::from_millis(20);

/// Why stacks cannot be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unavailable {
    #[error("the signal handler for stacks could not be installed: {0}")]
    Handler(#[from] io::Error),
    #[error("stacks are switched off in this target")]
    SwitchedOff,
}

/// Registers and stack of a thread at one moment.
pub(super) struct Copy {
    pub(super) ip: u64,
    pub(super) sp: u64,
    pub(super) fp: u64,
    /// The link register, where there is one.
    #[cfg_attr(not(target_arch = "aarch64"), allow(dead_code, reason = "only there unwinding asks for it"))]
    pub(super) lr: u64,
    /// From `sp` upwards.
    pub(super) stack: Vec<u8>,
    /// The poll's budget, if it was asked for and the thread was in a poll.
    pub(super) marked: Option<Marked>,
}

/// What to do with the budget of the poll that the thread is in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// It is not looked at.
    No,
    Read,
    /// Lowered to a number made from this one.
    Lower(u32),
}

/// The budget of a poll, and the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marked {
    pub(super) task: u64,
    /// What was left of it, before and after it was lowered; the same if it was not.
    pub(super) before: u32,
    pub(super) after: u32,
}

const IDLE: u32 = 0;
const ASKED: u32 = 1;
const COPYING: u32 = 2;
const DONE: u32 = 3;
const OUTSIDE: u32 = 4;

/// A [`Mark`] as a number; any other is that of [`Mark::Lower`].
const NO_MARK: u64 = u64::MAX;
const READ: u64 = u64::MAX - 1;

/// The one request at a time, which only the probe's thread makes.
struct Request {
    state: AtomicU32,
    tid: AtomicI32,
    low: AtomicUsize,
    high: AtomicUsize,
    ip: AtomicU64,
    sp: AtomicU64,
    fp: AtomicU64,
    lr: AtomicU64,
    len: AtomicUsize,
    /// What to do with the budget: a [`Mark`].
    mark: AtomicU64,
    /// A [`Marked`], with nothing `after` where there is none.
    task: AtomicU64,
    before: AtomicU32,
    after: AtomicU32,
    stack: UnsafeCell<[u8; MAX_STACK]>,
}

// SAFETY: `stack` is written by the handler that moved `state` from `ASKED` to `COPYING`, and read by the asking thread
// after the handler moved it to `DONE`; there is one asker, and it asks again only after that.
unsafe impl Sync for Request {}

static REQUEST: Request = Request {
    state: AtomicU32::new(IDLE),
    tid: AtomicI32::new(0),
    low: AtomicUsize::new(0),
    high: AtomicUsize::new(0),
    ip: AtomicU64::new(0),
    sp: AtomicU64::new(0),
    fp: AtomicU64::new(0),
    lr: AtomicU64::new(0),
    len: AtomicUsize::new(0),
    mark: AtomicU64::new(NO_MARK),
    task: AtomicU64::new(0),
    before: AtomicU32::new(0),
    after: AtomicU32::new(0),
    stack: UnsafeCell::new([0; MAX_STACK]),
};

/// Threads whose signal had not come when the request was taken back: it comes later, and is no signal of the app's. 0 where
/// there is none.
static LATE: [AtomicI32; 8] = [const { AtomicI32::new(0) }; 8];

/// Whether the thread has such a signal coming; it has none from here on.
fn take_late(tid: i32) -> bool {
    LATE.iter().any(|late| late.compare_exchange(tid, 0, Relaxed, Relaxed).is_ok())
}

/// The thread has one coming. Two signals that wait for one thread are one.
fn comes_late(tid: i32) {
    take_late(tid);
    let free = LATE.iter().find(|late| late.load(Relaxed) == 0);
    // Where there are too many, the one that has been missing for longest may never come.
    free.unwrap_or(&LATE[tid.unsigned_abs() as usize % LATE.len()]).store(tid, Relaxed);
}

/// The handler that was there before, if there was one.
static BEFORE: AtomicPtr<libc::sigaction> = AtomicPtr::new(std::ptr::null_mut());

/// Installs the handler; one that is there already is called for signals that are not ours.
pub(super) fn install() -> Result<(), Unavailable> {
    // SAFETY: both structures are ours and zero is valid for them; the handler has the signature that SA_SIGINFO asks
    // for and does only what a handler may do. SA_RESTART keeps interrupted system calls going, SA_ONSTACK lets a thread
    // with an alternate stack use it.
    unsafe {
        let mut before: libc::sigaction = std::mem::zeroed();
        let mut ours: libc::sigaction = std::mem::zeroed();
        let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) = handler;
        ours.sa_sigaction = handler as usize;
        ours.sa_flags = libc::SA_RESTART | libc::SA_SIGINFO | libc::SA_ONSTACK;
        libc::sigemptyset(&raw mut ours.sa_mask);
        if libc::sigaction(SIGNAL, std::ptr::null(), &raw mut before) != 0 {
            return Err(io::Error::last_os_error().into());
        }
        // Ours may be there already, and must not call itself.
        if ![libc::SIG_DFL, libc::SIG_IGN, ours.sa_sigaction].contains(&before.sa_sigaction) {
            BEFORE.store(Box::into_raw(Box::new(before)), Release);
        }
        if libc::sigaction(SIGNAL, &raw const ours, std::ptr::null_mut()) != 0 {
            return Err(io::Error::last_os_error().into());
        }
    }
    Ok(())
}

/// Copies the registers and the stack of the thread `tid`, and marks its poll; `None` when it does not answer.
pub(super) fn copy(tid: i32, (low, high): (usize, usize), mark: Mark) -> Option<Copy> {
    // There is one watchdog, so this is never waited for; it makes the one request at a time a fact.
    static ASKER: Mutex<()> = Mutex::new(());
    let _asker = ASKER.lock().unwrap_or_else(PoisonError::into_inner);
    if tid == 0 || high == 0 || still_ours().is_none() {
        return None;
    }
    REQUEST.low.store(low, Relaxed);
    REQUEST.high.store(high, Relaxed);
    let mark = match mark {
        Mark::No => NO_MARK,
        Mark::Read => READ,
        Mark::Lower(seed) => u64::from(seed),
    };
    REQUEST.mark.store(mark, Relaxed);
    REQUEST.tid.store(tid, Relaxed);
    REQUEST.state.store(ASKED, Release);
    // SAFETY: a system call with plain numbers; a thread that ended meanwhile gives an error.
    let sent = unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), tid, SIGNAL) } == 0;
    let asked = Instant::now();
    loop {
        match REQUEST.state.load(Acquire) {
            DONE | OUTSIDE => break,
            ASKED if !sent || asked.elapsed() > PATIENCE => {
                // Noted before it is taken back, so that a signal that comes right after is known to be late.
                if sent {
                    comes_late(tid);
                }
                // Takes the request back, unless the handler has begun right now.
                if REQUEST.state.compare_exchange(ASKED, IDLE, AcqRel, Acquire).is_ok() {
                    return None;
                }
                take_late(tid);
            }
            _ => std::thread::sleep(Duration::from_micros(20)),
        }
    }
    let outside = REQUEST.state.swap(IDLE, AcqRel) == OUTSIDE;
    if outside {
        return None;
    }
    let len = REQUEST.len.load(Relaxed).min(MAX_STACK);
    // SAFETY: the handler is done with the buffer, and only this thread asks it to begin again.
    let stack = unsafe { std::slice::from_raw_parts(REQUEST.stack.get().cast::<u8>(), len) }.to_vec();
    Some(Copy {
        ip: REQUEST.ip.load(Relaxed),
        sp: REQUEST.sp.load(Relaxed),
        fp: REQUEST.fp.load(Relaxed),
        lr: REQUEST.lr.load(Relaxed),
        stack,
        marked: match REQUEST.after.load(Relaxed) {
            0 => None,
            after => {
                Some(Marked { task: REQUEST.task.load(Relaxed), before: REQUEST.before.load(Relaxed), after })
            }
        },
    })
}

/// The app may have taken the signal for itself since: then it is the app's.
fn still_ours() -> Option<()> {
    let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) = handler;
    // SAFETY: asks only; the structure is ours.
    let current = unsafe {
        let mut current: libc::sigaction = std::mem::zeroed();
        (libc::sigaction(SIGNAL, std::ptr::null(), &raw mut current) == 0).then_some(current)
    }?;
    (current.sa_sigaction == handler as usize).then_some(())
}

/// Bytes of a thread's stack in use, from the stack pointer up to the stack's end, at most `most`. `None` on a stack of its
/// own (a coroutine's, say): its end is not known, so it is not read.
pub(super) fn in_use(from: usize, (low, high): (usize, usize), most: usize) -> Option<usize> {
    (low..high).contains(&from).then(|| (high - from).min(most))
}

extern "C" fn handler(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: `errno` is this thread's own; saved and put back, since `gettid` or an earlier handler may change it.
    let errno = unsafe { *libc::__errno_location() };
    // SAFETY: no arguments, no effects.
    let tid = unsafe { libc::syscall(libc::SYS_gettid) } as i32;
    // SAFETY: the kernel gives a SA_SIGINFO handler a `siginfo_t`.
    let of_a_thread = unsafe { (*info).si_code == libc::SI_TKILL && (*info).si_pid() == libc::getpid() };
    let ours =
        REQUEST.tid.load(Relaxed) == tid && REQUEST.state.compare_exchange(ASKED, COPYING, AcqRel, Relaxed).is_ok();
    if ours {
        // SAFETY: the kernel gives a SA_SIGINFO handler a `ucontext_t`.
        let copied = unsafe { copy_into_request(&*context.cast::<libc::ucontext_t>()) };
        mark_in_request();
        // One that came late has come with this one.
        take_late(tid);
        REQUEST.state.store(if copied { DONE } else { OUTSIDE }, Release);
    } else if !(of_a_thread && take_late(tid)) {
        call_before(signal, info, context);
    }
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}

/// # Safety
/// `context` is what the kernel handed to the handler on this thread, and this thread has the request.
unsafe fn copy_into_request(context: &libc::ucontext_t) -> bool {
    #[cfg(target_arch = "x86_64")]
    let (ip, sp, fp, lr) = {
        let registers = &context.uc_mcontext.gregs;
        let register = |n: libc::c_int| registers[n as usize] as u64;
        (register(libc::REG_RIP), register(libc::REG_RSP), register(libc::REG_RBP), 0)
    };
    #[cfg(target_arch = "aarch64")]
    let (ip, sp, fp, lr) = {
        let registers = &context.uc_mcontext;
        (registers.pc, registers.sp, registers.regs[29], registers.regs[30])
    };
    let (low, high) = (REQUEST.low.load(Relaxed), REQUEST.high.load(Relaxed));
    let from = sp as usize;
    let Some(len) = in_use(from, (low, high), MAX_STACK) else { return false };
    // SAFETY: from the stack pointer up to the stack's end it is mapped and this thread's own; the thread is in this
    // handler, so nothing of it changes. The buffer is this handler's, by the state.
    unsafe { copy_stack(from, REQUEST.stack.get().cast::<u8>(), len) };
    REQUEST.ip.store(ip, Relaxed);
    REQUEST.sp.store(sp, Relaxed);
    REQUEST.fp.store(fp, Relaxed);
    REQUEST.lr.store(lr, Relaxed);
    REQUEST.len.store(len, Relaxed);
    true
}

/// Does with the poll's budget what the request wants. A thread that polls has all of tokio's thread-local state set up.
fn mark_in_request() {
    REQUEST.after.store(0, Relaxed);
    let marked = match REQUEST.mark.load(Relaxed) {
        NO_MARK => return,
        READ => budget::left().map(|left| (left, left)),
        seed => budget::mark(seed as u32),
    };
    if let (Some((before, after)), Some(task)) = (marked, ::tokio::task::try_id()) {
        REQUEST.task.store(peek::task_id(task), Relaxed);
        REQUEST.before.store(before, Relaxed);
        REQUEST.after.store(after, Relaxed);
    }
}

fn call_before(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: null, or leaked by `install`.
    let Some(before) = (unsafe { BEFORE.load(Acquire).as_ref() }) else { return };
    // SAFETY: it was the process' handler for this signal, with the signature that its flags say.
    unsafe {
        if before.sa_flags & libc::SA_SIGINFO != 0 {
            let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) =
                std::mem::transmute(before.sa_sigaction);
            handler(signal, info, context);
        } else {
            let handler: extern "C" fn(libc::c_int) = std::mem::transmute(before.sa_sigaction);
            handler(signal);
        }
    }
}

/// The calling thread's id and the bounds of its stack, for later copies; zeros for what is not known.
pub(crate) fn this_thread() -> (i32, (usize, usize)) {
    // SAFETY: the calls fill structures of ours, about the calling thread; the attributes are given back.
    unsafe {
        let tid = libc::syscall(libc::SYS_gettid) as i32;
        let mut attributes: libc::pthread_attr_t = std::mem::zeroed();
        if libc::pthread_getattr_np(libc::pthread_self(), &raw mut attributes) != 0 {
            return (tid, (0, 0));
        }
        let (mut low, mut size) = (std::ptr::null_mut(), 0);
        let known = libc::pthread_attr_getstack(&raw const attributes, &raw mut low, &raw mut size) == 0;
        libc::pthread_attr_destroy(&raw mut attributes);
        (tid, if known { (low as usize, low as usize + size) } else { (0, 0) })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::stacks::tests::only_watchdog;

    /// How often the app's handler was called.
    static CALLED: AtomicU32 = AtomicU32::new(0);

    extern "C" fn of_the_app(_signal: libc::c_int) {
        CALLED.fetch_add(1, Relaxed);
    }

    fn mask(how: libc::c_int) {
        // SAFETY: the set is ours, and the mask that of this thread.
        unsafe {
            let mut set: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut set);
            libc::sigaddset(&raw mut set, SIGNAL);
            assert_eq!(libc::pthread_sigmask(how, &raw const set, std::ptr::null_mut()), 0);
        }
    }

    fn send_to(tid: i32) {
        // SAFETY: plain numbers.
        assert_eq!(unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), tid, SIGNAL) }, 0);
    }

    #[test]
    fn a_signal_that_comes_late_is_not_the_apps() {
        let (_only, _watchdog) = only_watchdog();
        // SAFETY: zero is valid; it is leaked below, as one that was there before is.
        let mut app: libc::sigaction = unsafe { std::mem::zeroed() };
        app.sa_sigaction = of_the_app as *const () as usize;
        let before = BEFORE.swap(Box::into_raw(Box::new(app)), AcqRel);
        let (tell, told) = mpsc::channel();
        let (go, gone) = mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            mask(libc::SIG_BLOCK);
            tell.send(this_thread()).unwrap();
            gone.recv().unwrap();
            mask(libc::SIG_UNBLOCK);
            CALLED.load(Relaxed)
        });
        let (tid, stack) = told.recv().unwrap();
        assert!(copy(tid, stack, Mark::No).is_none(), "it has the signal blocked");
        go.send(()).unwrap();
        assert_eq!(thread.join().unwrap(), 0);
        // The app's own still come to it.
        send_to(this_thread().0);
        assert_eq!(CALLED.load(Relaxed), 1);
        BEFORE.store(before, Release);
    }
}
