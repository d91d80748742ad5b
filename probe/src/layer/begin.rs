//! A span comes up: what it stands for gets its slot, or is found.
use tracing::span::Attributes;

use super::{
    fields::{Made, Operation, Source},
    here, met,
    spans::{self, Kind, Span},
};
use crate::recorder::{
    Recorder,
    channel::ChannelSlot,
    foreign,
    holds::{Mode, Shared},
    lock::{LockKind, LockSlot},
    place::Place,
    site::{OutputKind, SiteInfo, SiteKind},
    task::TaskKind,
    thread,
    totals::Total,
};

/// What an `mpsc` is called whose own line is not told: its place is the one where the task was spawned that made it.
static MPSC: &str = "mpsc of the task spawned here";

/// A span that is wanted, with that id.
pub(super) fn span(recorder: &'static Recorder, attributes: &Attributes<'_>, id: u64) {
    let metadata = attributes.metadata();
    match (metadata.name(), metadata.target()) {
        ("runtime.spawn", _) => task(recorder, attributes, id),
        ("runtime.resource.async_op", _) => operation(recorder, attributes, id),
        // The drop-in watches what it makes, and tokio's within tells the same again.
        _ if recorder.has_drop_in() => {}
        ("runtime.resource", "tokio::sync::batch_semaphore") => semaphore_within(recorder, id),
        ("runtime.resource", "tokio::sync::oneshot") => oneshot(recorder, attributes, id),
        ("runtime.resource", module) => lock(recorder, attributes, module, id),
        _ => {}
    }
}

fn task(recorder: &'static Recorder, attributes: &Attributes<'_>, id: u64) {
    let mut made = Made::default();
    attributes.record(&mut made);
    let Some(kind) = made.kind.filter(|_| made.task != 0) else { return };
    let place = made.place(attributes);
    if kind == TaskKind::Blocking && place.is_some_and(is_worker) {
        return;
    }
    if kind == TaskKind::Root {
        met::another();
    }
    let info = || {
        let size = if made.original_size == 0 { made.size } else { made.original_size };
        Some(SiteInfo {
            kind: SiteKind::Spawn,
            location: place?,
            type_name: foreign::nameless(),
            output: OutputKind::Unknown,
            future_bytes: if kind == TaskKind::Blocking { 0 } else { u32::try_from(size).unwrap_or(u32::MAX) },
        })
    };
    let Some(span) = spans::place_for(recorder, id) else { return foreign::told_of_none(recorder, info) };
    match foreign::told(recorder, made.task, info, kind) {
        Some(slot) => {
            if !made.name().is_empty() {
                slot.set_name(made.name());
            }
            // A root is polled by the thread that asks for it, and is no task to tokio.
            Span::enter_task(span, made.task, slot, if kind == TaskKind::Root { here::thread() } else { 0 });
        }
        None => span.give_back(),
    }
}

/// A worker of a runtime of several threads is a job of its blocking pool, which lasts as long as the runtime, and in which
/// all its tasks are polled.
fn is_worker(place: Place) -> bool {
    let end = ["runtime", "scheduler", "multi_thread", "worker.rs"];
    let mut path = place.file().rsplit(['/', '\\']);
    end.iter().rev().all(|part| path.next() == Some(part)) && path.any(|part| part.starts_with("tokio"))
}

fn lock(recorder: &'static Recorder, attributes: &Attributes<'_>, module: &str, id: u64) {
    let (kind, type_name) = match module {
        "tokio::sync::mutex" => (LockKind::Mutex, "Mutex"),
        "tokio::sync::rwlock" => (LockKind::RwLock, "RwLock"),
        "tokio::sync::semaphore" => (LockKind::Semaphore, "Semaphore"),
        "tokio::sync::barrier" => (LockKind::Barrier, "Barrier"),
        _ => return,
    };
    let Some((place, span)) = place(attributes).and_then(|place| Some((place, spans::place_for(recorder, id)?))) else {
        here::made_untold(id);
        return recorder.locks.count_shed();
    };
    let info = SiteInfo::of_thing(SiteKind::Lock, place, type_name);
    let span_kind = if kind == LockKind::Barrier { Kind::Barrier } else { Kind::Lock };
    let slot = match kind {
        LockKind::Barrier => LockSlot::register(recorder, &info, kind, |_| {}),
        // How many may read, and how many permits there are, is told next.
        _ => LockSlot::register_shared(recorder, &info, kind, 1, |_| {}),
    };
    if let Some(slot) = slot {
        Span::enter_lock(span, span_kind, slot);
    } else {
        here::made_untold(id);
        span.give_back();
    }
}

/// The semaphore inside of something: of the semaphore that is being made, or else of a channel, of which nothing else is
/// told.
fn semaphore_within(recorder: &'static Recorder, id: u64) {
    let span = spans::place_for(recorder, id);
    if let Some((outer, lock)) = here::innermost().and_then(|outer| Some((outer, outer.lock()?))) {
        match (span, Shared::of(lock)) {
            (Some(span), Some(made)) => {
                Span::enter_lock(span, Kind::Permits, lock);
                made.told_pool();
            }
            (None, Some(_)) => outer.forget_lock(recorder, lock),
            (Some(span), None) => span.give_back(),
            (None, None) => {}
        }
        return;
    }
    let Some(span) = span else { return recorder.channels.count_shed() };
    let channel = thread::current_task().and_then(|maker| {
        let info = SiteInfo::of_thing(SiteKind::Channel, maker.site().info.location, MPSC);
        ChannelSlot::told(recorder, &info)
    });
    match channel {
        Some(channel) => Span::enter_channel(span, channel),
        None => span.give_back(),
    }
}

fn oneshot(recorder: &'static Recorder, attributes: &Attributes<'_>, id: u64) {
    let Some((place, span)) = place(attributes).and_then(|place| Some((place, spans::place_for(recorder, id)?))) else {
        return spans::count_shed();
    };
    let info = SiteInfo::of_thing(SiteKind::Oneshot, place, "oneshot");
    match recorder.sites.get(&info) {
        Some(site) => {
            site.add(Total::Spawned, 1);
            Span::enter_oneshot(span, site);
        }
        None => span.give_back(),
    }
}

fn operation(recorder: &'static Recorder, attributes: &Attributes<'_>, id: u64) {
    let Some(resource) = here::innermost() else { return };
    if !matches!(resource.kind(), Kind::Lock | Kind::Barrier | Kind::Channel) {
        return;
    }
    let Some(span) = spans::place_for(recorder, id) else { return spans::count_shed() };
    let mut source = Source::default();
    attributes.record(&mut source);
    let mode = match source.0 {
        Operation::Read => Mode::Read,
        Operation::Write => Mode::Write,
        Operation::Other => Mode::Permits,
    };
    Span::enter_operation(span, resource, mode);
}

fn place(attributes: &Attributes<'_>) -> Option<Place> {
    let mut made = Made::default();
    attributes.record(&mut made);
    made.place(attributes)
}
