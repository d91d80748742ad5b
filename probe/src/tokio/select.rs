//! [`select!`](crate::tokio::select): tokio's own, and what a branch holds when it is dropped unfinished.
use std::{
    fmt,
    future::{Future, IntoFuture},
    panic::Location,
    pin::Pin,
    task::{Context, Poll},
};

use crate::recorder::{
    unfinished::{By, MayEnd},
    wait::Keeping,
};

/// What a branch waits for. Made by its fields and not by a function, since temporaries within a field live for as long as
/// those in tokio's own macro do.
#[doc(hidden)]
#[derive(Debug)]
pub struct Branch<F> {
    pub future: F,
    pub at: &'static Location<'static>,
}

impl<F: IntoFuture> IntoFuture for Branch<F> {
    type Output = F::Output;
    type IntoFuture = BranchFuture<F::IntoFuture>;

    #[inline]
    fn into_future(self) -> Self::IntoFuture {
        BranchFuture(MayEnd::new(self.future.into_future(), By::Select, self.at))
    }
}

/// A branch that is waited for.
#[doc(hidden)]
pub struct BranchFuture<F>(MayEnd<F>);

impl<F: Future> Future for BranchFuture<F> {
    type Output = F::Output;

    #[inline]
    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let _keeping = Keeping::if_reference::<F>();
        // SAFETY: the field is pinned with `self`.
        unsafe { self.map_unchecked_mut(|this| &mut this.0) }.poll(cx)
    }
}

impl<F: fmt::Debug> fmt::Debug for BranchFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Waits for several things and goes on with the first; see [`tokio::select!`](::tokio::select).
///
/// Watched: the locks that a branch holds when another one was first, and it is dropped in the middle of its work. More
/// than 50 branches need a `#![recursion_limit]` above the usual 128.
#[macro_export]
#[doc(hidden)]
macro_rules! __async_inspect_select {
    // One branch after the other is taken from the front, and put with its future wrapped into the brackets; how a branch
    // may be written, and what follows it, is tokio's.
    (@ [($($biased:tt)*) $(($bind:pat) ($future:expr) ($on:expr) ($then:expr))*] $(else => $else:expr $(,)?)?) => {
        $crate::tokio::raw::select! {
            $($biased)*
            $(
                $bind = $crate::tokio::__SelectBranch { future: $future, at: ::core::panic::Location::caller() },
                    if $on => { $then },
            )*
            $(else => $else)?
        }
    };
    (@ [$($done:tt)*] $bind:pat = $future:expr, if $on:expr => $then:block, $($rest:tt)*) => {
        $crate::__async_inspect_select!(@ [$($done)* ($bind) ($future) ($on) ($then)] $($rest)*)
    };
    (@ [$($done:tt)*] $bind:pat = $future:expr => $then:block, $($rest:tt)*) => {
        $crate::__async_inspect_select!(@ [$($done)* ($bind) ($future) (true) ($then)] $($rest)*)
    };
    (@ [$($done:tt)*] $bind:pat = $future:expr, if $on:expr => $then:block $($rest:tt)*) => {
        $crate::__async_inspect_select!(@ [$($done)* ($bind) ($future) ($on) ($then)] $($rest)*)
    };
    (@ [$($done:tt)*] $bind:pat = $future:expr => $then:block $($rest:tt)*) => {
        $crate::__async_inspect_select!(@ [$($done)* ($bind) ($future) (true) ($then)] $($rest)*)
    };
    (@ [$($done:tt)*] $bind:pat = $future:expr, if $on:expr => $then:expr) => {
        $crate::__async_inspect_select!(@ [$($done)* ($bind) ($future) ($on) ($then)])
    };
    (@ [$($done:tt)*] $bind:pat = $future:expr => $then:expr) => {
        $crate::__async_inspect_select!(@ [$($done)* ($bind) ($future) (true) ($then)])
    };
    (@ [$($done:tt)*] $bind:pat = $future:expr, if $on:expr => $then:expr, $($rest:tt)*) => {
        $crate::__async_inspect_select!(@ [$($done)* ($bind) ($future) ($on) ($then)] $($rest)*)
    };
    (@ [$($done:tt)*] $bind:pat = $future:expr => $then:expr, $($rest:tt)*) => {
        $crate::__async_inspect_select!(@ [$($done)* ($bind) ($future) (true) ($then)] $($rest)*)
    };
    (biased; $($branches:tt)*) => {
        $crate::__async_inspect_select!(@ [(biased;)] $($branches)*)
    };
    ($($branches:tt)*) => {
        $crate::__async_inspect_select!(@ [()] $($branches)*)
    };
}
