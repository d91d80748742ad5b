//! The dashboard's core: what has happened to it so far ([`App`]), and what the next thing that happens changes
//! ([`update`]). It draws nothing, reads no clock and does no I/O; the loop around it does.
//! What is shown, where it stands and what can be clicked is known here; what it looks like is not.

pub(crate) mod accused;
pub(crate) mod banner;
pub(crate) mod column;
pub(crate) mod columns;
pub(crate) mod complete;
mod copy;
mod cx;
pub(crate) mod derived;
mod entity;
pub(crate) mod filter;
pub(crate) mod fleet;
pub(crate) mod glyphs;
pub(crate) mod graph;
pub(crate) mod groups;
pub(crate) mod history;
pub(crate) mod keymap;
pub(crate) mod layout;
mod link;
mod mouse;
mod msg;
mod mute;
pub(crate) mod names;
mod navigate;
mod options;
pub(crate) mod page;
pub(crate) mod palette;
mod place;
mod prompt;
pub(crate) mod screen;
mod scrub;
pub(crate) mod sweep;
pub(crate) mod tabs;
pub(crate) mod theme;
pub(crate) mod unseen;
mod update;
mod way;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

pub use entity::{Common, Entity, Row};
pub use keymap::{KeyError, bindings, keys};
pub use msg::{Effect, Msg};
pub use mute::Mute;
pub use options::{ColorChoice, Depth, Options, ThemeChoice};
pub use screen::Screens;
pub use update::update;

pub(crate) use accused::Accused;
pub(crate) use cx::Cx;
pub(crate) use derived::Derived;
pub(crate) use fleet::Fleet;
pub(crate) use history::{History, Moment};
pub(crate) use link::Link;
pub(crate) use place::Place;
pub(crate) use prompt::{Prompt, PromptKind};
pub(crate) use way::crumbs;

use crate::lints::{Engine, Finding, Severity, Wonder};
use crate::model::{Model, TaskDetails, TaskId};
use crate::text::fit;
use glyphs::Glyphs;
use keymap::Keys;
use mute::Mutes;
use theme::{Role, Theme};

/// Everything that the dashboard knows.
#[allow(clippy::struct_excessive_bools, reason = "facts that have nothing to do with each other")]
pub struct App {
    /// The target as the operator wrote it.
    address: String,
    /// Which of how many targets it is; one of one, mostly.
    pub(crate) among: (usize, usize),
    /// It is the one in front of the operator, whose questions are put to its target.
    pub(crate) in_front: bool,
    /// What is shown was recorded.
    pub(crate) recorded: bool,
    pub(crate) options: Options,
    depth: Depth,
    /// All that can be shown.
    pub(crate) screens: &'static Screens,
    pub(crate) theme: Theme,
    pub(crate) glyphs: &'static Glyphs,

    engine: Engine,
    live: Shown,
    /// What was shown when the operator froze the view.
    frozen: Option<Frozen>,
    pub(crate) link: Link,
    /// The moment that the timeline shows; `None` for the newest.
    pub(crate) scrubbed: Option<Duration>,
    /// What the operator does not want to hear of.
    mutes: Mutes,
    /// The newest answer about one task, and what was asked last, when.
    pub(crate) details: Option<(TaskId, TaskDetails)>,
    asked: Option<(TaskId, Duration)>,
    wonder: Wonder,
    pub(crate) keys: Keys,

    /// Time since the dashboard started, as of the newest tick.
    pub(crate) clock: Duration,
    pub(crate) size: (u16, u16),
    /// The way here: a list at the bottom, what was gone into above it.
    stack: Vec<Place>,
    /// The lists as they were left.
    left: HashMap<&'static str, Place>,
    pub(crate) prompt: Option<Prompt>,
    notice: Option<Notice>,
    pub(crate) restarted: Option<Notice>,
    pub(crate) wide: bool,
    /// Lines of the pane beside the list that were scrolled away, and what it was about then.
    side: (Option<Entity>, usize),
    pub(crate) derived: Derived,
    /// A pass over very many tasks that is under way.
    sweep: Option<sweep::Sweep>,
    refreshed_at: Option<Duration>,
    /// Tasks have ended that may still be among the rows.
    ended_since: bool,
    moved_at: Duration,
    dirty: bool,
}

/// One state of the target, as the screens show it.
#[derive(Clone, Default)]
struct Shown {
    model: Arc<Model>,
    findings: Vec<Finding>,
    accused: Accused,
    /// How long the rules had judged it without a break.
    judged_for: Duration,
    /// The last minutes.
    history: Arc<History>,
    /// Findings of runs of the target before this one, the newest run last.
    past: Arc<Vec<PastFinding>>,
}

/// A state of the target that stays in front of the operator while others come.
struct Frozen {
    shown: Shown,
    /// On the dashboard's own clock.
    at: Duration,
}

/// Polls a second with which a target is said to rest: timers that tick once a second or two.
const HARDLY: f64 = 5.0;

/// A finding about an earlier run of the target.
#[derive(Clone)]
pub(crate) struct PastFinding {
    /// Its number in this session.
    pub(crate) id: u64,
    /// Process id of that run, 0 where that is not known.
    pub(crate) pid: u32,
    /// When another process was there in its place, on the dashboard's own clock.
    pub(crate) restarted: Duration,
    pub(crate) finding: Finding,
}

/// Something said for a moment.
pub(crate) struct Notice {
    pub(crate) role: Role,
    pub(crate) text: String,
    pub(crate) until: Duration,
}

