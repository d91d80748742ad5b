//! Whether spans that are refused one by one are wanted by nobody else, so that they may be refused for the whole subscriber.
//! A filter for one layer refuses for that layer: the registry makes the span all the same, since it does not know that
//! nobody is left. So the probe's thread asks the subscriber about these few callsites, while this layer answers that it
//! wants none of them. What comes then is what all others want; if that is nothing, tokio need not make the span.
use std::{
    cell::Cell,
    ptr,
    sync::atomic::{
        AtomicPtr, AtomicU8, AtomicU64,
        Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst},
    },
};

use tracing::{Metadata, dispatcher, subscriber::Interest};

use super::callsites::Want;

/// A callsite whose spans are refused one by one.
struct Callsite {
    metadata: AtomicPtr<Metadata<'static>>,
    /// A [`Want`]; 0 until it is known.
    want: AtomicU8,
}

/// tokio has three; an app may have more than one tokio.
const PLACES: usize = 12;

static CALLSITES: [Callsite; PLACES] =
    [const { Callsite { metadata: AtomicPtr::new(ptr::null_mut()), want: AtomicU8::new(0) } }; PLACES];

/// How often what is wanted may have changed, times two; odd when this layer was found to be alone since.
static ALONE: AtomicU64 = AtomicU64::new(0);

/// What a callsite that comes up on this thread is registered for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asking {
    /// Not because it was asked here.
    Nothing,
    /// What others want.
    Others,
    /// What is wanted: after the question before, for whoever keeps the answers.
    All,
}

thread_local! {
    static ASKING: Cell<Asking> = const { Cell::new(Asking::Nothing) };
    /// This layer was among those who were asked.
    static ASKED: Cell<bool> = const { Cell::new(false) };
}

/// Whether nobody but this layer wants any of these callsites.
#[inline]
pub(super) fn is() -> bool {
    ALONE.load(Relaxed) & 1 != 0
}

/// What is wanted may be something else now.
pub(super) fn changed() {
    let _ = ALONE.try_update(SeqCst, Relaxed, |changes| Some((changes | 1) + 1));
}

/// When spans of the callsite are wanted, if that is to be looked at one by one.
#[inline]
pub(super) fn want(metadata: &Metadata<'_>) -> Option<Want> {
    let address = ptr::from_ref(metadata).cast();
    let known = CALLSITES.iter().map_while(|callsite| {
        let of = callsite.metadata.load(Acquire).cast_const();
        (!of.is_null()).then_some((of, callsite))
    });
    let (_, callsite) = known.into_iter().find(|(of, _)| *of == address)?;
    Want::of_number(callsite.want.load(Acquire))
}

/// Such a callsite is registered; what is to be answered.
pub(super) fn register(metadata: &'static Metadata<'static>, want: Want) -> Interest {
    match ASKING.get() {
        Asking::Nothing => {
            let address = ptr::from_ref(metadata).cast_mut();
            let place = CALLSITES.iter().find(|callsite| {
                let free = callsite.metadata.compare_exchange(ptr::null_mut(), address, AcqRel, Acquire);
                free.map_or_else(|of| of == address, |_| true)
            });
            if let Some(place) = place {
                place.want.store(want.number(), Release);
            }
            changed();
            Interest::sometimes()
        }
        Asking::Others => {
            ASKED.set(true);
            Interest::never()
        }
        Asking::All => Interest::sometimes(),
    }
}

/// How often what is wanted may have changed.
pub(super) fn changes() -> u64 {
    ALONE.load(SeqCst) >> 1
}

/// Asks the app's subscriber. On the probe's thread only.
pub(super) fn ask() {
    let before = ALONE.load(SeqCst);
    let alone = dispatcher::get_default(|subscriber| {
        CALLSITES.iter().all(|callsite| {
            // SAFETY: null, or what `register` was given.
            let Some(metadata) = (unsafe { callsite.metadata.load(Acquire).as_ref() }) else { return true };
            let ask = |asking| {
                let _asking = Asked::begin(asking);
                subscriber.register_callsite(metadata)
            };
            ASKED.set(false);
            let others = ask(Asking::Others);
            let were_asked = ASKED.get();
            ask(Asking::All);
            were_asked && others.is_never()
        })
    });
    if alone {
        // Not if anything changed meanwhile.
        let _ = ALONE.compare_exchange(before, before | 1, SeqCst, Relaxed);
    }
}

/// While this lives, callsites are registered on this thread because they are asked about; a layer of the app's may panic.
struct Asked;

impl Asked {
    fn begin(asking: Asking) -> Self {
        ASKING.set(asking);
        Self
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        ASKING.set(Asking::Nothing);
    }
}
