//! Resources: locks, what is inside of them, oneshots and timers.
use std::collections::{BTreeSet, HashMap};

use console_api::resources::{Resource as Made, Stats, resource::kind::Kind as Sort};

use super::clock::Clock;
use super::fields::{FieldNames, number, truth};
use super::locks::{Attributes, Lock};
use super::newcomers::{self, Entities};
use super::oneshots::Oneshots;
use super::places::Places;
use super::tasks::Seen;
use crate::model::{
    ChannelBirth, ChannelId, ChannelKind, LockBirth, LockId, LockKind, ONESHOT, SiteId, SiteKind, Stamp,
};

/// What a channel goes by, of which only the semaphore inside is told.
const CHANNEL: &str = "bounded mpsc (probably)";
/// Resources that are known at a time.
const MAX_RESOURCES: usize = 1 << 18;

/// What a resource is.
#[derive(Debug)]
pub(super) enum Kind {
    /// A lock that people make.
    Lock(Box<Lock>),
    /// The semaphore inside of a lock, which has the permits of it.
    Inside(u64),
    Oneshot,
    Timer,
    /// Something that nothing is known to be waited for in.
    Other,
}

/// One resource.
#[derive(Debug)]
pub(super) struct Resource {
    pub(super) kind: Kind,
    pub(super) site: SiteId,
    created: Option<Stamp>,
    told: bool,
    /// Of a channel, what was told of its size.
    told_capacity: u64,
    named: u32,
}

/// All resources, by the id of their span.
#[derive(Debug, Default)]
pub(super) struct Resources {
    all: HashMap<u64, Resource>,
    /// Attributes that came with this update, by the lock.
    pub(super) attributes: HashMap<u64, Attributes>,
    /// Locks that said something of themselves in this update, be it the same as before.
    pub(super) spoke: BTreeSet<u64>,
    /// Locks whose reading has changed.
    pub(super) changed: BTreeSet<u64>,
    /// When the newest was made.
    pub(super) newest: Stamp,
    /// Locks that somebody waits for.
    pub(super) awaited: BTreeSet<u64>,
    /// What became of oneshots, by where they were made.
    pub(super) oneshots: Oneshots,
    gone: Vec<LockId>,
    gone_channels: Vec<ChannelId>,
    next_lock: u64,
    next_channel: u64,
    /// Locks that are not shown.
    pub(super) lost: u64,
}

impl Resources {
    pub(super) fn get(&self, span: u64) -> Option<&Resource> {
        self.all.get(&span)
    }

    pub(super) fn lock(&self, span: u64) -> Option<&Lock> {
        match &self.all.get(&span)?.kind {
            Kind::Lock(lock) => Some(lock),
            _ => None,
        }
    }

    pub(super) fn lock_mut(&mut self, span: u64) -> Option<&mut Lock> {
        match &mut self.all.get_mut(&span)?.kind {
            Kind::Lock(lock) => Some(lock),
            _ => None,
        }
    }

    /// Takes in what resources are, and then how they are.
    pub(super) fn learn(
        &mut self,
        made: Vec<Made>,
        mut stats: HashMap<u64, Stats>,
        cx: (&Clock, &FieldNames, &mut Places),
        seen: Seen,
    ) {
        let (clock, names, places) = cx;
        self.attributes.clear();
        self.spoke.clear();
        newcomers::enter(self, made, &mut stats, (clock, names, places), seen);
        // What is inside of a lock says how many permits it has; the lock itself comes after.
        let mut stats: Vec<(u64, Stats)> = stats.into_iter().collect();
        stats.sort_by_key(|(span, _)| !matches!(self.all.get(span), Some(Resource { kind: Kind::Inside(_), .. })));
        for (span, stats) in stats {
            self.read(span, &stats, clock, names, seen);
        }
    }

