//! Oneshot channels, by the place where they are made: there are as many as there are requests, so none is shown alone.
use std::sync::Arc;

use super::{Disposal, Series, SiteId, Stamp};

/// What oneshots go by where the type of the answer is not told.
pub const ONESHOT: &str = "oneshot";

/// What became of the oneshot channels of one site.
#[derive(Debug, Clone, Default)]
pub struct Oneshots {
    /// Where they are made.
    pub site: SiteId,
    /// Made, ever.
    pub made: u64,
    /// Of those: sent, and taken by the receiver.
    pub delivered: u64,
    /// Whose sender went without sending, while the receiver was there.
    pub unsent: u64,
    /// Of those: that the receiver was awaited for, and got an error instead.
    pub unsent_awaited: u64,
    /// Sent to nobody: the receiver was gone, or went without taking it.
    pub unreceived: u64,
    /// When the newest of `unsent_awaited` was, and where it was awaited.
    pub last_unsent_at: Option<Stamp>,
    /// Where it was awaited.
    pub last_unsent_site: SiteId,
    /// When the newest of `unreceived` was.
    pub last_unreceived_at: Option<Stamp>,
    /// Where the newest of which that is known was sent.
    pub last_unreceived_site: SiteId,

    /// Who dropped a sender last, without sending.
    pub disposal: Option<Disposal>,

    /// The last minute, one point a second: made in each.
    pub made_s: Series,
    /// Whose sender went without sending, in each second.
    pub unsent_s: Series,
    /// Awaited in vain in each second.
    pub unsent_awaited_s: Series,
    /// Sent to nobody in each second.
    pub unreceived_s: Series,

    /// What [`super::Model::apply`] remembers of it.
    pub(crate) track: OneshotsTrack,
}

/// What `apply` remembers of them beside what it shows.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct OneshotsTrack {
    /// A reading has come, so that the next one's counters can be compared.
    pub(super) seen: bool,
    /// `made`, `unsent`, `unsent_awaited` and `unreceived` at the last point of the series.
    pub(super) counted: [u64; 4],
}

/// Totals of one site; fields as in [`Oneshots`].
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct OneshotReading {
    pub site: SiteId,
    /// Given by the app to those of this site; empty where it gave none, or several.
    pub name: Arc<str>,
    pub made: u64,
    pub delivered: u64,
    pub unsent: u64,
    pub unsent_awaited: u64,
    pub unreceived: u64,
    pub last_unsent_at: Option<Stamp>,
    pub last_unsent_site: SiteId,
    pub last_unreceived_at: Option<Stamp>,
    pub last_unreceived_site: SiteId,
}

impl Oneshots {
    pub(super) fn counts(&self) -> [u64; 4] {
        [self.made, self.unsent, self.unsent_awaited, self.unreceived]
    }

    /// Takes a reading; of a site that came up while attached (`new`), everything is recent.
    pub(super) fn read(&mut self, reading: &OneshotReading, new: bool) {
        self.site = reading.site;
        self.made = reading.made;
        self.delivered = reading.delivered;
        self.unsent = reading.unsent;
        self.unsent_awaited = reading.unsent_awaited;
        self.unreceived = reading.unreceived;
        self.last_unsent_at = reading.last_unsent_at;
        self.last_unsent_site = reading.last_unsent_site;
        self.last_unreceived_at = reading.last_unreceived_at;
        self.last_unreceived_site = reading.last_unreceived_site;
        if !std::mem::replace(&mut self.track.seen, true) && !new {
            self.track.counted = self.counts();
        }
    }
}
