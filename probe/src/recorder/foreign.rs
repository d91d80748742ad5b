//! Tasks that are spawned past the drop-in, by libraries with a tokio of their own or by an app that has only the layer.
//! The runtime's hooks and the `tracing` layer tell of them, by tokio's id of the task and nothing else. Whoever is told of a
//! task by both finds its one slot [by that id](super::by_task).
//!
//! What they do not tell is not known of these tasks: what becomes of their handles and what they return; from the hooks
//! alone, who wakes them and whether they panicked; from the layer alone, whether they came to their end or were aborted.
use std::{cell::Cell, panic::Location};

#[cfg(feature = "layer")]
use super::started;
use super::{
    Recorder, by_task,
    site::{SiteInfo, SiteKind},
    task::{Stage, TaskKind, TaskRef, TaskSlot},
    thread::Outer,
};

/// The type of a future that nobody knows. One variable, so that it has one address.
static NAMELESS: &str = "";

/// Polls of such tasks that may nest on one thread, as in a runtime that runs inside of `block_in_place`; deeper ones are
/// not recorded.
const NESTED: usize = 8;

/// Who tells of a poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// The runtime's hooks, which tell of exactly the polls.
    Hooks,
    /// The layer, by a span that is entered for the polls, and for the drop of the future.
    #[cfg(feature = "layer")]
    Layer,
}

/// A poll in progress. Of it nothing is kept that would have to be copied out at its end.
struct InPoll {
    /// The task's id.
    id: Cell<u64>,
    slot: Cell<Option<&'static TaskSlot>>,
    /// By which span the layer tells of it; 0 where it does not.
    #[cfg(feature = "layer")]
    span: Cell<u64>,
    by: Cell<By>,
    /// The thread unwinds already as this begins: the future is dropped for a panic.
    unwinding: Cell<bool>,
    /// The task ended in this poll.
    ended: Cell<bool>,
    panicked: Cell<bool>,
    /// It is within another poll, which few are: `outer` is neither written nor read for those that are not.
    nested: Cell<bool>,
    /// How many times more it was said to begin, by whoever said it first: a span can be entered again.
    again: Cell<u32>,
    outer: Cell<Option<Outer>>,
}

impl InPoll {
    const fn none() -> Self {
        Self {
            id: Cell::new(0),
            slot: Cell::new(None),
            #[cfg(feature = "layer")]
            span: Cell::new(0),
            by: Cell::new(By::Hooks),
            unwinding: Cell::new(false),
            ended: Cell::new(false),
            panicked: Cell::new(false),
            nested: Cell::new(false),
            again: Cell::new(0),
            outer: Cell::new(None),
        }
    }

    #[inline]
    fn begin(&self, recorder: &'static Recorder, id: u64, slot: &'static TaskSlot, by: By) {
        if slot.polls() == 0 {
            slot.alive();
        }
        self.id.set(id);
        self.slot.set(Some(slot));
        #[cfg(feature = "layer")]
        self.span.set(0);
        self.by.set(by);
        self.unwinding.set(std::thread::panicking());
        self.ended.set(false);
        self.panicked.set(false);
        self.again.set(0);
        if let Some(outer) = slot.poll_begins(recorder) {
            self.nested.set(true);
            self.outer.set(Some(outer));
        }
    }

    /// What it is within, of which this is the end.
    #[inline]
    fn take_outer(&self) -> Option<Outer> {
        if self.nested.get() { self.take_nested() } else { None }
    }

    #[cold]
    fn take_nested(&self) -> Option<Outer> {
        self.nested.set(false);
        self.outer.take()
    }
}

struct Here {
    /// Those who are not to make a slot for the task that the drop-in spawns right now, and has seen to itself: one bit
    /// for each of [`By`].
    ours: Cell<u8>,
    /// The task that ended last without having been known: on a runtime that shuts down, a task ends before the hook
    /// tells of its spawn.
    gone: Cell<u64>,
    /// The outermost first.
    polls: [InPoll; NESTED],
    depth: Cell<usize>,
    /// The last poll of which the layer told: the task's id, and how long it took.
    #[cfg(feature = "layer")]
    last: Cell<(u64, u64)>,
}

thread_local! {
    // Without a destructor, so that reading it is one address computation.
    static HERE: Here = const {
        Here {
            ours: Cell::new(0),
            gone: Cell::new(0),
            polls: [const { InPoll::none() }; NESTED],
            depth: Cell::new(0),
            #[cfg(feature = "layer")]
            last: Cell::new((0, 0)),
        }
    };
}

/// While this lives, the drop-in spawns a task of its own on this thread.
pub(crate) struct Spawning(());

