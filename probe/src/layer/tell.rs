//! What an event tells of the thing that this thread is at.
use tracing::Event;

use super::{
    fields::{Change, How, Polled, TaskSpan, Update, Waker},
    here,
    known::{self, Tells},
    spans::{HAS_ROOM, Kind, Span, find, oneshot},
};
use crate::recorder::{
    foreign,
    holds::Shared,
    site::Site,
    wait::{WaitKind, told},
};

/// An event of a callsite that tells this.
#[inline]
pub(super) fn event(tells: Tells, event: &Event<'_>) {
    if tells == Tells::Wake {
        let mut task = TaskSpan::default();
        event.record(&mut task);
        woken(task.0);
    } else {
        other_event(tells, event);
    }
}

/// Apart from wakes, which come with nearly each poll.
#[inline(never)]
fn other_event(tells: Tells, event: &Event<'_>) {
    match tells {
        Tells::Waker => {
            let mut waker = Waker::default();
            event.record(&mut waker);
            if let Some(wakes) = waker.wakes {
                known::learn(event.metadata(), wakes);
            }
            if waker.wakes == Some(true) {
                woken(waker.span);
            }
        }
        Tells::Change => {
            let Some(span) = here::innermost() else { return };
            let mut update = Update::default();
            event.record(&mut update);
            if let Some(change) = update.change {
                changed(span, change, update.how);
            }
        }
        Tells::Timer | Tells::Oneshot | Tells::Semaphore | Tells::Operation => {
            let mut polled = Polled::default();
            event.record(&mut polled);
            polled_as(tells, polled.0);
        }
        Tells::Wake | Tells::Nothing => {}
    }
}

/// The task of that span was woken.
#[inline]
fn woken(span: u64) {
    if let Some(slot) = foreign::polled_here(span) {
        // SAFETY: its poll, which goes on, has a reference.
        unsafe { slot.wake() };
    } else {
        woken_elsewhere(span);
    }
}

/// The same of a task that this thread does not poll.
#[inline(never)]
fn woken_elsewhere(span: u64) {
    // It may end meanwhile, and the slot become that of a task which has a waker.
    let task = find(span).and_then(|span| span.value().task()).and_then(|(task, slot)| slot.retain_as(task));
    if let Some(task) = task {
        // SAFETY: `task` is a reference.
        unsafe { task.slot().wake() };
    }
}

/// Something was polled, as its callsite tells.
fn polled_as(tells: Tells, ready: bool) {
    match tells {
        Tells::Timer if ready => told::ready(WaitKind::Timer, 0),
        Tells::Timer => told::not_ready(WaitKind::Timer, 0),
        Tells::Oneshot => {
            if let Some((span, site)) = here::innermost().and_then(|span| Some((span, span.site()?))) {
                answer_polled(span, site, ready);
            }
        }
        // What is inside of a lock's operation tells the same as the operation.
        Tells::Semaphore => send_polled(ready),
        _ => {
            if let Some(span) = here::innermost().filter(|span| span.kind() == Kind::Operation) {
                operation_polled(span, ready);
            }
        }
    }
}

fn operation_polled(span: &'static Span, ready: bool) {
    let Some(lock) = span.lock() else { return };
    if !ready {
        if span.wait.begin(span.wait_kind(), lock.id()) {
            match Shared::of(lock) {
                Some(shared) => shared.wait_begins(span.mode()),
                None => lock.wait_begins(),
            }
        }
        return;
    }
    let waited = operation_ended(span, true);
    // Of what else is acquired it is told by itself.
    if lock.has_permits() || Shared::of(lock).is_none() && !(waited && lock.is_event()) {
        lock.count_acquire();
        lock.mark();
    }
}

/// An operation is over; of one that had to wait, the wait is. Whether it had to.
pub(super) fn operation_ended(span: &'static Span, completed: bool) -> bool {
    if let Some(channel) = span.channel() {
        if let Some(waited) = span.wait.end() {
            // Whether it had a message in hand, tokio does not tell.
            channel.send_unblocked(false, waited);
            return true;
        }
    } else if let Some(lock) = span.lock()
        && let Some(waited) = span.wait.end()
    {
        match Shared::of(lock) {
            Some(shared) => shared.wait_ended(span.mode(), waited, completed),
            None => lock.wait_ended(waited, completed),
        }
        return true;
    }
    false
}

