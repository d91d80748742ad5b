//! Futures that bring their runtime along: tokio-util's [`context`](::tokio_util::context) module, for the drop-in's
//! runtimes.
use std::{
    future::Future,
    panic::Location,
    pin::Pin,
    task::{Context, Poll},
};

use crate::{
    recorder::wait::Keeping,
    tokio::runtime::{Handle, Runtime},
};

/// A future with the runtime that it is polled in; see
/// [`tokio_util::context::TokioContext`].
#[derive(Debug)]
pub struct TokioContext<F> {
    future: F,
    handle: Handle,
}

impl<F> TokioContext<F> {
    /// See [`TokioContext::new`](::tokio_util::context::TokioContext::new).
    pub fn new(future: F, handle: Handle) -> Self {
        Self { future, handle }
    }

    /// See [`TokioContext::handle`](::tokio_util::context::TokioContext::handle).
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// See [`TokioContext::into_inner`](::tokio_util::context::TokioContext::into_inner).
    pub fn into_inner(self) -> F {
        self.future
    }
}

impl<F: Future> Future for TokioContext<F> {
    type Output = F::Output;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let _keeping = Keeping::of::<F>(Location::caller());
        // SAFETY: `future` is pinned with `self`; `into_inner` takes one that was not. `handle` is not pinned.
        let this = unsafe { self.get_unchecked_mut() };
        let _entered = this.handle.enter();
        // SAFETY: as above.
        unsafe { Pin::new_unchecked(&mut this.future) }.poll(cx)
    }
}

/// Gives futures a runtime; see [`tokio_util::context::RuntimeExt`].
pub trait RuntimeExt {
    /// See [`RuntimeExt::wrap`](::tokio_util::context::RuntimeExt::wrap).
    fn wrap<F: Future>(&self, fut: F) -> TokioContext<F>;
}

impl RuntimeExt for Runtime {
    fn wrap<F: Future>(&self, fut: F) -> TokioContext<F> {
        TokioContext::new(fut, self.handle().clone())
    }
}
