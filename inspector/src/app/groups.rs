//! Locks and channels by the line that makes them: one per connection or per key are thousands of one line, which read as
//! one. A few of one line stay what they are: two accounts are not one account.
use std::collections::HashMap;
use std::time::Duration;

use super::screen::{Rows, Table};
use super::{Cx, Entity, Place};
use crate::model::{Age, Channel, ChannelKind, Histogram, Lock, LockKind, Series, SiteId, Stamp};

/// So many of one line are read one by one.
const FEW: usize = 6;

/// What the place in front lists, by the line that made it; only what passes its filter.
#[derive(Debug, Clone, Default)]
pub(crate) struct Groups {
    pub(crate) locks: HashMap<SiteId, LockSum>,
    pub(crate) channels: HashMap<SiteId, ChannelSum>,
    members: HashMap<SiteId, Vec<Entity>>,
    /// How many there are without the filter.
    total: usize,
}

/// The locks of one line together.
#[derive(Debug, Clone, Default)]
pub(crate) struct LockSum {
    pub(crate) locks: u64,
    pub(crate) kind: LockKind,
    /// How many are held.
    pub(crate) held: u64,
    /// Since when the one is that has been held the longest.
    pub(crate) held_since: Option<Stamp>,
    pub(crate) waiters: u64,
    /// How long the longest waiter had waited.
    pub(crate) waited: Option<Duration>,
    pub(crate) acquires_per_s: f64,
    /// Waits and holds of the last ten seconds.
    pub(crate) waits: Histogram,
    pub(crate) holds: Histogram,
    /// The longest ever.
    pub(crate) wait_max: Duration,
    pub(crate) hold_max: Duration,
}

impl LockSum {
    /// Adds a lock, and how long its longest waiter had waited.
    pub(crate) fn add(&mut self, lock: &Lock, waited: Option<Duration>) {
        self.locks += 1;
        self.kind = lock.kind;
        if let Some(since) = lock.held_since {
            self.held += 1;
            self.held_since = Some(self.held_since.map_or(since, |oldest| oldest.min(since)));
        }
        self.waiters += u64::from(lock.waiters);
        self.waited = self.waited.max(waited.filter(|_| lock.waiters > 0));
        self.acquires_per_s += lock.acquires_s.last().unwrap_or(0.0);
        self.waits = self.waits.with(&lock.recent_waits());
        self.holds = self.holds.with(&lock.recent_holds());
        self.wait_max = self.wait_max.max(lock.wait_max);
        self.hold_max = self.hold_max.max(lock.hold_max);
    }
}

/// The channels of one line together.
#[derive(Debug, Clone, Default)]
pub(crate) struct ChannelSum {
    pub(crate) channels: u64,
    pub(crate) kind: ChannelKind,
    /// How many have no room.
    pub(crate) full: u64,
    pub(crate) depth: u64,
    /// Of all together; `None` where one has no limit.
    pub(crate) capacity: Option<u64>,
    pub(crate) depth_s: Series,
    pub(crate) sent_per_s: f64,
    pub(crate) received_per_s: f64,
    pub(crate) blocked: u64,
    /// How long the longest blocked sender had waited.
    pub(crate) waited: Option<Duration>,
    /// How long the oldest message of all has lain there.
    pub(crate) oldest: Option<Age>,
    pub(crate) senders: u64,
    pub(crate) receivers: u64,
    /// How many are closed.
    pub(crate) closed: u64,
    /// The handles of some are not counted.
    pub(crate) inferred: bool,
}

impl ChannelSum {
    /// Adds a channel, and how long its longest blocked sender had waited.
    pub(crate) fn add(&mut self, channel: &Channel, waited: Option<Duration>) {
        let depth = channel.depth();
        self.capacity = match (self.channels, self.capacity, channel.capacity) {
            (0, _, capacity) => capacity,
            (_, Some(all), Some(capacity)) => Some(all.saturating_add(capacity)),
            _ => None,
        };
        self.channels += 1;
        self.kind = channel.kind;
        self.full += u64::from(channel.capacity.is_some_and(|capacity| capacity > 0 && depth >= capacity));
        self.depth = self.depth.saturating_add(depth);
        self.depth_s.add(&channel.depth_s);
        self.sent_per_s += channel.sent_s.last().unwrap_or(0.0);
        self.received_per_s += channel.received_s.last().unwrap_or(0.0);
        self.blocked += u64::from(channel.blocked_senders);
        self.waited = self.waited.max(waited.filter(|_| channel.blocked_senders > 0));
        self.oldest = self.oldest.max(channel.oldest());
        self.senders += u64::from(channel.senders);
        self.receivers += u64::from(channel.receivers);
        self.closed += u64::from(channel.closed);
        self.inferred |= channel.inferred;
    }
}

impl Groups {
    /// Of what the place in front lists; of nothing where that is neither locks nor channels, or all are shown one by one.
    pub(crate) fn of(cx: &Cx) -> Self {
        let place = cx.app.place();
        let mut groups = Self::default();
        if place.flat {
            return groups;
        }
        match place.screen.id {
            "locks" => {
                for lock in cx.model.locks.values() {
                    if groups.takes(cx, place, lock.site, Entity::Lock(lock.id)) {
                        let waited = cx.derived.lock_waits.get(&lock.id).copied();
                        groups.locks.entry(lock.site).or_default().add(lock, waited);
                    }
                }
            }
            "channels" => {
                for channel in cx.model.channels.values() {
                    if groups.takes(cx, place, channel.site, Entity::Channel(channel.id)) {
                        let waited = cx.derived.send_waits.get(&channel.id).copied();
                        groups.channels.entry(channel.site).or_default().add(channel, waited);
                    }
                }
            }
            _ => {}
        }
        groups
    }

    fn takes(&mut self, cx: &Cx, place: &Place, site: SiteId, entity: Entity) -> bool {
        self.total += 1;
        let passes = place.filter.is_empty() || place.filter.matches(cx, place.columns(), entity);
        if passes {
            self.members.entry(site).or_default().push(entity);
        }
        passes
    }

    /// Whether there are so many of that line that they share a row.
    pub(crate) fn many(&self, site: SiteId) -> bool {
        self.members.get(&site).is_some_and(|members| members.len() > FEW)
    }

    /// The rows of the table: a line for each group, opened in place where the operator did, and those that are in none.
    pub(crate) fn rows(&self, cx: &Cx, place: &Place, table: &Table) -> Rows {
        let order = table.order(place);
        let mut tops: Vec<Entity> = Vec::new();
        for (site, members) in &self.members {
            if self.many(*site) {
                tops.push(Entity::Site(*site));
            } else {
                tops.extend(members);
            }
        }
        order.sort(cx, &mut tops);
        let mut rows = Rows { total: self.total, groups: Some(tops.len()), ..Rows::default() };
        rows.passing = self.members.values().map(Vec::len).sum();
        for top in tops {
            rows.order.push(top);
            if let Entity::Site(site) = top
                && place.open.contains(&site)
            {
                let mut inside = self.members.get(&site).cloned().unwrap_or_default();
                order.sort(cx, &mut inside);
                rows.order.extend(inside);
            }
        }
        rows
    }
}