fn send_polled(ready: bool) {
    if let Some(span) = here::send() {
        let Some(channel) = span.channel() else { return };
        if !ready {
            if span.wait.begin(WaitKind::ChannelSend, channel.id()) {
                channel.told_blocked();
            }
            return;
        }
        operation_ended(span, true);
        // Told twice, of its turn and of its room.
        if span.set_bits(HAS_ROOM) & HAS_ROOM == 0 {
            channel.told_handed_over();
        }
    } else if let Some(channel) = here::innermost().and_then(Span::channel) {
        // A send that seemed to have room when it began.
        if ready {
            told::ready(WaitKind::ChannelSend, channel.id());
        } else {
            told::not_ready(WaitKind::ChannelSend, channel.id());
        }
    }
}

fn answer_polled(span: &'static Span, site: &'static Site, ready: bool) {
    let id = u64::from(site.id);
    if !ready {
        span.wait.begin(WaitKind::Oneshot, id);
        return;
    }
    span.wait.end();
    if span.bits() & oneshot::SENT != 0 {
        span.set_bits(oneshot::RECEIVED);
    } else if span.bits() & oneshot::SENDER_DROPPED != 0 {
        site.oneshots.unsent_awaited(None);
    }
}

fn changed(span: &'static Span, change: Change, how: How) {
    match change {
        Change::Locked(locked) | Change::WriteLocked(locked) => {
            if let Some(shared) = span.shared() {
                held(shared, locked);
            }
        }
        Change::Readers(1) => {
            if let Some(shared) = span.shared() {
                match how {
                    How::Added => shared.told_acquired(1, false),
                    How::Taken => shared.told_let_go(false),
                    How::Set => {}
                }
            }
        }
        Change::MaxReaders(readers) => {
            if let Some(shared) = span.shared() {
                shared.told_total(readers);
            }
        }
        Change::Readers(_) => {}
        Change::Permits(permits) => permits_changed(span, permits, how),
        Change::Size(tasks) => {
            if let Some(barrier) = span.lock().filter(|_| span.kind() == Kind::Barrier) {
                barrier.expect(i32::try_from(tasks).unwrap_or(i32::MAX));
                barrier.mark();
            }
        }
        Change::ValueSent(is) => set(span, oneshot::SENT, is),
        Change::SenderDropped(is) => {
            set(span, oneshot::SENDER_DROPPED, is);
            if let Some(site) = span.site().filter(|_| is && span.bits() & oneshot::RECEIVER_DROPPED == 0) {
                site.unsent();
            }
        }
        Change::ReceiverDropped(is) => {
            set(span, oneshot::RECEIVER_DROPPED, is);
            if is && span.site().is_some() {
                span.wait.end();
            }
        }
        Change::ValueReceived(is) => set(span, oneshot::RECEIVED, is),
    }
}

/// A lock was acquired by one who keeps all others out, or let go by one who did.
fn held(shared: Shared, locked: bool) {
    if locked {
        shared.told_acquired_alone();
    } else {
        shared.told_let_go(true);
    }
}

fn permits_changed(span: &'static Span, permits: u64, how: How) {
    match (span.kind(), how) {
        (Kind::Permits, how) => {
            let Some(shared) = span.shared() else { return };
            match how {
                How::Set => shared.told_total(permits),
                How::Added => shared.told_returned(permits),
                How::Taken => shared.told_taken(permits),
            }
        }
        (Kind::Channel, how) => {
            let Some(channel) = span.channel() else { return };
            match how {
                How::Set => channel.told_capacity(permits),
                How::Added => channel.told_given_back(permits),
                How::Taken if permits > 0 => {
                    if let Some(send) = here::send() {
                        send.set_bits(HAS_ROOM);
                    }
                    channel.told_taken(permits);
                }
                How::Taken => {}
            }
        }
        _ => {}
    }
}

fn set(span: &'static Span, bit: u8, is: bool) {
    if is && span.kind() == Kind::Oneshot {
        span.set_bits(bit);
    }
}
