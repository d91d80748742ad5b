//! Which of tokio's things this thread is at: the spans of locks, channels and operations on them that are entered, and so
//! what an event without a name of its own is about.
use std::cell::Cell;

use super::spans::{Kind, Span};
use crate::recorder::{channel::ChannelSlot, lock::LockSlot, peek};

/// Spans that may be entered within each other; tokio's own are four at the most.
const NESTED: usize = 16;

struct Here {
    /// The outermost first.
    entered: [Cell<Option<&'static Span>>; NESTED],
    /// How many are entered; more than there are places for are only counted.
    depth: Cell<usize>,
    /// The id of the span of the lock that was made here last and found no room; and the same while that is entered.
    untold: Cell<u64>,
    within_untold: Cell<u64>,
}

thread_local! {
    // Without a destructor, so that reading it is one address computation.
    static HERE: Here = const {
        Here {
            entered: [const { Cell::new(None) }; NESTED],
            depth: Cell::new(0),
            untold: Cell::new(0),
            within_untold: Cell::new(0),
        }
    };
}

/// Tells this thread from others that live.
pub(super) fn thread() -> u64 {
    HERE.with(|here| std::ptr::from_ref(here) as u64)
}

/// Whether this thread is in the poll of the task, or in the drop of its future. tokio says which task it is in; of a root,
/// that it is in none.
#[inline]
pub(super) fn is_in_task(span: &Span, task: u64) -> bool {
    let current = ::tokio::task::try_id().map_or(0, peek::task_id);
    match span.thread() {
        0 => current == task,
        only => current == 0 && only == thread(),
    }
}

/// The span is entered on this thread.
#[inline]
pub(super) fn enter(span: &'static Span) {
    HERE.with(|here| {
        let depth = here.depth.get();
        if let Some(place) = here.entered.get(depth) {
            place.set(Some(span));
        }
        here.depth.set(depth + 1);
    });
}

/// The span is left: the innermost entry of it.
#[inline]
pub(super) fn exit(span: &'static Span) {
    HERE.with(|here| {
        let depth = here.depth.get();
        let known = &here.entered[..depth.min(NESTED)];
        if let Some(at) = known.iter().rposition(|entry| entry.get().is_some_and(|entry| std::ptr::eq(entry, span))) {
            for entry in known[at..].windows(2) {
                entry[0].set(entry[1].get());
            }
        } else if depth <= NESTED {
            // Entered while nothing was recorded.
            return;
        }
        here.depth.set(depth.saturating_sub(1));
    });
}

/// A lock is made here that there is no room for: the semaphore inside of it is no channel's.
pub(super) fn made_untold(id: u64) {
    HERE.with(|here| here.untold.set(id));
}

/// A span that is not known is entered.
pub(super) fn enter_unknown(id: u64) {
    HERE.with(|here| {
        if here.untold.get() == id {
            here.within_untold.set(id);
        }
    });
}

/// It is left.
pub(super) fn exit_unknown(id: u64) {
    HERE.with(|here| {
        if here.within_untold.get() == id {
            here.within_untold.set(0);
        }
    });
}

/// The innermost span.
#[inline]
pub(super) fn innermost() -> Option<&'static Span> {
    within(0)
}

/// The span in which the innermost one lies, or one farther out.
#[inline]
fn within(out: usize) -> Option<&'static Span> {
    HERE.with(|here| here.entered.get(here.depth.get().checked_sub(out + 1)?)?.get())
}

/// The send in whose poll this thread is, if it is known: its channel is entered around it and within it.
pub(super) fn send() -> Option<&'static Span> {
    (0..3).find_map(|out| within(out).filter(|span| span.kind() == Kind::Send))
}

/// Whether the semaphore inside of what is being made is wanted: in a lock it tells nothing new, and in one that there is no
/// room for nothing at all.
pub(super) fn wants_internal_semaphore() -> bool {
    HERE.with(|here| here.within_untold.get() == 0)
        && innermost().and_then(Span::lock).is_none_or(LockSlot::has_permits)
}

/// Whether the operation that begins is one on something known.
pub(super) fn wants_operation() -> bool {
    innermost().is_some_and(|span| matches!(span.kind(), Kind::Lock | Kind::Barrier))
}

/// Whether what begins is a send into a channel that is full, so that it will wait: one that does not need not be known.
pub(super) fn wants_send() -> bool {
    innermost().and_then(Span::channel).is_some_and(ChannelSlot::told_full)
}
