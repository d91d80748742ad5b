//! Oneshot channels, by the place where they are made: what became of each is told by its attributes when it is gone.
use std::collections::{BTreeMap, BTreeSet};

use console_api::Attribute;

use super::fields::{FieldNames, truth};
use crate::model::{OneshotReading, SiteId, Stamp};

/// What became of them, by the place.
#[derive(Debug, Default)]
pub(super) struct Oneshots {
    sites: BTreeMap<SiteId, OneshotReading>,
    changed: BTreeSet<SiteId>,
}

impl Oneshots {
    /// One was made there.
    pub(super) fn made(&mut self, site: SiteId) {
        let totals = self.at(site);
        totals.made = totals.made.saturating_add(1);
    }

    /// One that was made there is gone, with both of its handles.
    pub(super) fn gone(&mut self, site: SiteId, attributes: &[Attribute], names: &FieldNames, at: Stamp) {
        let is = |name| names.attribute(attributes, name).and_then(truth).unwrap_or_default();
        // A handle that has done what it is for goes unsaid: a sender that has sent, be it to nobody, and a receiver that was
        // answered, be it with an error.
        let (sent, sender_dropped) = (is("value_sent"), is("tx_dropped"));
        let (received, receiver_dropped) = (is("value_received"), is("rx_dropped"));
        let totals = self.at(site);
        let count = |n: &mut u64| *n = n.saturating_add(1);
        match (sent, receiver_dropped) {
            (true, false) => count(&mut totals.delivered),
            (true, true) if received => count(&mut totals.delivered),
            (false, false) if sender_dropped => {
                count(&mut totals.unsent);
                count(&mut totals.unsent_awaited);
                totals.last_unsent_at = Some(at);
            }
            (false, true) if sender_dropped => {}
            (_, true) => {
                count(&mut totals.unreceived);
                totals.last_unreceived_at = Some(at);
            }
            (false, false) => {}
        }
    }

    fn at(&mut self, site: SiteId) -> &mut OneshotReading {
        self.changed.insert(site);
        self.sites.entry(site).or_insert_with(|| OneshotReading { site, ..OneshotReading::default() })
    }

    /// Totals of places where something has changed, or of all.
    pub(super) fn tell(&mut self, all: bool) -> Vec<OneshotReading> {
        let changed = std::mem::take(&mut self.changed);
        let told = self.sites.values().filter(|totals| totals.site.0 != 0 && (all || changed.contains(&totals.site)));
        told.cloned().collect()
    }
}
