//! Lines of the app's own at which something was seen to happen that tells none by itself.
use std::time::Duration;

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

/// What was seen longer ago may be of something else: of another branch, of who waits no more.
const LATELY: Duration = Duration::from_mins(1);

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
    /// Where it was last seen of what comes from `of`, within a minute: `path:line:column`, and what the thread did there;
    /// `None` where nobody saw it.
    pub fn seen(&self, what: Seen, of: SiteId) -> Option<(&str, StackCause)> {
        self.seen_since(what, of, self.now.before(LATELY))
    }

    /// The same, if it was not before `since`.
    pub fn seen_since(&self, what: Seen, of: SiteId, since: Stamp) -> Option<(&str, StackCause)> {
        let sight = self.sights.get(&(what, of)).filter(|sight| sight.at >= since)?;
        let place = self.sites.get(&sight.site)?.location.as_str();
        (!place.is_empty()).then_some((place, sight.cause))
    }
}
