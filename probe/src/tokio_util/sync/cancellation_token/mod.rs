//! [`CancellationToken`]: tokio-util's own, with its place in the tree, when and where it was cancelled, who waits for
//! that, and which tasks listen to it.
mod futures;
mod guard;
mod handle;

use std::{
    fmt,
    future::{Future, poll_fn},
    hash::{Hash, Hasher},
    panic::Location,
    pin::pin,
    task::Poll,
};

use ::tokio_util::sync as raw;

pub use futures::{WaitForCancellationFuture, WaitForCancellationFutureOwned};
pub use guard::{DropGuard, DropGuardRef};
use handle::Handle;

use crate::recorder::{
    ending::EndingRef,
    unfinished::{By, MayEnd},
    wait::{Keeping, Outer, polled_from},
};

type CallSite = &'static Location<'static>;

/// Tells tasks to end, watched; see [`tokio_util::sync::CancellationToken`](::tokio_util::sync::CancellationToken).
///
/// Watched: whose child it is, how many handles of it there are, who waits for it, when and from which line it was
/// cancelled, and which tasks listen to it. A task listens to a token that lies in its own future, or that was made or
/// cloned by it, once it has asked for it. A token that was made before anything recorded is not seen.
pub struct CancellationToken {
    inner: raw::CancellationToken,
    handle: Handle,
}

impl CancellationToken {
    /// A new one; see [`CancellationToken::new`](::tokio_util::sync::CancellationToken::new).
    #[track_caller]
    pub fn new() -> Self {
        raw::CancellationToken::new().into()
    }

    /// A child; see [`CancellationToken::child_token`](::tokio_util::sync::CancellationToken::child_token).
    #[must_use]
    #[track_caller]
    pub fn child_token(&self) -> Self {
        let inner = self.inner.child_token();
        let token = EndingRef::token::<raw::CancellationToken>(self.handle.token(), Location::caller());
        Self { inner, handle: Handle::new(token) }
    }

    /// Cancels it and its children; see [`CancellationToken::cancel`](::tokio_util::sync::CancellationToken::cancel).
    #[track_caller]
    pub fn cancel(&self) {
        self.cancel_at(Location::caller());
    }

    fn cancel_at(&self, site: CallSite) {
        if let Some(token) = self.handle.token()
            && !self.inner.is_cancelled()
        {
            token.ends(site);
        }
        self.inner.cancel();
    }

    /// See [`CancellationToken::is_cancelled`](::tokio_util::sync::CancellationToken::is_cancelled).
    pub fn is_cancelled(&self) -> bool {
        self.handle.asked();
        let is_cancelled = self.inner.is_cancelled();
        if is_cancelled {
            self.handle.seen_cancelled();
        }
        is_cancelled
    }

    /// Waits until it is cancelled; see [`CancellationToken::cancelled`](::tokio_util::sync::CancellationToken::cancelled).
    #[track_caller]
    pub fn cancelled(&self) -> WaitForCancellationFuture<'_> {
        self.cancelled_at(Location::caller())
    }

    fn cancelled_at(&self, site: CallSite) -> WaitForCancellationFuture<'_> {
        WaitForCancellationFuture::new(self.inner.cancelled(), &self.handle, site)
    }

    /// As [`CancellationToken::cancelled`], with a future that owns the token; see
    /// [`CancellationToken::cancelled_owned`](::tokio_util::sync::CancellationToken::cancelled_owned).
    #[track_caller]
    pub fn cancelled_owned(self) -> WaitForCancellationFutureOwned {
        WaitForCancellationFutureOwned::new(self.inner.cancelled_owned(), self.handle, Location::caller())
    }

    /// See [`CancellationToken::drop_guard`](::tokio_util::sync::CancellationToken::drop_guard).
    #[track_caller]
    pub fn drop_guard(self) -> DropGuard {
        DropGuard::new(self, Location::caller())
    }

    /// See [`CancellationToken::drop_guard_ref`](::tokio_util::sync::CancellationToken::drop_guard_ref).
    #[track_caller]
    pub fn drop_guard_ref(&self) -> DropGuardRef<'_> {
        DropGuardRef::new(self, Location::caller())
    }

    /// Runs a future until it ends or the token is cancelled; see
    /// [`CancellationToken::run_until_cancelled`](::tokio_util::sync::CancellationToken::run_until_cancelled).
    #[track_caller]
    pub fn run_until_cancelled<F: Future>(&self, fut: F) -> impl Future<Output = Option<F::Output>> {
        Outer::new(self.run_until(fut, Location::caller()))
    }

    /// In the block of an [`Outer`].
    async fn run_until<F: Future>(&self, fut: F, site: CallSite) -> Option<F::Output> {
        if self.is_cancelled() {
            return None;
        }
        let (mut fut, mut cancelled) = (pin!(MayEnd::new(fut, By::Token, site)), pin!(self.cancelled_at(site)));
        poll_fn(|cx| {
            let _keeping = Keeping::of::<F>(polled_from());
            match fut.as_mut().poll(cx) {
                Poll::Ready(output) => Poll::Ready(Some(output)),
                Poll::Pending => cancelled.as_mut().poll(cx).map(|()| None),
            }
        })
        .await
    }

    /// As [`CancellationToken::run_until_cancelled`], with a future that owns the token; see
    /// [`CancellationToken::run_until_cancelled_owned`](::tokio_util::sync::CancellationToken::run_until_cancelled_owned).
    #[track_caller]
    pub fn run_until_cancelled_owned<F: Future>(self, fut: F) -> impl Future<Output = Option<F::Output>> {
        let site = Location::caller();
        Outer::new(async move { self.run_until(fut, site).await })
    }

    /// tokio-util's own. What is done with it is not watched; that it is cancelled is seen by those who still listen.
    pub fn into_inner(self) -> raw::CancellationToken {
        self.inner
    }
}

impl crate::Named for CancellationToken {
    fn set_name(&self, name: &str) {
        if let Some(of) = self.handle.token() {
            of.slot().set_name(name);
        }
    }
}

impl Clone for CancellationToken {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), handle: self.handle.clone() }
    }
}

impl Default for CancellationToken {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for CancellationToken {
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner
    }
}

impl Eq for CancellationToken {}

impl Hash for CancellationToken {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}

impl From<raw::CancellationToken> for CancellationToken {
    /// Watched as a new one, whose parent is not known.
    #[track_caller]
    fn from(inner: raw::CancellationToken) -> Self {
        let token = EndingRef::token::<raw::CancellationToken>(None, Location::caller());
        Self { inner, handle: Handle::new(token) }
    }
}

impl From<CancellationToken> for raw::CancellationToken {
    fn from(token: CancellationToken) -> Self {
        token.into_inner()
    }
}

impl std::panic::UnwindSafe for CancellationToken {}
impl std::panic::RefUnwindSafe for CancellationToken {}

impl fmt::Debug for CancellationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