/// The drop-in is about to spawn a task of its own.
#[inline]
pub(crate) fn spawning() -> Spawning {
    HERE.with(|here| here.ours.set(u8::MAX));
    Spawning(())
}

impl Drop for Spawning {
    #[inline]
    fn drop(&mut self) {
        HERE.with(|here| here.ours.set(0));
    }
}

/// The drop-in is about to run a root of its own, of which only the layer is told.
#[cfg(feature = "layer")]
pub(crate) fn running_root() {
    HERE.with(|here| here.ours.set(1 << By::Layer as u8));
}

/// Whether the task that is being spawned is the drop-in's. The first one is; what dropping a future may spawn meanwhile
/// is not.
fn take_ours(here: &Here, by: By) -> bool {
    let bit = 1 << by as u8;
    let ours = here.ours.get();
    here.ours.set(ours & !bit);
    ours & bit != 0
}

/// A task was spawned at `location`, and is not polled yet: the hooks say so.
pub(crate) fn spawned(recorder: &'static Recorder, id: u64, location: &'static Location<'static>) {
    if HERE.with(|here| take_ours(here, By::Hooks) || here.gone.get() == id) || by_task::told_of(id).is_some() {
        return;
    }
    let info = SiteInfo::of_thing(SiteKind::Spawn, location, NAMELESS);
    by_task::enter(recorder, id, &info, TaskKind::Async);
}

/// The same by the layer, which knows more. `None` where the task is the drop-in's, or there is no room.
#[cfg(feature = "layer")]
pub(crate) fn told(
    recorder: &'static Recorder,
    id: u64,
    info: impl FnOnce() -> Option<SiteInfo>,
    kind: TaskKind,
) -> Option<&'static TaskSlot> {
    if HERE.with(|here| take_ours(here, By::Layer)) {
        return None;
    }
    let Some(info) = info() else {
        by_task::shed(recorder, None);
        return None;
    };
    let slot = by_task::enter(recorder, id, &info, kind)?;
    // What becomes of its result is not told: neither seen nor lost.
    slot.handle_did(super::handle::flag::RESULT_TAKEN);
    Some(slot)
}

/// The layer tells of a task that it finds no place for.
#[cfg(feature = "layer")]
pub(crate) fn told_of_none(recorder: &'static Recorder, info: impl FnOnce() -> Option<SiteInfo>) {
    if !HERE.with(|here| take_ours(here, By::Layer)) {
        by_task::shed(recorder, info().as_ref());
    }
}

/// A layer's `SiteInfo` of something nameless.
#[cfg(feature = "layer")]
pub(crate) fn nameless() -> &'static str {
    NAMELESS
}

/// A poll of a task that was spawned at the place that `spawned_at` gives begins on this thread, as the hooks say.
#[inline]
pub(crate) fn poll_begins(
    recorder: &'static Recorder,
    id: u64,
    spawned_at: impl FnOnce() -> &'static Location<'static>,
) {
    if let Some(slot) = by_task::told_of(id).or_else(|| by_task::spawned_before(recorder, id, spawned_at)) {
        HERE.with(|here| {
            if !goes_on(here, id, By::Hooks) {
                begins(here, recorder, id, slot, By::Hooks);
            }
        });
    }
}

/// A poll of the task `id`, or the drop of its future, begins on this thread, as the layer says by `span`; but only if
/// `is_in_task`, unless it goes on already.
#[cfg(feature = "layer")]
#[inline]
pub(crate) fn entered(span: u64, id: u64, slot: &'static TaskSlot, is_in_task: impl FnOnce() -> bool) {
    if slot.id() == id {
        HERE.with(|here| enter_here(here, span, id, slot, is_in_task));
    }
}

/// A function of its own, as [`end_here`] is: what a closure for a thread's local holds goes through memory.
#[cfg(feature = "layer")]
#[inline(never)]
fn enter_here(here: &Here, span: u64, id: u64, slot: &'static TaskSlot, is_in_task: impl FnOnce() -> bool) {
    if !goes_on(here, id, By::Layer) {
        if !is_in_task() {
            return;
        }
        begins(here, started(), id, slot, By::Layer);
    }
    if let Some(poll) = here.innermost().filter(|poll| poll.id.get() == id) {
        poll.span.set(span);
    }
}

impl Here {
    /// The innermost poll.
    #[inline]
    fn innermost(&self) -> Option<&InPoll> {
        self.polls.get(self.depth.get().checked_sub(1)?)
    }
}

/// The slot of the task in whose poll this thread is, if it is the one that the layer tells of by `span`. It is that task's
/// until the poll is over.
#[cfg(feature = "layer")]
#[inline]
pub(crate) fn polled_here(span: u64) -> Option<&'static TaskSlot> {
    HERE.with(|here| here.innermost().filter(|poll| span != 0 && poll.span.get() == span)?.slot.get())
}

