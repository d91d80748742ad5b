//! [`Notify`]: tokio's own, with who waits for a notification, and notifications that found nobody.
use std::{
    fmt,
    future::Future,
    panic::Location,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use ::tokio::sync as raw;

use super::lock_watch::Watch;
use crate::recorder::{
    active,
    lock::{LockKind, LockSlot},
    wait::{Pending, WaitKind, may_be_kept},
};

/// Notifies tasks, watched; see [`tokio::sync::Notify`](::tokio::sync::Notify).
///
/// Watched: who waits since when and from which line, whether a notification is kept for the next to wait, and
/// notifications to all that found nobody.
pub struct Notify {
    watch: Watch,
    inner: raw::Notify,
}

/// A wait for a notification; see [`tokio::sync::futures::Notified`](::tokio::sync::futures::Notified).
#[must_use = "futures do nothing unless you `.await` or poll them"]
#[repr(C)]
pub struct Notified<'a> {
    // First, and as it is put together by tokio: so it is copied to where it is awaited as tokio's own is.
    inner: raw::futures::Notified<'a>,
    /// None while nothing records, and when no notification can reach it any more.
    seen: Option<Seen>,
}

/// A wait for a notification, with the [`Notify`]; see
/// [`tokio::sync::futures::OwnedNotified`](::tokio::sync::futures::OwnedNotified).
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct OwnedNotified {
    // Before `_notify`, which it points into.
    inner: raw::futures::Notified<'static>,
    /// As in [`Notified`].
    seen: Option<Seen>,
    _notify: Arc<Notify>,
}

/// What is noted of a wait that a notification could still reach. Beside tokio's future and not around it: so each is put
/// together where it is to lie.
struct Seen {
    slot: &'static LockSlot,
    site: &'static Location<'static>,
    /// Once it had to wait.
    pending: Pending,
    counted: Counted,
}

/// What a wait is counted as. A word, as all else in the future: a byte would be copied with what is behind it, for which
/// the CPU waits.
#[derive(PartialEq, Eq)]
#[repr(usize)]
enum Counted {
    /// Not awaited where it was made, or not yet.
    Later,
    AtOnce,
}

crate::named::names_lock!([] for Notify);

impl Notify {
    /// A new one; see [`Notify::new`](::tokio::sync::Notify::new).
    #[track_caller]
    pub fn new() -> Self {
        Self { watch: Watch::new(Location::caller()), inner: raw::Notify::new() }
    }

    /// A new one in a constant; see [`Notify::const_new`](::tokio::sync::Notify::const_new).
    #[track_caller]
    pub const fn const_new() -> Self {
        Self { watch: Watch::new(Location::caller()), inner: raw::Notify::const_new() }
    }

    /// Waits for a notification; see [`Notify::notified`](::tokio::sync::Notify::notified).
    #[inline]
    #[track_caller]
    pub fn notified(&self) -> Notified<'_> {
        let site = Location::caller();
        let seen = self.expected(site);
        Notified { inner: self.inner.notified(), seen }
    }

    /// As [`Notify::notified`], with a future that owns the `Notify`; see
    /// [`Notify::notified_owned`](::tokio::sync::Notify::notified_owned).
    #[track_caller]
    pub fn notified_owned(self: Arc<Self>) -> OwnedNotified {
        let site = Location::caller();
        let seen = self.expected(site);
        // SAFETY: only the lifetime differs, and what it points into is kept alive, in its place, beside it. The future
        // was not pinned yet.
        let inner = unsafe {
            std::mem::transmute::<raw::futures::Notified<'_>, raw::futures::Notified<'static>>(self.inner.notified())
        };
        OwnedNotified { inner, seen, _notify: self }
    }

    /// Notifies one that waits; see [`Notify::notify_one`](::tokio::sync::Notify::notify_one).
    #[inline]
    pub fn notify_one(&self) {
        // Asked first, and apart from all else: then it is one test more than tokio's.
        if active().is_none() {
            self.inner.notify_one();
        } else {
            self.notify(raw::Notify::notify_one);
        }
    }

    /// Notifies the one that came last; see [`Notify::notify_last`](::tokio::sync::Notify::notify_last).
    pub fn notify_last(&self) {
        self.notify(raw::Notify::notify_last);
    }

    #[inline(never)]
    fn notify(&self, notify: impl FnOnce(&raw::Notify)) {
        let slot = self.slot(None);
        // With anybody in sight, who gets it is tokio's to know.
        let kept = slot.filter(|slot| slot.expecting() == 0);
        // Before it is: whoever comes, takes it and goes meanwhile finds this to take back.
        if let Some(slot) = kept {
            slot.set_ready(true);
        }
        notify(&self.inner);
        if let Some(slot) = kept.filter(|slot| slot.expecting() > 0) {
            slot.set_ready(false);
        }
    }

    /// Notifies all that wait; see [`Notify::notify_waiters`](::tokio::sync::Notify::notify_waiters).
    #[track_caller]
    pub fn notify_waiters(&self) {
        let site = Location::caller();
        let lost = self.slot(Some(site)).filter(|slot| slot.expecting() == 0);
        self.inner.notify_waiters();
        if let Some(slot) = lost {
            slot.lost_notify(site);
        }
    }

    /// tokio's own. It is not watched from here on.
    pub fn into_inner(self) -> raw::Notify {
        self.inner
    }

    /// One more is expected in the slot: from here on its future is reached by `notify_waiters`, polled or not.
    #[inline]
    fn expected(&self, site: &'static Location<'static>) -> Option<Seen> {
        self.slot(Some(site)).map(|slot| {
            slot.expect(1);
            Seen { slot, site, pending: Pending::NONE, counted: Counted::Later }
        })
    }

    #[inline]
    fn slot(&self, used: Option<&'static Location<'static>>) -> Option<&'static LockSlot> {
        self.watch.event::<raw::Notify>(LockKind::Notify, used, |_| ())
    }
}

