//! [`JoinSetStream`].
use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::Stream;

use crate::tokio::task::{JoinError, JoinSet};

/// The results of a [`JoinSet`] as a stream; see
/// [`tokio_stream::wrappers::JoinSetStream`](::tokio_stream::wrappers::JoinSetStream).
#[derive(Debug)]
pub struct JoinSetStream<T> {
    inner: JoinSet<T>,
}

impl<T> JoinSetStream<T> {
    /// See [`JoinSetStream::new`](::tokio_stream::wrappers::JoinSetStream::new).
    pub fn new(join_set: JoinSet<T>) -> Self {
        Self { inner: join_set }
    }

    /// See [`JoinSetStream::into_inner`](::tokio_stream::wrappers::JoinSetStream::into_inner).
    pub fn into_inner(self) -> JoinSet<T> {
        self.inner
    }
}

impl<T: 'static> Stream for JoinSetStream<T> {
    type Item = Result<T, JoinError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.inner.poll_join_next(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.inner.len(), Some(self.inner.len()))
    }
}

impl<T> AsRef<JoinSet<T>> for JoinSetStream<T> {
    fn as_ref(&self) -> &JoinSet<T> {
        &self.inner
    }
}

impl<T> AsMut<JoinSet<T>> for JoinSetStream<T> {
    fn as_mut(&mut self) -> &mut JoinSet<T> {
        &mut self.inner
    }
}

impl<T> From<JoinSet<T>> for JoinSetStream<T> {
    fn from(join_set: JoinSet<T>) -> Self {
        Self::new(join_set)
    }
}