impl App {
    /// A dashboard of these screens for the target that the operator calls `address`, before anything has happened, on a
    /// terminal with so many colours.
    pub fn new(address: &str, screens: &'static Screens, options: Options, depth: Depth) -> Self {
        let theme = Theme::new(options.theme, depth);
        let glyphs = if options.ascii == Some(true) { &glyphs::ASCII } else { &glyphs::UNICODE };
        Self {
            address: fit::clean(address),
            among: (0, 1),
            in_front: true,
            recorded: false,
            engine: Engine::new(options.settings.clone()),
            mutes: Mutes::new(&options.mutes),
            keys: options.keys.clone(),
            options,
            depth,
            screens,
            theme,
            glyphs,
            live: Shown::default(),
            frozen: None,
            link: Link::default(),
            scrubbed: None,
            details: None,
            asked: None,
            wonder: Wonder::default(),
            clock: Duration::ZERO,
            size: (80, 24),
            stack: vec![Place::new(screens.first(), None)],
            left: HashMap::new(),
            prompt: None,
            notice: None,
            restarted: None,
            wide: false,
            side: (None, 0),
            derived: Derived::default(),
            sweep: None,
            refreshed_at: None,
            ended_since: false,
            moved_at: Duration::ZERO,
            dirty: true,
        }
    }

    /// Whether anything visible has changed since the last call.
    pub fn take_dirty(&mut self) -> bool {
        std::mem::take(&mut self.dirty)
    }

    /// A pass over very many tasks is under way: a [`Msg::Tick`] takes it a few milliseconds further.
    pub fn busy(&self) -> bool {
        self.sweep.is_some()
    }

    /// Lines of the pane beside the list that are above the first one shown.
    pub(crate) fn side_offset(&self) -> usize {
        let (of, offset) = self.side;
        if of == self.beside() { offset } else { 0 }
    }

    pub(crate) fn set_side_offset(&mut self, offset: usize) {
        self.side = (self.beside(), offset);
    }

    /// Has to be drawn again.
    pub(crate) fn touch(&mut self) {
        self.dirty = true;
    }

    /// Data comes, nothing is wrong, and hardly a task is polled.
    pub(crate) fn rests(&self) -> bool {
        let model = &self.live.model;
        let still = model.totals.polls.last().is_some_and(|polls| polls < HARDLY);
        let well = || self.cx().active().all(|finding| finding.severity == Severity::Info);
        still && model.complete && self.link.live() && !self.busy() && well()
    }

    /// The whole state in front of the operator, for a file.
    pub(crate) fn state(&self) -> (Arc<Model>, Vec<Finding>) {
        let shown = self.shown();
        (Arc::clone(&shown.model), shown.findings.clone())
    }

    /// Whether the operator does not want to hear of `finding`.
    pub(crate) fn muted(&self, finding: &Finding) -> bool {
        self.mutes.matches(finding)
    }

    fn shown(&self) -> &Shown {
        self.frozen.as_ref().map_or(&self.live, |frozen| &frozen.shown)
    }

    /// When what is shown was so, on the dashboard's own clock.
    pub(crate) fn shown_at(&self) -> Duration {
        match (&self.frozen, &self.link) {
            (Some(frozen), _) => frozen.at,
            // At the end of a recording, time stands still.
            (None, Link::Ended { data_at: Some(at), .. }) => *at,
            (None, _) => self.clock,
        }
    }

    /// The last minutes.
    pub(crate) fn history(&self) -> &History {
        &self.shown().history
    }

    pub(crate) fn frozen(&self) -> bool {
        self.frozen.is_some()
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn past(&self) -> &[PastFinding] {
        &self.shown().past
    }

    /// The target has been connected to at least once.
    pub(crate) fn ever_connected(&self) -> bool {
        self.live.model.target.instance != 0
            || !matches!(
                self.link,
                Link::Connecting { .. } | Link::Lost { data_at: None, .. } | Link::Ended { data_at: None, .. }
            )
    }

    /// Other colours from now on.
    pub(crate) fn retheme(&mut self, choice: ThemeChoice) {
        self.options.theme = choice;
        self.theme = Theme::new(choice, self.depth);
        self.touch();
    }

    /// What is in front of the operator.
    pub(crate) fn cx(&self) -> Cx<'_> {
        let shown = self.shown();
        Cx {
            app: self,
            model: &shown.model,
            findings: &shown.findings,
            accused: &shown.accused,
            derived: &self.derived,
            glyphs: self.glyphs,
        }
    }

    /// Where the operator is.
    pub(crate) fn place(&self) -> &Place {
        // The stack is never empty: it starts with a list, and `back` keeps the last.
        &self.stack[self.stack.len() - 1]
    }

    pub(crate) fn place_mut(&mut self) -> &mut Place {
        let last = self.stack.len() - 1;
        &mut self.stack[last]
    }

    pub(crate) fn way(&self) -> &[Place] {
        &self.stack
    }

    /// The notice of the moment.
    pub(crate) fn notice(&self) -> Option<&Notice> {
        self.notice.as_ref()
    }

    pub(crate) fn say(&mut self, role: Role, text: impl Into<String>) {
        let text = text.into();
        // The longer it is, the longer it takes to read.
        let until = self.clock + Duration::from_secs(4 + text.len() as u64 / 40);
        self.notice = Some(Notice { role, text, until });
        self.touch();
    }
}
