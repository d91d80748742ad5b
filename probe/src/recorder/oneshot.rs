//! What became of oneshot channels. There are as many of them as there are requests, so they have no slots: their outcomes
//! are counted at the site where they were made.
use std::{
    panic::Location,
    sync::atomic::{
        AtomicPtr, AtomicU16, AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use super::{
    Recorder, active, clock,
    lock::{location, set_location},
    names,
    site::{Site, SiteInfo, SiteKind},
    totals::Total,
    wait::{Awaited, WaitKind},
};

use crate::stacks::{self, SightKind};

type CallSite = &'static Location<'static>;

/// What is known of those of one site beside its [`Totals`](super::totals::Totals).
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    pub(crate) unsent_awaited: AtomicU64,
    /// Sent to nobody.
    pub(crate) unreceived: AtomicU64,
    /// Ticks, and where it was awaited or sent.
    last_unsent_at: AtomicU64,
    last_unsent_site: AtomicPtr<Location<'static>>,
    last_unreceived_at: AtomicU64,
    last_unreceived_site: AtomicPtr<Location<'static>>,
    /// Number of the name that the app gives to those of this site; [`SEVERAL`] where it gives more than one.
    name: AtomicU16,
}

const SEVERAL: u16 = u16::MAX;

/// The site of a new oneshot channel for a `T`, made at `made`.
#[inline]
pub(crate) fn made<T>(made: CallSite) -> Option<&'static Site> {
    active().and_then(|recorder| count(recorder, made, std::any::type_name::<T>()))
}

/// Apart from the rest, which is then small enough to become part of its caller.
#[inline(never)]
fn count(recorder: &'static Recorder, made: CallSite, type_name: &'static str) -> Option<&'static Site> {
    let site = recorder.sites.get(&SiteInfo::of_thing(SiteKind::Oneshot, made, type_name))?;
    site.add(Total::Spawned, 1);
    Some(site)
}

/// An `await` for the receiver of a oneshot to go, which was made there.
pub(crate) struct ClosedAwaited(pub(crate) Option<&'static Site>);

impl Awaited for ClosedAwaited {
    #[inline]
    fn target(&self) -> Option<(WaitKind, u64)> {
        self.0.map(|site| (WaitKind::OneshotClosed, site.id.into()))
    }
}

impl Site {
    /// The sender of a channel that was made here goes without sending, dropped by the task in poll.
    #[cold]
    pub(crate) fn unsent(&self) {
        self.dispose(None);
        self.add(Total::Unsent, 1);
        stacks::seen(SightKind::Unsent, self.id.into());
    }
}

impl Outcomes {
    /// One of them goes by this name.
    pub(crate) fn set_name(&self, name: &str) {
        let known = self.name.load(Relaxed);
        // The usual case, which takes no lock: requests of one kind have one name.
        if known == SEVERAL || names::text(known) == name {
            return;
        }
        let id = names::id(name);
        let joined = |known| match known {
            0 => Some(id),
            _ if id == 0 || known == id => None,
            _ => Some(SEVERAL),
        };
        let _ = self.name.fetch_update(Relaxed, Relaxed, joined);
    }

    /// Number of the name; 0 where there is none, or more than one.
    pub(crate) fn name(&self) -> u16 {
        Some(self.name.load(Relaxed)).filter(|name| *name != SEVERAL).unwrap_or_default()
    }

    /// A sender went without sending, and this is known to who awaited it, at `site` if that is known.
    #[cold]
    pub(crate) fn unsent_awaited(&self, site: Option<CallSite>) {
        self.last_unsent_at.store(clock::ticks(), Relaxed);
        set_location(&self.last_unsent_site, site);
        self.unsent_awaited.fetch_add(1, Release);
    }

    /// It was sent to nobody, at `site` if that is known.
    #[cold]
    pub(crate) fn unreceived(&self, site: Option<CallSite>) {
        self.last_unreceived_at.store(clock::ticks(), Relaxed);
        if site.is_some() {
            set_location(&self.last_unreceived_site, site);
        }
        self.unreceived.fetch_add(1, Release);
    }

    /// When and where the newest of [`Outcomes::unsent_awaited`] was.
    pub(crate) fn last_unsent(&self) -> (u64, Option<CallSite>) {
        (self.last_unsent_at.load(Acquire), location(&self.last_unsent_site))
    }

    /// When and where the newest of [`Outcomes::unreceived`] was.
    pub(crate) fn last_unreceived(&self) -> (u64, Option<CallSite>) {
        (self.last_unreceived_at.load(Acquire), location(&self.last_unreceived_site))
    }
}
