//! Those of the table who are told of from their spawn, or from their next poll on, to their end.
use std::{
    panic::Location,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use super::{KNOWN, Place, find, register};
use crate::recorder::{
    Recorder, peek,
    site::{SiteInfo, SiteKind},
    task::{TaskKind, TaskRef, TaskSlot},
    totals::Total,
};

/// tokio gave out the ids below this before anything was recorded; 0 where those are left alone.
static RECORDED_FROM: AtomicU64 = AtomicU64::new(0);

/// Recording has begun: whoever is spawned from here on is told of when it is. Who was meanwhile is found before it is asked
/// about.
pub(crate) fn recording_begins() {
    // Never polled. It is there for its id: they come one by one.
    let now = ::tokio::task::LocalSet::new().spawn_local(async {}).id();
    RECORDED_FROM.store(peek::task_id(now), Relaxed);
}

/// The slot of a task that is told of. Its spawn and its end tell of it, so nobody asks while it comes or goes.
#[inline]
pub(crate) fn told_of(id: u64) -> Option<&'static TaskSlot> {
    KNOWN.places(id).filter_map(Place::get).find(|slot| slot.is_told_as(id))
}

/// The same of a task that has just been spawned, as `info` and `kind` say; `None` where there is no room.
pub(crate) fn enter(
    recorder: &'static Recorder,
    id: u64,
    info: &SiteInfo,
    kind: TaskKind,
) -> Option<&'static TaskSlot> {
    let Some(place) = KNOWN.claim(recorder, id) else {
        shed(recorder, Some(info));
        return None;
    };
    let task = register(place, id, || TaskSlot::register(recorder, info, kind, 1)?.into_task(), |_| {})?;
    // The table's reference, until the task ends.
    Some(task.into_retained())
}

/// A task was spawned for which there is no room, at a place that may be one too many as well.
pub(crate) fn shed(recorder: &'static Recorder, info: Option<&SiteInfo>) {
    if let Some(site) = info.and_then(|info| recorder.sites.get(info)) {
        site.add(Total::Spawned, 1);
        site.add(Total::Shed, 1);
    }
    recorder.tasks.count_shed();
}

/// The slot of a task that nobody told of so far and is about to be polled, where it was spawned before anything was
/// recorded, at the place that `spawned_at` gives. It may be one that was seen waiting, in the poll that recording began in.
#[inline]
pub(crate) fn spawned_before(
    recorder: &'static Recorder,
    id: u64,
    spawned_at: impl FnOnce() -> &'static Location<'static>,
) -> Option<&'static TaskSlot> {
    (id < RECORDED_FROM.load(Relaxed)).then(|| enter_late(recorder, id, spawned_at()))?
}

#[cold]
fn enter_late(
    recorder: &'static Recorder,
    id: u64,
    spawned_at: &'static Location<'static>,
) -> Option<&'static TaskSlot> {
    let info = SiteInfo::of_thing(SiteKind::Spawn, spawned_at, "");
    let enter = |site| {
        if let Some(seen) = find(id) {
            seen.slot().told_late(site);
            return Some(seen);
        }
        let Some(place) = KNOWN.claim(recorder, id) else {
            recorder.tasks.count_shed();
            return None;
        };
        // What finds no slot counts itself.
        register(place, id, || TaskSlot::register_late(recorder, site), |_| {})
    };
    let task = if let Some(site) = recorder.sites.get(&info) {
        enter(site)
    } else {
        recorder.tasks.count_shed();
        None
    };
    if task.is_none() {
        // Where there is no room for one, the rest would be counted anew in each of their polls.
        RECORDED_FROM.store(0, Relaxed);
    }
    // The table's reference, until the task ends.
    task.map(TaskRef::into_retained)
}

/// Takes a task that is told of out of the table, whose reference is the caller's now.
pub(crate) fn take(id: u64) -> Option<&'static TaskSlot> {
    KNOWN.places(id).find(|place| place.get().is_some_and(|slot| slot.is_told_as(id)))?.take()
}