impl Seen {
    /// What a poll at `polled` found; `to_await`: characters from the name of the method that made the future to the
    /// `await` behind it.
    #[inline(never)]
    fn polled(&mut self, is_ready: bool, to_await: usize, polled: &'static Location<'static>) {
        let slot = self.slot;
        if is_ready {
            self.over(true);
        } else if self.pending.is_some() {
            self.pending.goes_on(WaitKind::Lock, slot.id(), self.site, may_be_kept(polled));
        } else {
            self.pending = Pending::begin(WaitKind::Lock, slot.id(), self.site, may_be_kept(polled));
            let at_once = is_behind(self.site, to_await as u32, polled);
            self.counted = if at_once { Counted::AtOnce } else { Counted::Later };
            slot.expected_waits(at_once);
        }
    }

    /// No notification can reach it any more, so it is to be forgotten.
    #[inline(never)]
    fn over(&mut self, came: bool) {
        let slot = self.slot;
        if self.pending.is_some() {
            slot.expected_no_more(self.pending.end(), self.counted == Counted::AtOnce, came);
        } else {
            slot.expect(-1);
            if came {
                slot.count_acquire();
            }
        }
        if came {
            // It took the one that was kept, or there was none.
            slot.set_ready(false);
            slot.mark();
        }
    }
}

/// Whether the `await` at `polled` is right behind the call at `made`, on its line or, as rustfmt breaks a chain, below it:
/// then nothing was looked at in between, and what was notified before the call is missed.
#[inline]
fn is_behind(made: &Location<'_>, to_await: u32, polled: &Location<'_>) -> bool {
    let column = match polled.line().checked_sub(made.line()) {
        Some(0) => made.column() + to_await,
        Some(1) => made.column(),
        _ => return false,
    };
    polled.column() == column && polled.file() == made.file()
}

macro_rules! notified {
    ($Notified:ty, $made_by:literal) => {
        impl $Notified {
            /// Makes it reachable for a notification; see
            /// [`Notified::enable`](::tokio::sync::futures::Notified::enable).
            pub fn enable(self: Pin<&mut Self>) -> bool {
                // SAFETY: `inner` is pinned with `self` and not moved; the rest is not pinned.
                let this = unsafe { self.get_unchecked_mut() };
                // SAFETY: as above.
                let enabled = unsafe { Pin::new_unchecked(&mut this.inner) }.enable();
                if enabled && let Some(seen) = &mut this.seen {
                    seen.over(true);
                    this.seen = None;
                }
                enabled
            }
        }

        impl Drop for $Notified {
            /// Before tokio's: what it could still get goes to others when that is dropped.
            #[inline]
            fn drop(&mut self) {
                if let Some(seen) = &mut self.seen {
                    seen.over(false);
                }
            }
        }

        impl Future for $Notified {
            type Output = ();

            #[inline]
            #[track_caller]
            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
                let polled = Location::caller();
                // SAFETY: `inner` is pinned with `self` and not moved; the rest is not pinned.
                let this = unsafe { self.get_unchecked_mut() };
                // SAFETY: as above.
                let inner = unsafe { Pin::new_unchecked(&mut this.inner) };
                let Some(seen) = &mut this.seen else { return inner.poll(cx) };
                let poll = inner.poll(cx);
                seen.polled(poll.is_ready(), concat!($made_by, "().").len(), polled);
                if poll.is_ready() {
                    this.seen = None;
                }
                poll
            }
        }

        impl fmt::Debug for $Notified {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($Notified)).finish_non_exhaustive()
            }
        }
    };
}

notified!(Notified<'_>, "notified");
notified!(OwnedNotified, "notified_owned");

impl Default for Notify {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl From<Notify> for raw::Notify {
    fn from(notify: Notify) -> Self {
        notify.into_inner()
    }
}

impl From<raw::Notify> for Notify {
    #[track_caller]
    fn from(inner: raw::Notify) -> Self {
        Self { watch: Watch::new(Location::caller()), inner }
    }
}

impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_that_is_taken_before_its_sender_goes_on_is_not_kept() {
        crate::testing::recorder();
        let notify = Notify::new();
        notify.notify(|inner| {
            inner.notify_one();
            // Another thread comes, takes it and goes.
            let mut taken = std::pin::pin!(notify.notified());
            assert!(taken.as_mut().poll(&mut Context::from_waker(std::task::Waker::noop())).is_ready());
        });
        let ready = || notify.slot(None).and_then(LockSlot::read).map(|lock| lock.ready);
        assert_eq!(ready(), Some(false));
        notify.notify_one();
        assert_eq!(ready(), Some(true));
    }
}
