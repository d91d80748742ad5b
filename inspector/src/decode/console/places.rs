//! Places in the target's source. The wire repeats them in words with every entity.
use std::collections::HashMap;

use console_api::Location;

use crate::decode::text;
use crate::model::{SiteBirth, SiteId, SiteKind};
use crate::text::place;

/// Places that are told apart.
const MAX_PLACES: usize = 1 << 16;
/// Bytes of them, and of what is made there goes by.
const MAX_TEXT: usize = 16 << 20;

/// Places, each with the id that it was given.
#[derive(Debug, Default)]
pub(super) struct Places {
    ids: HashMap<(SiteKind, String), SiteId>,
    births: Vec<SiteBirth>,
    /// How many of `births` were told.
    told: usize,
    /// Bytes of `births`.
    text: usize,
    /// Entities whose place is not told apart any more.
    pub(super) lost: u64,
}

impl Places {
    /// The id of a place; none where it is not known. `name` is what is made there goes by.
    pub(super) fn id(&mut self, kind: SiteKind, place: Option<&Location>, name: &str) -> SiteId {
        self.at(kind, place.map(location).unwrap_or_default(), name)
    }

    /// The place of another site, where something else happens too.
    pub(super) fn same(&mut self, kind: SiteKind, as_of: SiteId, name: &str) -> SiteId {
        self.at(kind, self.location(as_of).to_owned(), name)
    }

    fn at(&mut self, kind: SiteKind, location: String, name: &str) -> SiteId {
        if location.is_empty() {
            return SiteId(0);
        }
        let key = (kind, location);
        if let Some(&id) = self.ids.get(&key) {
            return id;
        }
        let text = key.1.len() + name.len();
        if self.births.len() >= MAX_PLACES || self.text + text > MAX_TEXT {
            self.lost = self.lost.saturating_add(1);
            return SiteId(0);
        }
        self.text += text;
        let id = SiteId(self.births.len() as u32 + 1);
        let name = name.into();
        self.births.push(SiteBirth { id, kind, location: key.1.clone(), name, ..SiteBirth::default() });
        self.ids.insert(key, id);
        id
    }

    /// `path:line:column` of a place; empty where it is not known.
    pub(super) fn location(&self, id: SiteId) -> &str {
        let at = (id.0 as usize).checked_sub(1);
        at.and_then(|at| self.births.get(at)).map_or("", |birth| birth.location.as_str())
    }

    /// Those that were not told yet, or all.
    pub(super) fn births(&mut self, all: bool) -> Vec<SiteBirth> {
        let from = if all { 0 } else { self.told };
        self.told = self.births.len();
        self.births[from..].to_vec()
    }
}

fn location(at: &Location) -> String {
    let file = text::clean(at.file.as_deref().or(at.module_path.as_deref()).unwrap_or_default());
    place::written(&file, at.line.unwrap_or(0), at.column.unwrap_or(0))
}
