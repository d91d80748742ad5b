//! [`AbortOnDropHandle`] and [`AbortOnDrop`].
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use crate::tokio::task::{AbortHandle, JoinError, JoinHandle};

/// A [`JoinHandle`] that aborts its task when it is dropped; see
/// [`tokio_util::task::AbortOnDropHandle`](::tokio_util::task::AbortOnDropHandle).
#[must_use = "Dropping the handle aborts the task immediately"]
pub struct AbortOnDropHandle<T> {
    /// `None` only while it is taken apart.
    handle: Option<JoinHandle<T>>,
}

/// An [`AbortHandle`] that aborts its task when it is dropped; see
/// [`tokio_util::task::AbortOnDrop`](::tokio_util::task::AbortOnDrop).
#[must_use = "Dropping the handle aborts the task immediately"]
pub struct AbortOnDrop {
    handle: AbortHandle,
    armed: bool,
}

impl<T> AbortOnDropHandle<T> {
    /// See [`AbortOnDropHandle::new`](::tokio_util::task::AbortOnDropHandle::new).
    pub fn new(handle: JoinHandle<T>) -> Self {
        Self { handle: Some(handle) }
    }

    /// See [`AbortOnDropHandle::abort`](::tokio_util::task::AbortOnDropHandle::abort).
    #[track_caller]
    pub fn abort(&self) {
        self.as_ref().abort();
    }

    /// See [`AbortOnDropHandle::is_finished`](::tokio_util::task::AbortOnDropHandle::is_finished).
    pub fn is_finished(&self) -> bool {
        self.as_ref().is_finished()
    }

    /// See [`AbortOnDropHandle::abort_handle`](::tokio_util::task::AbortOnDropHandle::abort_handle).
    pub fn abort_handle(&self) -> AbortHandle {
        self.as_ref().abort_handle()
    }

    /// See [`AbortOnDropHandle::detach`](::tokio_util::task::AbortOnDropHandle::detach).
    #[expect(clippy::missing_panics_doc, clippy::expect_used, reason = "only this takes it, and the handle with it")]
    pub fn detach(mut self) -> JoinHandle<T> {
        self.handle.take().expect("only this takes it")
    }
}

impl<T> Drop for AbortOnDropHandle<T> {
    fn drop(&mut self) {
        if let Some(handle) = &self.handle {
            handle.abort_at(None);
        }
    }
}

impl<T> Future for AbortOnDropHandle<T> {
    type Output = Result<T, JoinError>;

    #[expect(clippy::expect_used, reason = "only `detach` takes it")]
    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(self.handle.as_mut().expect("only `detach` takes it")).poll(cx)
    }
}

impl<T> AsRef<JoinHandle<T>> for AbortOnDropHandle<T> {
    #[expect(clippy::expect_used, reason = "only `detach` takes it")]
    fn as_ref(&self) -> &JoinHandle<T> {
        self.handle.as_ref().expect("only `detach` takes it")
    }
}

impl<T> fmt::Debug for AbortOnDropHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortOnDropHandle").field("id", &self.as_ref().id()).finish()
    }
}

impl AbortOnDrop {
    /// See [`AbortOnDrop::new`](::tokio_util::task::AbortOnDrop::new).
    pub fn new(handle: AbortHandle) -> Self {
        Self { handle, armed: true }
    }

    /// See [`AbortOnDrop::abort`](::tokio_util::task::AbortOnDrop::abort).
    #[track_caller]
    pub fn abort(&self) {
        self.handle.abort();
    }

    /// See [`AbortOnDrop::is_finished`](::tokio_util::task::AbortOnDrop::is_finished).
    pub fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }

    /// See [`AbortOnDrop::detach`](::tokio_util::task::AbortOnDrop::detach).
    pub fn detach(mut self) -> AbortHandle {
        self.armed = false;
        self.handle.clone()
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        if self.armed {
            self.handle.abort_at(None);
        }
    }
}

#[expect(clippy::missing_fields_in_debug, reason = "as tokio-util has it")]
impl fmt::Debug for AbortOnDrop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortOnDrop").field("id", &self.handle.id()).finish()
    }
}
