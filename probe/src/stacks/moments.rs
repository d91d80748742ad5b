//! What happens at a moment and tells no line, as the drop of a sender: the stack of the thread that does it, copied there
//! and then, and unwound elsewhere.
//!
//! It is done at moments that are rare by nature, only while somebody is attached, and for each kind of them once a second:
//! there is one place for each of a few copies, and where none is free, the moment goes unseen.
use std::{
    cell::UnsafeCell,
    sync::atomic::{
        AtomicU8, AtomicU32, AtomicU64,
        Ordering::{AcqRel, Acquire, Relaxed, Release},
    },
};

use super::{SightKind, copied::Copied, namer, signal::Copy};
use crate::recorder::clock;

/// Copies that wait to be named.
const PLACES: usize = 4;
/// What is seen so often is not looked at again meanwhile, in nanoseconds.
const PAUSE_NS: u64 = 1_000_000_000;
/// Kinds and sites share so many clocks.
const CLOCKS: usize = 256;

const FREE: u32 = 0;
const COPYING: u32 = 1;
const FULL: u32 = 2;

struct Moment {
    state: AtomicU32,
    kind: AtomicU8,
    of: AtomicU64,
    /// In ticks.
    at: AtomicU64,
    stack: UnsafeCell<Copied>,
}

// SAFETY: `stack` is written by the thread that moved `state` from `FREE` to `COPYING`, while it stays so, and read by the
// probe's thread while it is `FULL`.
unsafe impl Sync for Moment {}

static MOMENTS: [Moment; PLACES] = [const {
    Moment {
        state: AtomicU32::new(FREE),
        kind: AtomicU8::new(0),
        of: AtomicU64::new(0),
        at: AtomicU64::new(0),
        stack: UnsafeCell::new(Copied::NONE),
    }
}; PLACES];

/// Until when somebody looks, in ticks.
static UNTIL: AtomicU64 = AtomicU64::new(0);
/// When the last moment was seen of those that fall here, in ticks.
static SEEN: [AtomicU64; CLOCKS] = [const { AtomicU64::new(0) }; CLOCKS];

/// It happens now, on this thread, with `of`.
#[cold]
#[inline(never)]
pub(crate) fn seen(kind: SightKind, of: u64) {
    let now = clock::ticks();
    if now > UNTIL.load(Relaxed) {
        return;
    }
    let last = &SEEN[(of as usize).wrapping_mul(4).wrapping_add(kind as usize) % CLOCKS];
    let before = last.load(Relaxed);
    let lately = before != 0 && now.saturating_sub(before) < clock::ticks_in_ns(PAUSE_NS);
    if lately || last.compare_exchange(before, now, Relaxed, Relaxed).is_err() {
        return;
    }
    let free = |moment: &&Moment| moment.state.compare_exchange(FREE, COPYING, AcqRel, Relaxed).is_ok();
    let Some(moment) = MOMENTS.iter().find(free) else { return };
    // SAFETY: the place is this thread's while it is `COPYING`.
    let copied = unsafe { Copied::this_thread(moment.stack.get()) };
    moment.kind.store(kind as u8, Relaxed);
    moment.of.store(of, Relaxed);
    moment.at.store(now, Relaxed);
    moment.state.store(if copied { FULL } else { FREE }, Release);
}

/// Somebody looks until then, in ticks.
pub(super) fn look_until(until: u64) {
    UNTIL.store(until, Relaxed);
}

/// What was seen since the last call, with the stacks. For the probe's thread.
pub(super) fn take() -> impl Iterator<Item = (namer::Moment, Copy)> {
    MOMENTS.iter().filter(|moment| moment.state.load(Acquire) == FULL).filter_map(|moment| {
        let (kind, of, at) = (moment.kind.load(Relaxed), moment.of.load(Relaxed), moment.at.load(Relaxed));
        // SAFETY: it is `FULL`, so nobody writes it.
        let copy = unsafe { &*moment.stack.get() }.copy();
        moment.state.store(FREE, Release);
        Some((namer::Moment { kind: SightKind::of(kind)?, of, at }, copy))
    })
}
