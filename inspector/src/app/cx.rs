//! What is in front of the operator, as screens and columns read it.

use super::glyphs::Glyphs;
use super::{Accused, App, Derived, Entity, Link, keymap};
use crate::lints::{Finding, SOON, Severity};
use crate::model::Model;

/// What screens and columns read.
#[derive(Clone, Copy)]
pub(crate) struct Cx<'a> {
    pub(crate) app: &'a App,
    pub(crate) model: &'a Model,
    pub(crate) findings: &'a [Finding],
    pub(crate) accused: &'a Accused,
    pub(crate) derived: &'a Derived,
    pub(crate) glyphs: &'static Glyphs,
}

impl<'a> Cx<'a> {
    /// The worst that a finding says of `entity`; shown as its mark in every table.
    pub(crate) fn mark(&self, entity: Entity) -> Option<Severity> {
        match entity {
            Entity::Finding(_) => self.finding(entity).filter(|f| f.active() && !self.app.muted(f)).map(|f| f.severity),
            Entity::Past(_) | Entity::Then(..) => None,
            other => self.accused.severity(other, self.model),
        }
    }

    /// How the key of `action` is written.
    pub(crate) fn key(&self, action: keymap::Action) -> &'a str {
        self.app.keys.shown(action)
    }

    /// The rules have judged what is shown for long enough that to have found nothing says something.
    pub(crate) fn judged(&self) -> bool {
        self.app.shown().judged_for >= SOON
    }

    /// What to say instead of that all is well before they have.
    pub(crate) fn looking(&self) -> String {
        let (so_far, soon) = (self.app.shown().judged_for.as_secs(), SOON.as_secs());
        let what = match self.app.link {
            Link::Ended { .. } => "Too short to say".to_owned(),
            _ => "Looking".to_owned(),
        };
        format!("{} {what}: the rules have judged for {so_far} s, and take {soon} s to tell.", self.glyphs.stale)
    }

    /// What is wrong now and not muted, the worst first.
    pub(crate) fn active(&self) -> impl Iterator<Item = &'a Finding> + use<'a> {
        let app = self.app;
        self.findings.iter().filter(move |f| f.active() && !app.muted(f))
    }

    /// The finding that `entity` is, of this run or an earlier one, of now or a moment of the timeline.
    pub(crate) fn finding(&self, entity: Entity) -> Option<&'a Finding> {
        match entity {
            Entity::Finding(key) => self.findings.iter().find(|f| f.key() == key),
            Entity::Past(id) => self.app.past().iter().find(|p| p.id == id).map(|p| &p.finding),
            Entity::Then(at, key) => self.app.history().exactly(at)?.findings.iter().find(|f| f.key() == key),
            _ => None,
        }
    }

    /// Whether what a finding is about can still be looked at: it is of the process that is shown.
    pub(crate) fn is_of_this_run(&self, finding: Entity) -> bool {
        match finding {
            Entity::Finding(_) => true,
            Entity::Then(at, _) => {
                self.app.history().exactly(at).is_some_and(|m| m.instance == self.model.target.instance)
            }
            _ => false,
        }
    }
}