/// Whether the innermost poll is one of this task, which then is said to begin once more.
#[inline]
fn goes_on(here: &Here, id: u64, by: By) -> bool {
    let Some(poll) = here.innermost().filter(|poll| poll.id.get() == id) else { return false };
    if poll.by.get() == by {
        poll.again.set(poll.again.get() + 1);
    }
    true
}

#[inline]
fn begins(here: &Here, recorder: &'static Recorder, id: u64, slot: &'static TaskSlot, by: By) {
    let depth = here.depth.get();
    if let Some(free) = here.polls.get(depth) {
        free.begin(recorder, id, slot, by);
        here.depth.set(depth + 1);
    }
}

/// The poll ended, by a panic too.
#[inline]
pub(crate) fn poll_ended(id: u64) {
    HERE.with(|here| {
        // Of a task that is not known, it may be within the poll of one that is.
        if let Some(poll) = here.innermost().filter(|poll| poll.id.get() == id) {
            end_here(here, poll, By::Hooks);
        }
    });
}

/// The poll, or the drop of the future, ended, of which the layer tells by `span`. False where that is none of the innermost
/// poll's.
#[cfg(feature = "layer")]
#[inline]
pub(crate) fn exited(span: u64) -> bool {
    HERE.with(|here| {
        let poll = here.innermost().filter(|poll| poll.span.get() == span);
        poll.inspect(|poll| end_here(here, poll, By::Layer)).is_some()
    })
}

/// It is told that the innermost poll ends.
#[inline(never)]
fn end_here(here: &Here, poll: &InPoll, by: By) {
    // A span is left as the thread unwinds, a hook is called later.
    if std::thread::panicking() && !poll.unwinding.get() {
        poll.panicked.set(true);
    }
    if poll.by.get() != by {
        // By one of two who tell of it.
        return;
    }
    if let Some(again) = poll.again.get().checked_sub(1) {
        poll.again.set(again);
        return;
    }
    here.depth.set(here.depth.get() - 1);
    let Some(slot) = poll.slot.get() else { return };
    let outer = poll.take_outer();
    let took = if poll.panicked.get() { slot.poll_panicked(outer.as_ref()) } else { slot.poll_ends(outer.as_ref()) };
    #[cfg(feature = "layer")]
    here.last.set((poll.id.get(), took));
    #[cfg(not(feature = "layer"))]
    let _ = took;
    if poll.ended.get() {
        end(slot, Stage::Done);
    }
}

/// The task came to an end; in a poll of its, or without one when it is dropped. It was spawned at the place that `spawned_at`
/// gives.
pub(crate) fn terminated(
    recorder: &'static Recorder,
    id: u64,
    spawned_at: impl FnOnce() -> &'static Location<'static>,
) {
    let Some(slot) = by_task::take(id) else {
        HERE.with(|here| here.gone.set(id));
        if recorder.tasks.shed() > 0 {
            let info = SiteInfo::of_thing(SiteKind::Spawn, spawned_at(), NAMELESS);
            // The drop-in's own have another type, and so another site.
            if let Some(site) = recorder.sites.known(&info) {
                site.unknown_ended();
            }
        }
        return;
    };
    if !ends_in_poll(id) {
        end(slot, Stage::Cancelled);
    }
}

/// The task's span is gone, and with it the task.
#[cfg(feature = "layer")]
pub(crate) fn closed(id: u64) {
    // The hooks may have told of it before.
    let Some(slot) = by_task::take(id) else { return };
    if ends_in_poll(id) {
        return;
    }
    // The span was entered last for the drop of the future, which is no poll.
    let (last, took) = HERE.with(|here| here.last.replace((0, 0)));
    if last == id {
        slot.forget_poll(took);
    }
    end(slot, if slot.polls() == 0 { Stage::Cancelled } else { Stage::Done });
}

/// Whether the task is in a poll on this thread, at the end of which it will have ended.
fn ends_in_poll(id: u64) -> bool {
    HERE.with(|here| {
        let poll = here.polls[..here.depth.get()].iter().find(|poll| poll.id.get() == id);
        poll.inspect(|poll| poll.ended.set(true)).is_some()
    })
}

fn end(slot: &'static TaskSlot, stage: Stage) {
    let stage = if slot.has_panicked() { Stage::Panicked } else { stage };
    slot.counts_late();
    slot.ended(stage);
    // SAFETY: the table's reference, of a slot that was taken out of it.
    drop(unsafe { TaskRef::from_retained(slot) });
}
