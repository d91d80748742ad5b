//! Lines of the app's own at which something was seen to happen that tells none by itself.
use super::{Model, SiteId, StackCause, Stamp};

/// What was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Seen {
    /// The sender of a oneshot from the site was dropped without sending.
    Unsent,
    /// A task from the site, which is polled over and over, woke itself.
    SelfWake,
    /// Long polls of tasks from the site were in what is called here, at most looks.
    LongPoll,
    /// What a task from the site awaited, or the holder of a lock from there, was given up unfinished.
    GivenUp,
}

/// Where it was seen last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sight {
    /// When.
    pub at: Stamp,
    /// The line.
    pub site: SiteId,
    /// What the thread did there.
    pub cause: StackCause,
}

impl Model {
    /// Where it was last seen of what comes from `of`: `path:line:column`, and what the thread did there; `None` where
    /// nobody saw it.
    pub fn seen(&self, what: Seen, of: SiteId) -> Option<(&str, StackCause)> {
        let sight = self.sights.get(&(what, of))?;
        let place = self.sites.get(&sight.site)?.location.as_str();
        (!place.is_empty()).then_some((place, sight.cause))
    }
}