    fn made(&mut self, new: &Made, clock: &Clock, places: &mut Places) -> Resource {
        let parent = new.parent_resource_id.as_ref().map_or(0, |id| id.id);
        let timer = matches!(new.kind.as_ref().and_then(|kind| kind.kind.as_ref()), Some(Sort::Known(_)));
        let lock = match new.concrete_type.as_str() {
            "Mutex" => Some(LockKind::Mutex),
            "RwLock" => Some(LockKind::RwLock),
            "Barrier" => Some(LockKind::Barrier),
            "Semaphore" if !new.is_internal => Some(LockKind::Semaphore),
            // One that is inside of nothing is a bounded channel's: nothing else in tokio has one.
            "Semaphore" if parent == 0 => Some(LockKind::Semaphore),
            _ => None,
        };
        let kind = match (lock, new.concrete_type.as_str()) {
            (Some(kind), _) => {
                self.next_lock += 1;
                let mut lock = Lock::new(LockId(self.next_lock), kind, clock.now);
                if new.is_internal && kind == LockKind::Semaphore {
                    self.next_channel += 1;
                    lock.channel = Some(ChannelId(self.next_channel));
                }
                Kind::Lock(Box::new(lock))
            }
            (None, "Semaphore") => Kind::Inside(parent),
            (None, "Sender|Receiver") => Kind::Oneshot,
            (None, _) if timer => Kind::Timer,
            (None, _) => Kind::Other,
        };
        let site = match kind {
            Kind::Lock(_) => places.id(SiteKind::Lock, new.location.as_ref(), ""),
            Kind::Oneshot => places.id(SiteKind::Channel, new.location.as_ref(), ONESHOT),
            _ => SiteId(0),
        };
        if matches!(kind, Kind::Oneshot) {
            self.oneshots.made(site);
        }
        Resource { kind, site, created: None, told: false, told_capacity: 0, named: 0 }
    }

    fn read(&mut self, span: u64, stats: &Stats, clock: &Clock, names: &FieldNames, seen: Seen) {
        let Some(resource) = self.all.get_mut(&span) else { return };
        resource.named = seen.snapshot;
        if resource.created.is_none() {
            resource.created = clock.stamp(stats.created_at.as_ref());
        }
        let find = |name| names.attribute(&stats.attributes, name);
        let permits = find("permits").and_then(number);
        match &resource.kind {
            Kind::Lock(lock) => {
                let before = self.attributes.get(&span).copied().unwrap_or(lock.attributes);
                let attributes = Attributes {
                    locked: find("locked").and_then(truth).unwrap_or_default(),
                    write_locked: find("write_locked").and_then(truth).unwrap_or_default(),
                    readers: find("current_readers").and_then(number).unwrap_or_default(),
                    permits: if lock.kind == LockKind::Semaphore { permits } else { before.permits },
                    size: find("size").or_else(|| find("max_readers")).and_then(number).unwrap_or_default(),
                };
                self.attributes.insert(span, attributes);
                self.spoke.insert(span);
                self.changed.insert(span);
            }
            &Kind::Inside(lock) => {
                if let Some(known) = self.lock(lock) {
                    let attributes = Attributes { permits, ..known.attributes };
                    self.attributes.insert(lock, attributes);
                    self.changed.insert(lock);
                }
            }
            Kind::Oneshot => {
                if let Some(at) = clock.stamp(stats.dropped_at.as_ref()) {
                    self.oneshots.gone(resource.site, &stats.attributes, names, at);
                }
            }
            Kind::Timer | Kind::Other => {}
        }
        if stats.dropped_at.is_some() {
            self.end(span);
        }
    }

    fn end(&mut self, span: u64) {
        let Some(resource) = self.all.remove(&span) else { return };
        if let Kind::Lock(lock) = resource.kind {
            self.attributes.remove(&span);
            self.changed.remove(&span);
            self.awaited.remove(&span);
            match lock.channel.filter(|_| resource.told) {
                Some(channel) => self.gone_channels.push(channel),
                None if resource.told => self.gone.push(lock.id),
                None => {}
            }
        }
    }

