//! Guards that cancel a token when they are dropped.
use std::fmt;

use super::{CallSite, CancellationToken};

/// Cancels a token when it is dropped; see [`tokio_util::sync::DropGuard`](::tokio_util::sync::DropGuard).
pub struct DropGuard {
    /// `None` only while it is taken apart.
    token: Option<CancellationToken>,
    /// What is told as the place of the cancellation.
    made: CallSite,
}

/// Cancels a borrowed token when it is dropped; see [`tokio_util::sync::DropGuardRef`](::tokio_util::sync::DropGuardRef).
pub struct DropGuardRef<'a> {
    token: &'a CancellationToken,
    armed: bool,
    made: CallSite,
}

impl DropGuard {
    pub(super) fn new(token: CancellationToken, made: CallSite) -> Self {
        Self { token: Some(token), made }
    }

    /// See [`DropGuard::token`](::tokio_util::sync::DropGuard::token).
    #[expect(clippy::missing_panics_doc, clippy::expect_used, reason = "only `disarm` takes it, and the guard with it")]
    pub fn token(&self) -> &CancellationToken {
        self.token.as_ref().expect("only `disarm` takes it")
    }

    /// See [`DropGuard::disarm`](::tokio_util::sync::DropGuard::disarm).
    #[expect(clippy::missing_panics_doc, clippy::expect_used, reason = "as above")]
    pub fn disarm(mut self) -> CancellationToken {
        self.token.take().expect("only this takes it")
    }
}

impl Drop for DropGuard {
    fn drop(&mut self) {
        if let Some(token) = &self.token {
            token.cancel_at(self.made);
        }
    }
}

impl<'a> DropGuardRef<'a> {
    pub(super) fn new(token: &'a CancellationToken, made: CallSite) -> Self {
        Self { token, armed: true, made }
    }

    /// See [`DropGuardRef::token`](::tokio_util::sync::DropGuardRef::token).
    pub fn token(&self) -> &CancellationToken {
        self.token
    }

    /// See [`DropGuardRef::disarm`](::tokio_util::sync::DropGuardRef::disarm).
    pub fn disarm(mut self) -> &'a CancellationToken {
        self.armed = false;
        self.token
    }
}

impl Drop for DropGuardRef<'_> {
    fn drop(&mut self) {
        if self.armed {
            self.token.cancel_at(self.made);
        }
    }
}

#[expect(clippy::missing_fields_in_debug, reason = "as tokio-util has it")]
impl fmt::Debug for DropGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DropGuard").field("inner", &self.token).finish()
    }
}

impl fmt::Debug for DropGuardRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DropGuardRef").field("inner", &self.armed.then_some(self.token)).finish()
    }
}
