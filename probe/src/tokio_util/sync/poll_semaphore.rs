//! [`PollSemaphore`].
use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::Stream;

use super::ReusableBoxFuture;
use crate::tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, TryAcquireError};

/// Polls for permits of a semaphore; see [`tokio_util::sync::PollSemaphore`](::tokio_util::sync::PollSemaphore).
pub struct PollSemaphore {
    semaphore: Arc<Semaphore>,
    /// How many permits are waited for; `None` when `waiting` has ended.
    wanted: Option<u32>,
    waiting: Option<ReusableBoxFuture<'static, Result<OwnedSemaphorePermit, AcquireError>>>,
}

impl PollSemaphore {
    /// See [`PollSemaphore::new`](::tokio_util::sync::PollSemaphore::new).
    pub fn new(semaphore: Arc<Semaphore>) -> Self {
        Self { semaphore, wanted: None, waiting: None }
    }

    /// See [`PollSemaphore::close`](::tokio_util::sync::PollSemaphore::close).
    pub fn close(&self) {
        self.semaphore.close();
    }

    /// See [`PollSemaphore::clone_inner`](::tokio_util::sync::PollSemaphore::clone_inner).
    pub fn clone_inner(&self) -> Arc<Semaphore> {
        Arc::clone(&self.semaphore)
    }

    /// See [`PollSemaphore::into_inner`](::tokio_util::sync::PollSemaphore::into_inner).
    pub fn into_inner(self) -> Arc<Semaphore> {
        self.semaphore
    }

    /// Polls for a permit; see [`PollSemaphore::poll_acquire`](::tokio_util::sync::PollSemaphore::poll_acquire).
    #[track_caller]
    pub fn poll_acquire(&mut self, cx: &mut Context<'_>) -> Poll<Option<OwnedSemaphorePermit>> {
        self.poll_acquire_many(cx, 1)
    }

    /// Polls for some permits; see
    /// [`PollSemaphore::poll_acquire_many`](::tokio_util::sync::PollSemaphore::poll_acquire_many).
    #[track_caller]
    pub fn poll_acquire_many(&mut self, cx: &mut Context<'_>, permits: u32) -> Poll<Option<OwnedSemaphorePermit>> {
        if self.wanted != Some(permits) {
            // With what was waited for before, its place in the queue is given up.
            if self.wanted.is_none() {
                match self.clone_inner().try_acquire_many_owned(permits) {
                    Err(TryAcquireError::NoPermits) => {}
                    done => return Poll::Ready(done.ok()),
                }
            }
            let acquire = self.clone_inner().acquire_many_owned(permits);
            match &mut self.waiting {
                Some(waiting) => waiting.set(acquire),
                none => *none = Some(ReusableBoxFuture::new(acquire)),
            }
            self.wanted = Some(permits);
        }
        let Some(waiting) = &mut self.waiting else { return Poll::Ready(None) };
        let permit = std::task::ready!(waiting.poll(cx));
        self.wanted = None;
        Poll::Ready(permit.ok())
    }

    /// See [`PollSemaphore::available_permits`](::tokio_util::sync::PollSemaphore::available_permits).
    pub fn available_permits(&self) -> usize {
        self.semaphore.available_permits()
    }

    /// See [`PollSemaphore::add_permits`](::tokio_util::sync::PollSemaphore::add_permits).
    pub fn add_permits(&self, n: usize) {
        self.semaphore.add_permits(n);
    }
}

impl Stream for PollSemaphore {
    type Item = OwnedSemaphorePermit;

    #[track_caller]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<OwnedSemaphorePermit>> {
        self.get_mut().poll_acquire(cx)
    }
}

impl Clone for PollSemaphore {
    fn clone(&self) -> Self {
        Self::new(self.clone_inner())
    }
}

impl AsRef<Semaphore> for PollSemaphore {
    fn as_ref(&self) -> &Semaphore {
        &self.semaphore
    }
}

#[allow(clippy::missing_fields_in_debug, reason = "as tokio-util has it")]
impl fmt::Debug for PollSemaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PollSemaphore").field("semaphore", &self.semaphore).finish()
    }
}
