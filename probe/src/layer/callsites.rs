//! Which spans and events are wanted: those of tokio's that say what the recorder has a place for, and those only.
use std::sync::{
    Arc,
    atomic::{
        AtomicBool, AtomicU64,
        Ordering::{AcqRel, Acquire, Relaxed},
    },
};

use tracing::{Metadata, level_filters::LevelFilter, subscriber::Interest};
use tracing_subscriber::layer::{Context, Filter};

use super::{
    alone, here,
    known::{self, Tells},
};
use crate::recorder::active;

/// A span has come, so what tokio tells does get here.
pub(super) static SEEN: AtomicBool = AtomicBool::new(false);

/// The number of the layer that is told; 0 for none. Ids of spans are a registry's own, so there can be one.
static WHOSE: AtomicU64 = AtomicU64::new(0);

/// The number of the next layer.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// Whether a layer was ever made.
pub(super) fn made() -> bool {
    NEXT.load(Relaxed) > 1
}

/// Whether there is a layer in some subscriber.
pub(super) fn installed() -> bool {
    WHOSE.load(Acquire) != 0
}

/// One layer's right to be told.
#[derive(Clone)]
pub(super) struct Turn(Arc<Number>);

struct Number(u64);

impl Turn {
    pub(super) fn new() -> Self {
        Self(Arc::new(Number(NEXT.fetch_add(1, Relaxed))))
    }

    /// From now on it is told, unless another one is.
    pub(super) fn take(&self) {
        if WHOSE.load(Relaxed) == 0 && WHOSE.compare_exchange(0, self.0.0, AcqRel, Acquire).is_ok() {
            alone::changed();
        }
    }

    #[inline]
    pub(super) fn is_ours(&self) -> bool {
        WHOSE.load(Relaxed) == self.0.0
    }
}

impl Drop for Number {
    fn drop(&mut self) {
        let _ = WHOSE.compare_exchange(self.0, 0, AcqRel, Acquire);
    }
}

/// Refuses all callsites but those that are wanted; while nothing is recorded, all.
pub(super) struct Wanted(pub(super) Turn);

impl<S> Filter<S> for Wanted {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        let is_wanted = || match alone::want(metadata) {
            Some(want) => want.is_now(),
            None => want(metadata, known::tells(metadata)).is_now(),
        };
        self.is_on() && is_wanted()
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.0.take();
        let want = want(metadata, known::register(metadata));
        match want {
            Want::Always if self.is_on() => Interest::always(),
            Want::InResource | Want::OfOperation | Want::OfSend if self.is_on() => alone::register(metadata, want),
            _ => Interest::never(),
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        // A subscriber in a box does not pass on that it is one now; but it is asked this.
        self.0.take();
        Some(if self.is_on() { LevelFilter::TRACE } else { LevelFilter::OFF })
    }
}

impl Wanted {
    fn is_on(&self) -> bool {
        active().is_some() && self.0.is_ours()
    }

    /// Whether a span is not wanted that nobody else wants.
    pub(super) fn refuses_for_all(&self, metadata: &Metadata<'_>) -> bool {
        alone::is() && self.is_on() && alone::want(metadata).is_some_and(|want| !want.is_now())
    }
}

/// When a callsite is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Want {
    Never = 1,
    Always,
    /// The span of the semaphore that is inside of everything that can be acquired: of a channel it is all there is, of a
    /// semaphore it tells of the permits, of a lock it tells nothing new.
    InResource,
    /// The span of an operation on something: of what may have to wait.
    OfOperation,
    /// The span of an operation on the semaphore inside: of a send that will have to wait.
    OfSend,
}

impl Want {
    pub(super) fn number(self) -> u8 {
        self as u8
    }

    pub(super) fn of_number(number: u8) -> Option<Self> {
        [Self::Never, Self::Always, Self::InResource, Self::OfOperation, Self::OfSend]
            .into_iter()
            .find(|want| want.number() == number)
    }

    /// Whether one that comes up here and now is wanted.
    fn is_now(self) -> bool {
        match self {
            Self::Never => false,
            Self::Always => true,
            Self::InResource => here::wants_internal_semaphore(),
            Self::OfOperation => here::wants_operation(),
            Self::OfSend => here::wants_send(),
        }
    }
}

fn want(metadata: &Metadata<'_>, tells: Tells) -> Want {
    if metadata.is_event() {
        return if tells == Tells::Nothing { Want::Never } else { Want::Always };
    }
    let module = metadata.module_path().unwrap_or_default();
    let Some(module) = module.strip_prefix("tokio::") else { return Want::Never };
    match (metadata.name(), module) {
        ("runtime.spawn", _)
        | (
            "runtime.resource",
            "sync::mutex" | "sync::rwlock" | "sync::semaphore" | "sync::barrier" | "sync::oneshot",
        ) => Want::Always,
        ("runtime.resource", "sync::batch_semaphore") => Want::InResource,
        ("runtime.resource.async_op", "util::trace") => Want::OfOperation,
        ("runtime.resource.async_op", "sync::batch_semaphore") => Want::OfSend,
        _ => Want::Never,
    }
}