    /// Ends those that a whole state did not name.
    pub(super) fn sweep(&mut self, seen: Seen) {
        let missing: Vec<u64> =
            self.all.iter().filter(|(_, one)| one.named != seen.snapshot).map(|(&span, _)| span).collect();
        for span in missing {
            self.end(span);
        }
    }

    /// Says who sends into a channel, of which no place is told otherwise: the first task that did.
    pub(super) fn sent_to_by(&mut self, span: u64, sender: SiteId, places: &mut Places) {
        if let Some(resource) = self.all.get_mut(&span)
            && let Kind::Lock(lock) = &resource.kind
            && lock.channel.is_some()
            && resource.site == SiteId(0)
        {
            resource.site = places.same(SiteKind::Channel, sender, "mpsc sent to by the task spawned here");
            resource.told = false;
        }
    }

    /// Spans of the locks that changed or are waited for, of which it may become known who has them, or of all; births of
    /// those that were not told, or of all.
    pub(super) fn tell(&mut self, all: bool) -> (Vec<LockBirth>, Vec<ChannelBirth>, Vec<u64>) {
        let changed = std::mem::take(&mut self.changed);
        let locks = |one: &Resource| matches!(one.kind, Kind::Lock(_));
        let spans: Vec<u64> = if all {
            self.all.iter().filter(|(_, one)| locks(one)).map(|(&span, _)| span).collect()
        } else {
            changed.union(&self.awaited).copied().collect()
        };
        let (mut births, mut channels) = (Vec::new(), Vec::new());
        for span in &spans {
            let Some(resource) = self.all.get_mut(span) else { continue };
            let Kind::Lock(lock) = &resource.kind else { continue };
            let capacity = lock.capacity();
            let known = resource.told && (lock.channel.is_none() || resource.told_capacity == capacity);
            if known && !all {
                continue;
            }
            (resource.told, resource.told_capacity) = (true, capacity);
            let (site, kind) = (resource.site, lock.kind);
            match lock.channel {
                Some(id) => channels.push(ChannelBirth {
                    id,
                    kind: ChannelKind::Mpsc,
                    site,
                    name: CHANNEL.into(),
                    capacity: Some(capacity),
                    inferred: true,
                }),
                None => births.push(LockBirth { id: lock.id, kind, site, ..LockBirth::default() }),
            }
        }
        (births, channels, spans)
    }

    /// Channels that were dropped.
    pub(super) fn take_gone_channels(&mut self) -> Vec<ChannelId> {
        std::mem::take(&mut self.gone_channels)
    }

    /// Locks that were dropped.
    pub(super) fn take_gone(&mut self) -> Vec<LockId> {
        std::mem::take(&mut self.gone)
    }

    /// Whether a resource of that span, made at that moment, is known.
    pub(super) fn knows(&self, span: u64, created: Stamp) -> bool {
        self.all.get(&span).is_some_and(|one| one.created == Some(created))
    }
}

impl Entities for Resources {
    type Row = Made;
    type Stats = Stats;

    const MOST: usize = MAX_RESOURCES;

    fn len(&self) -> usize {
        self.all.len()
    }

    fn is_same(&self, span: u64, created: Option<Stamp>) -> Option<bool> {
        let known = self.all.get(&span)?;
        Some(created.is_none() || known.created.is_none() || created == known.created)
    }

    fn end(&mut self, span: u64) {
        Self::end(self, span);
    }

    fn newest(&mut self) -> &mut Stamp {
        &mut self.newest
    }

    fn lost(&mut self) -> &mut u64 {
        &mut self.lost
    }

    fn enter(&mut self, span: u64, new: &Made, (clock, _, places): (&Clock, &FieldNames, &mut Places)) {
        let resource = self.made(new, clock, places);
        self.all.insert(span, resource);
    }
}
