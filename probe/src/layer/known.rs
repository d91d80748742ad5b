//! What the events of a callsite tell, by the address of its metadata: read out of its texts once, then by a load.
use std::{
    ptr,
    sync::atomic::{
        AtomicBool, AtomicPtr, AtomicU8,
        Ordering::{AcqRel, Acquire, Relaxed, Release},
    },
};

use tracing::Metadata;

/// What an event tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Tells {
    /// Nothing that is wanted.
    Nothing = 0,
    /// What is done with a waker; what that is comes as a text, with the event.
    Waker,
    /// That a waker wakes.
    Wake,
    /// That a timer was polled.
    Timer,
    /// That the receiver of a oneshot was polled.
    Oneshot,
    /// That the semaphore was polled which is inside of everything that can be acquired.
    Semaphore,
    /// That an operation on a lock or a barrier was polled.
    Operation,
    /// That something changed.
    Change,
}

/// tokio has about forty callsites that are wanted.
const PLACES: usize = 128;

struct Known {
    metadata: AtomicPtr<Metadata<'static>>,
    tells: AtomicU8,
}

static KNOWN: [Known; PLACES] =
    [const { Known { metadata: AtomicPtr::new(ptr::null_mut()), tells: AtomicU8::new(UNKNOWN) } }; PLACES];

/// In [`Known::tells`]: not entered yet.
const UNKNOWN: u8 = u8::MAX;

/// A callsite was found to tell nothing, which those who cache what is wanted were not told.
static REFUSED: AtomicBool = AtomicBool::new(false);

/// What the events of this callsite tell.
#[inline]
pub(super) fn tells(metadata: &Metadata<'_>) -> Tells {
    match place(metadata).map_or(UNKNOWN, |known| known.tells.load(Relaxed)) {
        0 => Tells::Nothing,
        1 => Tells::Waker,
        2 => Tells::Wake,
        3 => Tells::Timer,
        4 => Tells::Oneshot,
        5 => Tells::Semaphore,
        6 => Tells::Operation,
        7 => Tells::Change,
        _ => read(metadata),
    }
}

/// The same, and from now on it is found by its address.
pub(super) fn register(metadata: &'static Metadata<'static>) -> Tells {
    let tells = tells(metadata);
    if tells != Tells::Nothing && place(metadata).is_none() {
        let address = ptr::from_ref(metadata).cast_mut();
        let free = places(metadata)
            .find(|known| known.metadata.compare_exchange(ptr::null_mut(), address, AcqRel, Relaxed).is_ok());
        if let Some(known) = free {
            known.tells.store(tells as u8, Relaxed);
        }
    }
    tells
}

/// An event showed what its callsite tells of wakers: that they wake, or else nothing that is wanted. Each of tokio's has
/// one text, so the rest of them need not be read, or not even made; and beside it the id of the task's span, which then
/// is not asked for its name.
#[cold]
pub(super) fn learn(metadata: &Metadata<'_>, wakes: bool) {
    if let Some(known) = place(metadata).filter(|_| metadata.fields().len() == 2) {
        known.tells.store(if wakes { Tells::Wake } else { Tells::Nothing } as u8, Relaxed);
        REFUSED.fetch_or(!wakes, Release);
    }
}

/// Whether anything was found to tell nothing since this was asked last.
pub(super) fn take_refused() -> bool {
    REFUSED.swap(false, Acquire)
}

/// Where the callsite is to be found, the likeliest first.
#[inline]
fn places(metadata: &Metadata<'_>) -> impl Iterator<Item = &'static Known> {
    let first = (ptr::from_ref(metadata).addr() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 57;
    (0..8).map(move |next| &KNOWN[(first as usize + next) % PLACES])
}

#[inline]
fn place(metadata: &Metadata<'_>) -> Option<&'static Known> {
    let address = ptr::from_ref(metadata).cast();
    places(metadata).find(|known| known.metadata.load(Relaxed).cast_const() == address)
}

/// What the texts of the callsite say.
#[cold]
fn read(metadata: &Metadata<'_>) -> Tells {
    let Some(module) = metadata.module_path().and_then(|module| module.strip_prefix("tokio::")) else {
        return Tells::Nothing;
    };
    match (metadata.target(), module) {
        _ if !metadata.is_event() => Tells::Nothing,
        ("tokio::task::waker", _) => Tells::Waker,
        ("runtime::resource::poll_op", "time::sleep") => Tells::Timer,
        ("runtime::resource::poll_op", "sync::oneshot") => Tells::Oneshot,
        ("runtime::resource::poll_op", "sync::batch_semaphore") => Tells::Semaphore,
        ("runtime::resource::poll_op", "util::trace") => Tells::Operation,
        ("runtime::resource::state_update", module) if module.starts_with("sync::") => Tells::Change,
        _ => Tells::Nothing,
    }
}
