//! Locks.
use super::room::{MOST_LOCKS, has_room};
use crate::model::{
    CutShort, CutShortReading, Holder, Lock, LockBirth, LockId, LockReading, Model, Stamp, SuspendedHold,
};

impl Model {
    pub(super) fn lock_birth(&mut self, birth: LockBirth) {
        let LockBirth { id, kind, site, name, parent } = birth;
        let (known, kept) = (self.locks.contains_key(&id), self.locks.len());
        if !has_room(known, kept, MOST_LOCKS, &mut self.track.room.refused.locks) {
            return;
        }
        let complete = self.complete;
        let lock = self.locks.entry(id).or_insert_with(|| {
            let mut lock = Lock::default();
            lock.track.seen = complete;
            lock
        });
        lock.id = id;
        lock.kind = kind;
        lock.site = site;
        lock.name = self.track.room.name(name, &lock.name);
        lock.parent = parent;
        lock.track.generation = self.track.generation;
    }

    pub(super) fn remove_lock(&mut self, id: LockId) {
        if let Some(lock) = self.locks.remove(&id) {
            self.track.room.leave(&lock.name);
        }
    }

    pub(super) fn lock_reading(&mut self, at: Stamp, reading: &LockReading) {
        let Some(lock) = self.locks.get_mut(&reading.id) else { return };
        if lock.track.seen {
            // To wait for a permit or a notification is what those are for.
            if lock.kind.guards() {
                let contended = reading.contended.saturating_sub(lock.contended);
                // That a task listens to a token is no lack of anything.
                if !lock.kind.ends_tasks() {
                    self.track.contended = self.track.contended.wrapping_add(contended);
                }
            }
            let count = reading.suspended_holds.saturating_sub(lock.suspended_holds);
            if count > 0 {
                let hold = SuspendedHold {
                    at: reading.last_suspended_at,
                    took: reading.last_suspended,
                    site: reading.last_suspended_site,
                    waiters: reading.last_suspended_waiters,
                    count,
                    total: reading.last_suspended.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX)),
                };
                lock.recent_suspended.push(hold, at);
            }
        } else {
            lock.track.seen = true;
            lock.permits_before = (reading.permits_total, reading.forgotten);
            lock.track.acquires = reading.acquires;
            lock.track.contended = reading.contended;
            lock.track.wait_total = reading.wait_total;
            lock.wait_hist_window = reading.wait_hist;
            lock.hold_hist_window = reading.hold_hist;
        }
        if lock.permits_before == (0, 0) && lock.acquires == 0 {
            // Made while attached.
            lock.permits_before = (reading.permits_total, reading.forgotten);
        }
        lock.track.generation = self.track.generation;
        lock.holder = reading.holder;
        lock.holder_site = reading.holder_site;
        lock.held_since = reading.held_since;
        lock.holder_may_move = reading.holder_may_move;
        lock.holders.clone_from(&reading.holders);
        lock.holder_count = reading.holder_count;
        if let (true, Some(since)) = (reading.holders.is_empty(), reading.held_since) {
            let (task, site) = (reading.holder, reading.holder_site);
            lock.holders.push(Holder { task, site, since, permits: 1, exclusive: true });
            lock.holder_count = lock.holder_count.max(1);
        }
        lock.permits_total = reading.permits_total;
        lock.permits_available = reading.permits_available;
        lock.forgotten = reading.forgotten;
        lock.closed = reading.closed;
        lock.closed_at = reading.closed_at;
        lock.closed_site = reading.closed_site;
        lock.closed_by = reading.closed_by;
        lock.waiting_writers = reading.waiting_writers;
        lock.lost_notifies = reading.lost_notifies;
        lock.last_lost_notify_at = reading.last_lost_notify_at;
        lock.last_lost_notify_site = reading.last_lost_notify_site;
        lock.waiters = reading.waiters;
        lock.acquires = reading.acquires;
        lock.contended = reading.contended;
        lock.wait_total = reading.wait_total;
        lock.wait_max = reading.wait_max;
        lock.wait_hist = reading.wait_hist;
        lock.hold_total = reading.hold_total;
        lock.hold_max = reading.hold_max;
        lock.hold_max_site = reading.hold_max_site;
        lock.hold_hist = reading.hold_hist;
        lock.suspended_holds = reading.suspended_holds;
    }

    pub(super) fn cut_short_reading(&mut self, at: Stamp, reading: &CutShortReading) {
        let Some(lock) = self.locks.get_mut(&reading.lock) else { return };
        let count = reading.times.saturating_sub(lock.cut_short);
        // What happened before attach is not recent.
        if self.complete && count > 0 {
            let acquires = lock.acquires;
            lock.recent_cut_short.push(CutShort { count, acquires, ..reading.newest }, at);
        }
        lock.cut_short = reading.times;
    }
}
