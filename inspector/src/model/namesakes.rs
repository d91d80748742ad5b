//! Locks and channels that go by one name. Most have none of their own and go by their type or the line that made them,
//! which says little where a service makes a thousand of them.
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::{Channel, Lock, Model, Site, SiteId, Stamp};

/// How many locks and how many channels go by a name, counted once a second.
#[derive(Debug, Clone, Default)]
pub struct Namesakes {
    locks: HashMap<u64, u32>,
    channels: HashMap<u64, u32>,
    counted_at: Option<Stamp>,
}

impl Model {
    /// What something of this own name that was made at this site is called; empty where nothing is known of either.
    pub(crate) fn name_of(&self, own: &str, site: SiteId) -> String {
        if !own.is_empty() {
            return own.to_owned();
        }
        self.sites.get(&site).map_or_else(String::new, Site::title)
    }

    /// Whether other locks go by this one's name, so that its number has to tell it apart.
    pub(crate) fn shares_name(&self, lock: &Lock) -> bool {
        let key = key(&self.name_of(&lock.name, lock.site));
        self.namesakes.locks.get(&key).is_some_and(|count| *count > 1)
    }

    /// The same of a channel.
    pub(crate) fn channel_shares_name(&self, channel: &Channel) -> bool {
        let key = key(&self.name_of(&channel.name, channel.site));
        self.namesakes.channels.get(&key).is_some_and(|count| *count > 1)
    }

    /// Counts names when a second or more has gone by.
    pub(super) fn count_namesakes(&mut self) {
        let due = |at: Stamp| self.now.since(at).as_secs() >= 1;
        if self.namesakes.counted_at.is_none_or(due) {
            self.count_names();
        }
    }

    /// Counts names now.
    pub(crate) fn count_names(&mut self) {
        let mut of_sites: HashMap<SiteId, u64> = HashMap::new();
        let mut key_of = |own: &str, site: SiteId| {
            if own.is_empty() {
                *of_sites.entry(site).or_insert_with(|| key(&self.name_of("", site)))
            } else {
                key(own)
            }
        };
        let mut namesakes = Namesakes { counted_at: Some(self.now), ..Namesakes::default() };
        for lock in self.locks.values() {
            *namesakes.locks.entry(key_of(&lock.name, lock.site)).or_default() += 1;
        }
        for channel in self.channels.values() {
            *namesakes.channels.entry(key_of(&channel.name, channel.site)).or_default() += 1;
        }
        self.namesakes = namesakes;
    }
}

fn key(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}
