//! Which entities the active findings accuse, so that every table marks them with the same glyph.
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::{Cx, Entity, names};
use crate::lints::{Finding, Severity, SubjectKind, WaitStep};
use crate::model::{Model, SiteId, Task};

/// Accused entities with the worst that is said of each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Accused {
    said: HashMap<Entity, Severity>,
    /// Sites with an accused task, lock or channel among theirs.
    sites: HashMap<SiteId, Severity>,
}

impl Accused {
    /// Those that `findings` accuse now; cleared findings accuse nobody.
    pub(crate) fn new<'a>(findings: impl IntoIterator<Item = &'a Finding>, model: &Model) -> Self {
        let mut accused = Self::default();
        for finding in findings.into_iter().filter(|f| f.active()) {
            let circle = finding.cycle.iter().flat_map(in_circle);
            // Where the rule knows which of a site's tasks it is, the others are not accused with them.
            let those = finding.tasks.iter().copied().map(Entity::Task);
            let subject = match finding.subject.kind {
                SubjectKind::Site(site) if !finding.tasks.is_empty() => {
                    worsen(accused.sites.entry(site), finding.severity);
                    None
                }
                kind => Some(Entity::from(kind)),
            };
            for entity in circle.chain(those).chain(subject) {
                worsen(accused.said.entry(entity), finding.severity);
                if !matches!(entity, Entity::Site(_))
                    && let Some(site) = names::made_at(model, entity)
                {
                    worsen(accused.sites.entry(site), finding.severity);
                }
            }
        }
        accused
    }

    /// The worst said of `entity` alone.
    pub(crate) fn own(&self, entity: Entity) -> Option<Severity> {
        self.said.get(&entity).copied()
    }

    /// The worst said of a task, or of all from its site.
    pub(crate) fn severity_of(&self, task: &Task) -> Option<Severity> {
        self.own(Entity::Task(task.id)).max(self.own(Entity::Site(task.site)))
    }

    /// The worst said of `entity` itself; of a task, also what is said of all from its site; of a site, also what is
    /// said of one of its tasks, locks or channels; of a thread, what is said of the task that it is in.
    pub(crate) fn severity(&self, entity: Entity, model: &Model) -> Option<Severity> {
        let own = self.own(entity);
        let related = match entity {
            // Mostly nobody is accused, and many tasks are asked about.
            Entity::Task(_) if self.said.is_empty() => None,
            Entity::Task(id) => return model.tasks.get(&id).map_or(own, |task| self.severity_of(task)),
            Entity::Site(id) => self.sites.get(&id).copied(),
            Entity::Worker(id) => model
                .workers
                .get(&id)
                .and_then(|w| w.poll)
                .and_then(|(task, _)| self.said.get(&Entity::Task(task)).copied()),
            _ => None,
        };
        own.max(related)
    }
}

/// Who waits in a circle is accused with it, and what for: one lock alone would lead to nobody, nor to the other locks.
fn in_circle(step: &WaitStep) -> [Entity; 2] {
    [Entity::Task(step.task), Entity::from(step.on)]
}

fn worsen<K>(entry: Entry<K, Severity>, severity: Severity) {
    let worst = entry.or_insert(severity);
    *worst = (*worst).max(severity);
}

/// What lasts and is said of `entity`, the worst first: of a task, also of all from its site; of a thread, of the task that
/// it is in.
pub(super) fn accusing<'a>(cx: &Cx<'a>, entity: Entity) -> Vec<&'a Finding> {
    let entity = match entity {
        Entity::Worker(id) => {
            cx.model.workers.get(&id).and_then(|w| w.poll).map_or(entity, |(task, _)| Entity::Task(task))
        }
        other => other,
    };
    let site = match entity {
        Entity::Task(id) => cx.model.tasks.get(&id).map(|task| task.site),
        _ => None,
    };
    cx.active().filter(|f| is_about(f, entity) || site.is_some_and(|site| is_about_all(f, site))).collect()
}

/// About `entity`, alone or among others.
pub(crate) fn is_about(finding: &Finding, entity: Entity) -> bool {
    let tasks = finding.tasks.iter().copied().map(Entity::Task);
    let mut all = tasks.chain(finding.cycle.iter().flat_map(in_circle)).chain([Entity::from(finding.subject.kind)]);
    all.any(|one| one == entity)
}

/// About all tasks of a site, and not about some of them.
pub(crate) fn is_about_all(finding: &Finding, site: SiteId) -> bool {
    Entity::from(finding.subject.kind) == Entity::Site(site) && finding.tasks.is_empty()
}
