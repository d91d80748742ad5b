//! A span comes up: what it stands for gets its slot, or is found.
use tracing::span::Attributes;

use super::{
    fields::{Made, Operation, Source},
    here, met,
    spans::{Kind, Span},
};
use crate::recorder::{
    Recorder,
    channel::ChannelSlot,
    foreign,
    holds::Mode,
    lock::{LockKind, LockSlot},
    place::Place,
    site::{OutputKind, SiteInfo, SiteKind, add},
    task::TaskKind,
    thread,
};

/// What an `mpsc` is called whose own line is not told: its place is the one where the task was spawned that made it.
static MPSC: &str = "mpsc of the task spawned here";

/// A span that is wanted, with that id.
pub(super) fn span(recorder: &'static Recorder, attributes: &Attributes<'_>, id: u64) {
    let metadata = attributes.metadata();
    match (metadata.name(), metadata.target()) {
        ("runtime.spawn", _) => task(recorder, attributes, id),
        ("runtime.resource.async_op", _) => operation(attributes, id),
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
    Span::enter_task(id, || {
        let slot = foreign::told(recorder, made.task, info, kind)?;
        // A root is polled by the thread that asks for it, and is no task to tokio.
        Some((made.task, slot, if kind == TaskKind::Root { here::thread() } else { 0 }))
    });
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
    let Some(place) = place(attributes) else { return };
    let info = SiteInfo::of_thing(SiteKind::Lock, place, type_name);
    let span_kind = if kind == LockKind::Barrier { Kind::Barrier } else { Kind::Lock };
    let slot = match kind {
        LockKind::Barrier => LockSlot::register(recorder, &info, kind, |_| {}),
        // How many may read, and how many permits there are, is told next.
        _ => LockSlot::register_shared(recorder, &info, kind, 1, |_| {}),
    };
    if let Some(slot) = slot
        && !Span::enter_lock(id, span_kind, slot)
    {
        slot.retire();
    }
}

/// The semaphore inside of something: of the semaphore that is being made, or else of a channel, of which nothing else is
/// told.
fn semaphore_within(recorder: &'static Recorder, id: u64) {
    if let Some(made) = here::innermost().and_then(Span::shared) {
        if let Some(lock) = here::innermost().and_then(Span::lock)
            && Span::enter_lock(id, Kind::Permits, lock)
        {
            made.told_pool();
        }
        return;
    }
    let Some(maker) = thread::current_task() else { return };
    let info = SiteInfo::of_thing(SiteKind::Channel, maker.site().info.location, MPSC);
    if let Some(channel) = ChannelSlot::told(recorder, &info) {
        Span::enter_channel(id, channel);
    }
}

fn oneshot(recorder: &'static Recorder, attributes: &Attributes<'_>, id: u64) {
    let Some(place) = place(attributes) else { return };
    let info = SiteInfo::of_thing(SiteKind::Oneshot, place, "oneshot");
    if let Some(site) = recorder.sites.get(&info) {
        add(&site.spawned, 1);
        Span::enter_oneshot(id, site);
    }
}

fn operation(attributes: &Attributes<'_>, id: u64) {
    let Some(resource) = here::innermost() else { return };
    if !matches!(resource.kind(), Kind::Lock | Kind::Barrier | Kind::Channel) {
        return;
    }
    let mut source = Source::default();
    attributes.record(&mut source);
    let mode = match source.0 {
        Operation::Read => Mode::Read,
        Operation::Write => Mode::Write,
        Operation::Other => Mode::Permits,
    };
    Span::enter_operation(id, resource, mode);
}

fn place(attributes: &Attributes<'_>) -> Option<Place> {
    let mut made = Made::default();
    attributes.record(&mut made);
    made.place(attributes)
}
