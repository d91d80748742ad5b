//! Places in the source, and what came from there.
use super::room::{MOST_SITES, has_room};
use crate::model::{Model, Site, SiteBirth, SiteReading, SlowPoll, Stamp};

impl Model {
    pub(super) fn site_birth(&mut self, birth: SiteBirth) {
        let SiteBirth { id, kind, location, name, output } = birth;
        let (known, kept) = (self.sites.contains_key(&id), self.sites.len());
        if !has_room(known, kept, MOST_SITES, &mut self.track.room.refused.sites) {
            return;
        }
        let complete = self.complete;
        let site = self.sites.entry(id).or_insert_with(|| {
            // Of a site that comes later, everything is new.
            let mut site = Site { counted: complete.then_some([0; 4]), ..Site::default() };
            if complete {
                site.live_s.push(0.0);
                site.unjoined_s.push(0.0);
            }
            site
        });
        let location = self.track.room.place(location, &site.location);
        let name = self.track.room.name(name, &site.name);
        *site = Site { id, kind, location, name, output, ..std::mem::take(site) };
    }

    pub(super) fn site_reading(&mut self, at: Stamp, reading: &SiteReading) {
        let complete = self.complete;
        let Some(site) = self.sites.get_mut(&reading.site) else { return };
        // What happened before attach is not recent; of a site that came later, everything is.
        if site.seen || complete {
            let count = reading.slow_polls.saturating_sub(site.slow_polls);
            if count > 0 {
                let took = reading.last_slow_poll;
                let rose = reading.max_poll > site.max_poll;
                let slow = SlowPoll {
                    at: reading.last_slow_poll_at,
                    took,
                    task: reading.last_slow_poll_task,
                    count,
                    total: reading.slow_poll_total.saturating_sub(site.slow_poll_total),
                    longest: if rose { reading.max_poll.max(took) } else { took },
                };
                site.recent_slow.push(slow, at);
            }
            let seen = |rose: bool, last: &mut Option<Stamp>| {
                if rose {
                    *last = Some(at);
                }
            };
            seen(reading.handles_dropped > site.handles_dropped, &mut site.last_handle_dropped);
            seen(reading.errors_lost > site.errors_lost, &mut site.last_error_lost);
            seen(reading.panics_lost > site.panics_lost, &mut site.last_panic_lost);
        }
        site.seen = true;
        site.spawned = reading.spawned;
        site.finished = reading.finished;
        site.shed = reading.shed;
        site.finished_busy = reading.finished_busy;
        site.finished_polls = reading.finished_polls;
        site.max_poll = reading.max_poll;
        site.slow_polls = reading.slow_polls;
        site.slow_poll_total = reading.slow_poll_total;
        site.handles_dropped = reading.handles_dropped;
        site.errors_lost = reading.errors_lost;
        site.panics = reading.panics;
        site.panics_lost = reading.panics_lost;
        site.aborted = reading.aborted;
        site.aborted_age = reading.aborted_age;
    }
}
