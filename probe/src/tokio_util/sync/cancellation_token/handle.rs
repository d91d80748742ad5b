//! What a handle of a token knows: the token's slot, and the task that listens by this handle.
use std::sync::atomic::{
    AtomicPtr, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use crate::recorder::{ending::EndingRef, membership::Scope, task::TaskSlot, thread};

pub(super) struct Handle {
    token: Option<EndingRef>,
    /// The task that made or cloned this handle; 0 outside of any.
    made_in: u64,
    /// The task that listens by this handle, and its id, since its slot may be another's by now; null and 0 for none.
    listener: AtomicPtr<TaskSlot>,
    listener_id: AtomicU64,
}

impl Handle {
    pub(super) fn new(token: Option<EndingRef>) -> Self {
        if let Some(token) = &token {
            token.members(1);
        }
        Self {
            made_in: if token.is_some() { thread::current_task_id() } else { 0 },
            token,
            listener: AtomicPtr::new(std::ptr::null_mut()),
            listener_id: AtomicU64::new(0),
        }
    }

    pub(super) fn token(&self) -> Option<&EndingRef> {
        self.token.as_ref()
    }

    /// Somebody asks whether it is cancelled, once.
    #[inline]
    pub(super) fn asked(&self) {
        self.used(false);
    }

    /// Somebody waits for it to be cancelled.
    #[inline]
    pub(super) fn awaited(&self) {
        self.used(true);
    }

    /// The task in poll listens to the token, if this handle is its own: it lies in the task's future; or the task cloned
    /// it for itself, and waits by it. A handle that lies elsewhere may be shared, and outlives what a task does with it:
    /// from that nothing follows.
    fn used(&self, waits: bool) {
        let (Some(token), Some(task)) = (&self.token, thread::current_task()) else { return };
        let (token, id) = (token.slot().id(), task.id());
        if self.listener_id.load(Relaxed) == id && task.with(Scope::Token) == token {
            return;
        }
        if waits && self.made_in == id && id != 0 || thread::is_in_future(self) {
            self.leave();
            task.enter(Scope::Token, token);
            self.listener.store(std::ptr::from_ref(task).cast_mut(), Relaxed);
            self.listener_id.store(id, Release);
        }
    }

    fn leave(&self) {
        let id = self.listener_id.load(Acquire);
        // SAFETY: null, or a slot, which is never freed.
        if let (Some(token), Some(task)) = (&self.token, unsafe { self.listener.load(Relaxed).as_ref() })
            && id != 0
            && task.id() == id
        {
            task.leave(Scope::Token, token.slot().id());
        }
    }

    /// Somebody saw that it is cancelled.
    #[inline]
    pub(super) fn seen_cancelled(&self) {
        if let Some(token) = &self.token {
            token.seen_to_end();
        }
    }
}

impl Clone for Handle {
    fn clone(&self) -> Self {
        Self::new(self.token.clone())
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.leave();
        if let Some(token) = &self.token {
            token.members(-1);
        }
    }
}
