//! From where a future is polled. An `.await` polls its own future and nothing else until that ends. Who polls by reference
//! may turn to something else while the future lives, so that its wait is one of the task's last poll.
use std::{
    future::Future,
    mem::needs_drop,
    panic::Location,
    pin::Pin,
    task::{Context, Poll},
};

use super::super::{active, site::is_passed_on, thread::HERE};

pub(crate) type CallSite = &'static Location<'static>;

/// A future that is made of an `async` block, with [waits](Within) in it. Within the block it is the block that awaits, so this
/// says from where the app polls it: by one store, which is all that it costs.
pub(crate) struct Outer<F>(F);

impl<F: Future> Outer<F> {
    #[inline]
    pub(crate) fn new(block: F) -> Self {
        Self(block)
    }
}

impl<F: Future> Future for Outer<F> {
    type Output = F::Output;

    #[inline]
    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let polled = Location::caller();
        HERE.with(|here| here.polled.set(Some(polled)));
        // SAFETY: pinned with `self`, and never moved out of it.
        unsafe { self.map_unchecked_mut(|this| &mut this.0) }.poll(cx)
    }
}

/// From where the [`Outer`] is polled in whose block this is called, before anything else is polled there.
pub(crate) fn polled_from() -> CallSite {
    HERE.with(|here| here.polled.get()).unwrap_or(Location::caller())
}

/// What asks from where it is polled.
pub(crate) trait PolledFrom: Future {
    /// As [`Future::poll`], from where `polled` says.
    fn poll_from(self: Pin<&mut Self>, cx: &mut Context<'_>, polled: impl FnOnce() -> CallSite) -> Poll<Self::Output>;
}

/// What is awaited in the block of an [`Outer`], and is polled from where that is. By the time that it asks, nothing else
/// was polled: where code of the app's runs within a wait, it is not in such a block, or is not waited for any more.
pub(crate) struct Within<F>(pub(crate) F);

impl<F: PolledFrom> Future for Within<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: pinned with `self`, and never moved out of it.
        let future = unsafe { self.map_unchecked_mut(|this| &mut this.0) };
        future.poll_from(cx, polled_from)
    }
}

/// Whether what is polled at `polled` may live on when its task turns to something else.
pub(crate) fn may_be_kept(polled: CallSite) -> bool {
    HERE.with(|here| here.kept.get()) || is_passed_on(polled)
}

/// While what is polled on this thread is within something that is polled by reference: then so is all that it awaits.
pub(crate) struct Keeping {
    before: bool,
}

impl Keeping {
    /// For the poll of an `F` of the app's that is within a future which is polled at `polled`.
    #[inline]
    pub(crate) fn of<F>(polled: CallSite) -> Option<Self> {
        Self::begin_if(|| is_reference::<F>() || is_passed_on(polled))
    }

    /// For the poll of an `F` of the app's by what passes on from where it is polled.
    #[inline]
    pub(crate) fn if_reference<F>() -> Option<Self> {
        Self::begin_if(is_reference::<F>)
    }

    #[inline]
    fn begin_if(kept: impl FnOnce() -> bool) -> Option<Self> {
        let kept = active().is_some() && kept();
        kept.then(|| Self { before: HERE.with(|here| here.kept.replace(true)) })
    }
}

impl Drop for Keeping {
    /// Also when the poll panics.
    fn drop(&mut self) {
        HERE.with(|here| here.kept.set(self.before));
    }
}

/// Whether an `F` is a reference, or as small as one and as easily dropped: that is taken for one too, since it is polled
/// whenever what it is within is.
#[inline]
fn is_reference<F>() -> bool {
    const { size_of::<F>() <= 2 * size_of::<usize>() && !needs_drop::<F>() }
}
