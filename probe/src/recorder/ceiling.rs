//! How the ceiling of the memory is shared between sites and all else.

/// What there is, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ceiling {
    pub(super) limit: u64,
    /// What is taken, sites included.
    pub(super) taken: u64,
    pub(super) sites: u64,
}

impl Ceiling {
    /// Whether so much more for slots stays below it, and leaves sites what is kept for them.
    pub(super) fn has_room(self, bytes: u64) -> bool {
        let kept = self.kept_for_sites().saturating_sub(self.sites);
        self.taken.saturating_add(kept).saturating_add(bytes) <= self.limit
    }

    /// Whether so much more for a site does: a million tasks that came first must not keep out the site that has the totals
    /// of what comes.
    pub(super) fn has_room_for_site(self, bytes: u64) -> bool {
        let more = |taken: u64, limit| taken.saturating_add(bytes) <= limit;
        more(self.sites, self.kept_for_sites()) || more(self.taken, self.limit)
    }

    /// 1700 sites of the usual 64 MiB.
    fn kept_for_sites(self) -> u64 {
        self.limit / 16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What fits of slots of a hundred bytes, then of sites of ten.
    fn fill(limit: u64, mut sites: u64) -> (u64, u64) {
        let mut taken = sites;
        while (Ceiling { limit, taken, sites }).has_room(100) {
            taken += 100;
        }
        let slots = taken - sites;
        while (Ceiling { limit, taken, sites }).has_room_for_site(10) {
            (taken, sites) = (taken + 10, sites + 10);
        }
        assert!(taken <= limit, "{taken}");
        (slots, sites)
    }

    #[test]
    fn sites_have_room_when_slots_took_all_they_may_and_nothing_is_above_it() {
        assert_eq!(fill(1600, 0), (1500, 100));
        assert_eq!(fill(1600, 60), (1500, 100));
        assert_eq!(fill(1600, 900), (700, 900));
        assert_eq!(fill(0, 0), (0, 0));
    }
}
