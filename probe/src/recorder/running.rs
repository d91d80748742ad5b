//! What a task's future or closure has of the task, in one word: its slot, or, where there was no room for one, the site at
//! which its end is counted. So what is shed has a beginning and an end in the totals, as everything else.
use std::ptr::NonNull;
#[cfg(tokio_unstable)]
use std::sync::atomic::Ordering::Relaxed;

use super::{
    site::Site,
    task::{Stage, TaskRef, TaskSlot},
    totals::Total,
};

/// A task, for whoever runs it. Its end has to be told, by [`Running::ended`], or of a slot
/// by [`TaskSlot::ended`] or [`TaskSlot::returned`].
pub(crate) struct Running(NonNull<()>);

/// In the address: it is a site's. Both are aligned to more than that.
const SHED: usize = 1;
const _: () = assert!(align_of::<Site>() > SHED && align_of::<TaskSlot>() > SHED);

// SAFETY: a shared reference to a slot or to a site, which may be sent and shared.
unsafe impl Send for Running {}
// SAFETY: as above.
unsafe impl Sync for Running {}

impl Running {
    /// One that has a slot.
    #[inline]
    pub(super) fn watched(task: TaskRef) -> Self {
        Self(NonNull::from(task.into_retained()).cast())
    }

    /// One of `site` that has none.
    #[cold]
    pub(super) fn shed(site: &'static Site) -> Self {
        Self(NonNull::from(site).cast().map_addr(|address| address | SHED))
    }

    /// Its slot, if it has one.
    #[inline]
    pub(crate) fn slot(&self) -> Option<&'static TaskSlot> {
        // SAFETY: without the bit it is the address of a slot, which is never freed.
        (self.0.addr().get() & SHED == 0).then(|| unsafe { self.0.cast().as_ref() })
    }

    /// For each of as many as it was registered for: to count them then, at once, is no locked instruction.
    ///
    /// # Safety
    /// It was registered for `N`, and this is called once.
    #[inline]
    pub(crate) unsafe fn shared<const N: usize>(self) -> [Self; N] {
        let shared = self.0;
        std::mem::forget(self);
        [(); N].map(|()| Self(shared))
    }

    /// For a handle: a reference to the slot, if it has one.
    #[inline]
    pub(crate) fn task(&self) -> Option<TaskRef> {
        self.slot().map(|slot| {
            slot.retain();
            // SAFETY: counted just now.
            unsafe { TaskRef::from_retained(slot) }
        })
    }

    /// The same, instead of this.
    #[inline]
    pub(crate) fn into_task(self) -> Option<TaskRef> {
        let slot = self.slot();
        std::mem::forget(self);
        // SAFETY: the reference was this one's.
        slot.map(|slot| unsafe { TaskRef::from_retained(slot) })
    }

    /// The task came to an end; called once, by the side that runs it.
    pub(super) fn ended(&self, stage: Stage) {
        match self.slot() {
            Some(slot) => slot.ended(stage),
            // SAFETY: with the bit it is the address of a site, which is never freed.
            None => unsafe { self.0.byte_sub(SHED).cast::<Site>().as_ref() }.shed_ended(stage),
        }
    }
}

impl Clone for Running {
    #[inline]
    fn clone(&self) -> Self {
        if let Some(slot) = self.slot() {
            slot.retain();
        }
        Self(self.0)
    }
}

impl Drop for Running {
    #[inline]
    fn drop(&mut self) {
        if let Some(slot) = self.slot() {
            // SAFETY: the reference is this one's, which is not used again.
            drop(unsafe { TaskRef::from_retained(slot) });
        }
    }
}

impl Site {
    /// A task from here that has no slot came to an end. How old it was is not known.
    #[cold]
    fn shed_ended(&self, stage: Stage) {
        match stage {
            Stage::Panicked => self.add(Total::Panics, 1),
            Stage::Cancelled => self.add(Total::Aborted, 1),
            _ => {}
        }
        self.add(Total::Finished, 1);
    }

    /// A task from here ended of which only its id is known: one that was shed, unless all of those ended before.
    #[cfg(tokio_unstable)]
    #[cold]
    pub(super) fn unknown_ended(&self) {
        let shed = self.total(Total::Shed);
        if self.shed_ended.try_update(Relaxed, Relaxed, |ended| (ended < shed).then_some(ended + 1)).is_ok() {
            self.add(Total::Finished, 1);
        }
    }
}
