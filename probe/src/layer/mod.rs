//! The `tracing` layer: the third way in, for apps that cannot rename tokio. Under `--cfg tokio_unstable` and with its
//! feature `tracing`, tokio tells of itself by spans and events; this reads them and writes what they say into the
//! recorder's slots, by tokio's ids of tasks, so that who is told of a task in several ways is told of one.
//!
//! It is the fallback, never the default: tokio's feature alone makes an uncontended `Mutex` several times slower, and a
//! good deal is not told (see [`blind`]).
//!
//! | file | what |
//! |---|---|
//! | [`callsites`] | which of all spans and events are wanted; the rest is refused |
//! | [`alone`] | whether what is refused is wanted by nobody else |
//! | [`known`] | what the events of each callsite tell |
//! | [`fields`] | what is read out of them |
//! | [`spans`] | from a span's id to what it stands for |
//! | [`here`] | which of tokio's things this thread is at |
//! | [`met`] | which runtime this thread works for |
//! | [`begin`] | a span comes up |
//! | [`tell`] | an event, within a span or of a span's id |
//! | [`blind`] | what is not visible by this way |
//!
//! Nothing here allocates in an event, locks, or has any `tracing` of its own. What the probe's thread does is tokio's
//! code too, and is not looked at.

mod alone;
mod begin;
mod blind;
mod callsites;
mod fields;
mod here;
mod known;
mod met;
mod spans;
mod tell;

use std::{any::TypeId, panic::catch_unwind, sync::atomic::Ordering::Relaxed, time::Duration};

use tracing::{
    Dispatch, Event, Metadata, Subscriber,
    level_filters::LevelFilter,
    span::{Attributes, Id},
    subscriber::Interest,
};
use tracing_subscriber::{
    filter::Filtered,
    layer::{Context, Layer},
    registry::LookupSpan,
};

pub(crate) use blind::{blind, is_told};
use callsites::{Turn, Wanted};
pub(crate) use spans::{memory_bytes, shed as shed_spans};

use crate::{
    recorder::{active, by_id::Place, foreign, own_thread},
    start,
};
use spans::Kind;

/// A layer for [`tracing_subscriber`] that tells the probe what tokio tells of itself: tasks and who wakes them, `Mutex`,
/// `RwLock`, `Semaphore`, `Barrier`, oneshots, timers and bounded `mpsc`s, for apps that cannot use the drop-in.
///
/// ```
/// use tracing_subscriber::prelude::*;
///
/// tracing_subscriber::registry()
///     .with(async_inspect_probe::layer())
///     .with(tracing_subscriber::fmt::layer().with_filter(tracing_subscriber::filter::LevelFilter::INFO))
///     .init();
/// ```
///
/// It starts the probe when `ASYNC_INSPECT` says so. As long as the probe does not run, it wants no span and no event, so
/// tokio makes none for it. It wants tokio's only, at level `TRACE`, and holds nothing back from other layers; but a
/// filter for the whole subscriber, as an `EnvFilter` that is a layer of its own, holds tokio's spans back from this one:
/// give other layers their filters by `with_filter`.
///
/// One of them is enough for a process; a second one in another subscriber wants nothing for as long as the first lives.
pub fn layer<S>() -> impl Layer<S> + Send + Sync
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    start::from_environment();
    let turn = Turn::new();
    Told { wanted: Recording { turn: turn.clone() }.with_filter(Wanted(turn)) }
}

/// The probe has started: what was refused is wanted from now on.
pub(crate) fn started() {
    if callsites::installed() {
        tracing::callsite::rebuild_interest_cache();
    }
}

/// Has what was found not to be needed refused, for as long as the probe lives: an event cannot, since others ask what the
/// layer wants under a lock. The app's other layers are asked as well; what they panic with is theirs.
pub(crate) async fn refuse_what_is_not_needed() {
    let mut pause = Duration::from_millis(10);
    let mut asked_at = u64::MAX;
    loop {
        ::tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(1));
        let changes = alone::changes();
        if changes != asked_at {
            asked_at = changes;
            let _ = catch_unwind(alone::ask);
            // Where one callsite came up, others will.
            pause = Duration::from_millis(10);
        }
        if known::take_refused() {
            let _ = catch_unwind(tracing::callsite::rebuild_interest_cache);
        }
    }
}

/// What is wanted goes through the filter, which keeps the rest from this layer without keeping it from others. Spans that
/// are entered, left and closed are looked up by their ids anyhow, so these need not be asked for; and nothing about an
/// event matters to the filter but its callsite, which was asked for before.
struct Told<S> {
    wanted: Filtered<Recording, Wanted, S>,
}

impl<S> Layer<S> for Told<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_register_dispatch(&self, subscriber: &Dispatch) {
        self.wanted.on_register_dispatch(subscriber);
    }

    fn on_layer(&mut self, subscriber: &mut S) {
        self.wanted.on_layer(subscriber);
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.wanted.register_callsite(metadata)
    }

    fn enabled(&self, metadata: &Metadata<'_>, ctx: Context<'_, S>) -> bool {
        !self.wanted.filter().refuses_for_all(metadata) && self.wanted.enabled(metadata, ctx)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.wanted.max_level_hint()
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, ctx: Context<'_, S>) {
        self.wanted.on_new_span(attributes, id, ctx);
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        self.wanted.on_event(event, ctx);
    }

    #[inline]
    fn on_enter(&self, id: &Id, _: Context<'_, S>) {
        let id = id.into_u64();
        if let Some(span) = spans::find(id) {
            let span = span.value();
            if let Some((task, slot)) = span.task() {
                // Whoever else enters the span, as what was spawned `in_current_span`, is another task.
                foreign::entered(id, task, slot, || here::is_in_task(span, task));
                met::polls();
            } else {
                here::enter(span);
            }
        } else {
            here::enter_unknown(id);
        }
    }

    #[inline]
    fn on_exit(&self, id: &Id, _: Context<'_, S>) {
        let id = id.into_u64();
        if !foreign::exited(id) {
            match spans::find(id).map(Place::value) {
                // Of a task whose poll this is not, nothing was begun.
                Some(span) if span.kind() == Kind::Task => {}
                Some(span) => here::exit(span),
                None => here::exit_unknown(id),
            }
        }
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        if let Some(span) = spans::find(id.into_u64()) {
            spans::close(span.value());
            span.give_back();
        }
    }

    unsafe fn downcast_raw(&self, id: TypeId) -> Option<*const ()> {
        if id == TypeId::of::<Self>() {
            return Some(std::ptr::from_ref(self).cast());
        }
        // SAFETY: of its own fields, as here.
        unsafe { self.wanted.downcast_raw(id) }
    }
}

/// What is done with what is wanted.
struct Recording {
    turn: Turn,
}

impl<S: Subscriber> Layer<S> for Recording {
    fn on_register_dispatch(&self, _: &Dispatch) {
        self.turn.take();
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        if let Some(recorder) = active().filter(|_| self.turn.is_ours() && !own_thread::is()) {
            callsites::SEEN.store(true, Relaxed);
            begin::span(recorder, attributes, id.into_u64());
        }
    }

    #[inline]
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if self.turn.is_ours() {
            tell::event(known::tells(event.metadata()), event);
        }
    }
}
