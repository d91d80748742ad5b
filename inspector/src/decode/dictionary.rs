//! Strings and sites, which the wire names by number after it has sent them once.
use std::collections::HashSet;
use std::sync::Arc;

use async_inspect_proto::v1;

use super::{DecodeError, text};
use crate::model::{OutputKind, SiteBirth, SiteId, SiteKind};
use crate::text::place;

/// Strings of one connection; the probe itself stops at half of it.
const MAX_STRINGS: usize = 1 << 18;
/// Sites of one connection.
const MAX_SITES: usize = 1 << 18;
/// Bytes of all strings of one connection: some hundred times those of a large program.
const MAX_TEXT: usize = 64 << 20;
/// Bytes of the places that one message tells of. A place is put together of a string and numbers, so that a short message
/// could make very many long ones.
const MAX_PLACES: usize = 16 << 20;

/// What one connection has sent so far.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    /// Cleaned, and shared by all that goes by them. Index 0 is the id 1.
    strings: Vec<Arc<str>>,
    /// Bytes of all that were ever taken: what was replaced may be in use still.
    text: usize,
    /// Strings that there was no room for.
    shed: u64,
    none: Arc<str>,
    sites: HashSet<u32>,
}

impl Dictionary {
    /// Learns strings. A fresh snapshot on the same connection sends those that are known again.
    pub(super) fn learn_strings(&mut self, strings: v1::Strings) -> Result<(), DecodeError> {
        if strings.values.is_empty() {
            return Ok(());
        }
        let first = (strings.first as usize)
            .checked_sub(1)
            .filter(|&first| first <= self.strings.len())
            .ok_or(DecodeError::String { id: strings.first.saturating_sub(1) })?;
        if first + strings.values.len() > MAX_STRINGS {
            return Err(DecodeError::TooMany { what: "strings", limit: MAX_STRINGS });
        }
        for (index, value) in (first..).zip(strings.values) {
            let value = text::owned(value);
            if self.strings.get(index).is_some_and(|known| **known == *value) {
                continue;
            }
            let value: Arc<str> = if self.text + value.len() <= MAX_TEXT {
                self.text += value.len();
                value.into()
            } else {
                self.shed = self.shed.saturating_add(1);
                "…".into()
            };
            match self.strings.get_mut(index) {
                Some(known) => *known = value,
                None => self.strings.push(value),
            }
        }
        Ok(())
    }

    /// Strings that there was no room for, so far; `…` stands in the place of each.
    pub(super) fn shed(&self) -> u64 {
        self.shed
    }

    /// The string of that id; the empty one for 0.
    pub(super) fn string(&self, id: u32) -> Result<&str, DecodeError> {
        Ok(self.shared(id)?)
    }

    /// The same, to be kept.
    pub(super) fn name(&self, id: u32) -> Result<Arc<str>, DecodeError> {
        self.shared(id).map(Arc::clone)
    }

    fn shared(&self, id: u32) -> Result<&Arc<str>, DecodeError> {
        match id {
            0 => Ok(&self.none),
            _ => self.strings.get(id as usize - 1).ok_or(DecodeError::String { id }),
        }
    }

    /// `path:line:column`, or what is known of it.
    pub(super) fn location(&self, file: u32, line: u32, column: u32) -> Result<String, DecodeError> {
        Ok(place::written(self.string(file)?, line, column))
    }

    /// Learns sites, of a table that is unpacked.
    pub(super) fn learn_sites(&mut self, sites: &v1::Sites) -> Result<Vec<SiteBirth>, DecodeError> {
        let v1::Sites { id, kind, file, line, column, name, output } = sites;
        let rows = id.len();
        let (mut births, mut places) = (Vec::with_capacity(rows), 0);
        for row in 0..rows {
            if id[row] == 0 {
                return Err(DecodeError::NoId { table: "sites" });
            }
            let location = self.location(file[row], line[row], column[row])?;
            places += location.len();
            if places > MAX_PLACES {
                return Err(DecodeError::TooMany { what: "bytes of places in one message", limit: MAX_PLACES });
            }
            births.push(SiteBirth {
                id: SiteId(id[row]),
                kind: match v1::SiteKind::try_from(kind[row]) {
                    Ok(v1::SiteKind::Spawn) => SiteKind::Spawn,
                    Ok(v1::SiteKind::Lock) => SiteKind::Lock,
                    Ok(v1::SiteKind::Channel) => SiteKind::Channel,
                    Ok(v1::SiteKind::Call) => SiteKind::Call,
                    _ => return Err(DecodeError::Value { field: "sites.kind", value: kind[row].into() }),
                },
                // A line of the standard library (where a `Default` made it) says nothing of who asked for it.
                location: if crate::text::is_std(&location) { String::new() } else { location },
                name: self.name(name[row])?,
                // What is not said, or said in a way of later versions, is not known.
                output: match v1::OutputKind::try_from(output[row]) {
                    Ok(v1::OutputKind::Unit) => OutputKind::Unit,
                    Ok(v1::OutputKind::Result) => OutputKind::Result,
                    Ok(v1::OutputKind::Value) => OutputKind::Value,
                    _ => OutputKind::Unknown,
                },
            });
            self.sites.insert(id[row]);
        }
        if self.sites.len() > MAX_SITES {
            return Err(DecodeError::TooMany { what: "sites", limit: MAX_SITES });
        }
        Ok(births)
    }

    /// The site of that id, or none for 0.
    pub(super) fn site(&self, id: u32) -> Result<SiteId, DecodeError> {
        if id == 0 || self.sites.contains(&id) { Ok(SiteId(id)) } else { Err(DecodeError::Site { id }) }
    }
}
