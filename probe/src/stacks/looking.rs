//! A poll that is looked at, on the thread that makes it: where its waker is cloned, the task will be suspended.
//!
//! Whoever waits keeps a clone of the task's waker. The stack at that moment leads from what is waited for, a socket say,
//! through each `async fn` to the task. It is copied there and unwound elsewhere, as that of a blocked poll is.
use std::{
    cell::UnsafeCell,
    ptr,
    sync::atomic::{
        AtomicPtr, AtomicU32, AtomicUsize,
        Ordering::{AcqRel, Acquire, Relaxed, Release},
    },
};

use super::{
    raw::copy_stack,
    signal::{Copy, in_use},
};
use crate::recorder::{task::TaskSlot, thread};

/// Places of one poll that are told at most: a `select!` waits in each of its arms.
const PLACES: usize = 4;
/// Bytes of a stack that are copied at most; deeper callers are cut off.
const MAX_STACK: usize = 64 * 1024;

const IDLE: u32 = 0;
const ASKED: u32 = 1;
const IN_POLL: u32 = 2;
const DONE: u32 = 3;

/// The one request at a time, which only the probe's thread makes.
struct Request {
    state: AtomicU32,
    task: AtomicPtr<TaskSlot>,
    /// Of `places`, those that are filled.
    filled: AtomicUsize,
    places: UnsafeCell<[Place; PLACES]>,
}

/// Registers and stack, as in [`Copy`].
#[derive(Clone, Copy)]
struct Place {
    ip: u64,
    sp: u64,
    fp: u64,
    lr: u64,
    len: usize,
    stack: [u8; MAX_STACK],
}

// SAFETY: `places` is written by the thread that moved `state` from `ASKED` to `IN_POLL`, while it stays so, and read by
// the asking thread once it is `DONE`.
unsafe impl Sync for Request {}

static REQUEST: Request = Request {
    state: AtomicU32::new(IDLE),
    task: AtomicPtr::new(ptr::null_mut()),
    filled: AtomicUsize::new(0),
    places: UnsafeCell::new([Place { ip: 0, sp: 0, fp: 0, lr: 0, len: 0, stack: [0; MAX_STACK] }; PLACES]),
};

/// Asks for the next poll of `task`; false while another is looked at. The caller holds a reference to it.
pub(super) fn ask(task: &'static TaskSlot) -> bool {
    match REQUEST.state.load(Acquire) {
        // One that could not be taken back while a thread found out that it was not for its task.
        ASKED if take_back() => {}
        ASKED | IN_POLL => return false,
        // What was found in a poll that outlasted the asker's patience is fetched by nobody.
        _ => {}
    }
    REQUEST.task.store(ptr::from_ref(task).cast_mut(), Relaxed);
    REQUEST.filled.store(0, Relaxed);
    REQUEST.state.store(ASKED, Release);
    let asked = task.look();
    if !asked {
        take_back();
    }
    asked
}

/// Takes the request back; false where its poll has begun.
pub(super) fn take_back() -> bool {
    REQUEST.state.compare_exchange(ASKED, IDLE, AcqRel, Acquire).is_ok()
}

/// The places where the task waits, once its poll is over.
pub(super) fn answer() -> Option<Vec<Copy>> {
    if REQUEST.state.load(Acquire) != DONE {
        return None;
    }
    let filled = REQUEST.filled.load(Relaxed).min(PLACES);
    // SAFETY: the poll is over, and only this thread asks for another.
    let places = unsafe { &*REQUEST.places.get() };
    let copies = places[..filled].iter().map(|place| Copy {
        ip: place.ip,
        sp: place.sp,
        fp: place.fp,
        lr: place.lr,
        stack: place.stack[..place.len].to_vec(),
        marked: None,
    });
    let copies = copies.collect();
    REQUEST.state.store(IDLE, Release);
    Some(copies)
}

/// A poll that is looked at, until this is dropped.
pub(crate) struct Looking(());

impl Looking {
    /// The poll of `task` begins on this thread; `None` where nobody has asked for it.
    pub(crate) fn begin(task: &'static TaskSlot) -> Option<Self> {
        let asked_for = || ptr::eq(REQUEST.task.load(Relaxed), task);
        if !asked_for() || REQUEST.state.compare_exchange(ASKED, IN_POLL, AcqRel, Relaxed).is_err() {
            return None;
        }
        if !asked_for() {
            // The request was taken back meanwhile, and this is the next one, for another task.
            REQUEST.state.store(ASKED, Release);
            return None;
        }
        Some(Self(()))
    }

    /// Somebody clones the task's waker, to wake it later.
    #[inline(never)]
    pub(crate) fn waits_here(task: &'static TaskSlot) {
        // The waker may have been lent to another thread.
        let in_poll = REQUEST.state.load(Acquire) == IN_POLL
            && ptr::eq(REQUEST.task.load(Relaxed), task)
            && thread::current_task().is_some_and(|current| ptr::eq(current, task));
        let filled = REQUEST.filled.load(Relaxed);
        if !in_poll || filled >= PLACES {
            return;
        }
        let (ip, sp, fp, lr);
        // SAFETY: reads registers and changes nothing.
        #[cfg(target_arch = "x86_64")]
        unsafe {
            lr = 0;
            std::arch::asm!(
                "lea {ip}, [rip]", "mov {sp}, rsp", "mov {fp}, rbp",
                ip = out(reg) ip, sp = out(reg) sp, fp = out(reg) fp,
                options(nomem, nostack, preserves_flags),
            );
        }
        // SAFETY: as above.
        #[cfg(target_arch = "aarch64")]
        unsafe {
            std::arch::asm!(
                "adr {ip}, .", "mov {sp}, sp", "mov {fp}, x29", "mov {lr}, x30",
                ip = out(reg) ip, sp = out(reg) sp, fp = out(reg) fp, lr = out(reg) lr,
                options(nomem, nostack, preserves_flags),
            );
        }
        let from = sp as usize;
        let Some(len) = in_use(from, thread::this_stack(), MAX_STACK) else { return };
        // SAFETY: this thread is in the poll, so the places are its. It is not made a reference, which would be to all.
        unsafe {
            let place = REQUEST.places.get().cast::<Place>().add(filled);
            // From the stack pointer up to the stack's end it is mapped and this thread's own.
            copy_stack(from, (&raw mut (*place).stack).cast::<u8>(), len);
            (*place).len = len;
            ((*place).ip, (*place).sp, (*place).fp, (*place).lr) = (ip, sp, fp, lr);
        }
        REQUEST.filled.store(filled + 1, Relaxed);
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        REQUEST.state.store(DONE, Release);
    }
}
