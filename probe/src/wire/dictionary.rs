//! Strings and sites, sent once and then spoken of by number.
use std::{collections::HashMap, panic::Location, sync::Arc};

use async_inspect_proto::v1::{self, OutputKind, SiteKind};

use super::Messages;
use crate::recorder::site::{self, Site};

/// Ids of call sites begin here; below are the recorder's own ids of spawn and creation sites.
const FIRST_CALL_SITE: u32 = 1 << 14;
/// Call sites told apart.
const MAX_CALL_SITES: usize = 1 << 16;
/// Strings told apart, and the bytes of all of them; the next ones are empty. A snapshot begins with all strings at once,
/// for which there has to be room in a subscriber's queue.
const MAX_STRINGS: usize = 1 << 17;
const MAX_BYTES: usize = 8 * 1024 * 1024;
/// Bytes of a string that are sent.
const MAX_STRING_BYTES: usize = 1024;

/// Everything interned so far. Grows with the source of the target, not with what it does.
#[derive(Default)]
pub(crate) struct Dictionary {
    strings: Vec<Arc<str>>,
    string_ids: HashMap<Arc<str>, u32>,
    /// Of all strings.
    bytes: usize,
    sites: Vec<SiteRow>,
    /// By address: the text of a `Location` is looked at once.
    call_sites: HashMap<usize, u32>,
    /// By file (a string's id), line and column: those of which a stack tells.
    lines: HashMap<(u32, u32, u32), u32>,
    /// By the recorder's id: sites already among `sites`.
    made_sites: Vec<bool>,
    shed: u64,
}

#[derive(Clone, Copy)]
struct SiteRow {
    id: u32,
    kind: SiteKind,
    file: u32,
    line: u32,
    column: u32,
    name: u32,
    output: OutputKind,
}

/// How much of a [`Dictionary`] a reader has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Known {
    strings: usize,
    sites: usize,
}

impl Dictionary {
    /// The id of a string; 0 for the empty one.
    pub(crate) fn string(&mut self, text: &str) -> u32 {
        let text = &text[..text.floor_char_boundary(MAX_STRING_BYTES)];
        if text.is_empty() {
            return 0;
        }
        if let Some(&id) = self.string_ids.get(text) {
            return id;
        }
        if self.strings.len() == MAX_STRINGS || self.bytes + text.len() > MAX_BYTES {
            self.shed += 1;
            return 0;
        }
        let text: Arc<str> = text.into();
        self.bytes += text.len();
        self.strings.push(text.clone());
        let id = self.strings.len() as u32;
        self.string_ids.insert(text, id);
        id
    }

    /// The id of a site where things are made, which is the recorder's.
    pub(crate) fn site(&mut self, site: &Site) -> u32 {
        let index = site.id as usize;
        if self.made_sites.len() <= index {
            self.made_sites.resize(index + 1, false);
        }
        if !std::mem::replace(&mut self.made_sites[index], true) {
            let info = &site.info;
            let kind = match info.kind {
                site::SiteKind::Spawn => SiteKind::Spawn,
                site::SiteKind::Lock => SiteKind::Lock,
                site::SiteKind::Channel | site::SiteKind::Oneshot => SiteKind::Channel,
                site::SiteKind::Wait | site::SiteKind::Timeout => SiteKind::Call,
            };
            let output = match info.output {
                site::OutputKind::Unknown => OutputKind::Unspecified,
                site::OutputKind::Unit => OutputKind::Unit,
                site::OutputKind::Result => OutputKind::Result,
                site::OutputKind::Value => OutputKind::Value,
            };
            let (file, name) = (self.string(info.location.file()), self.string(info.type_name));
            let (line, column) = (info.location.line(), info.location.column());
            self.sites.push(SiteRow { id: site.id, kind, file, line, column, name, output });
        }
        site.id
    }

    /// The id of a place where something is awaited or acquired; 0 for none, or when there are too many.
    pub(crate) fn call_site(&mut self, location: Option<&'static Location<'static>>) -> u32 {
        let Some(location) = location else { return 0 };
        let address = std::ptr::from_ref(location) as usize;
        if let Some(&id) = self.call_sites.get(&address) {
            return id;
        }
        let id = self.new_call_site(location.file(), location.line(), location.column());
        if id != 0 {
            self.call_sites.insert(address, id);
        }
        id
    }

    /// The id of a line that a stack tells of; 0 where there is no room, or no file.
    pub(crate) fn line(&mut self, file: &str, line: u32, column: u32) -> u32 {
        let key = (self.string(file), line, column);
        if key.0 == 0 {
            return 0;
        }
        if let Some(&id) = self.lines.get(&key) {
            return id;
        }
        let id = self.new_call_site(file, line, column);
        if id != 0 {
            self.lines.insert(key, id);
        }
        id
    }

    /// The next id of a call site; 0 when there are too many.
    fn new_call_site(&mut self, file: &str, line: u32, column: u32) -> u32 {
        let known = self.call_sites.len() + self.lines.len();
        if known == MAX_CALL_SITES {
            self.shed += 1;
            return 0;
        }
        let id = FIRST_CALL_SITE + known as u32;
        let file = self.string(file);
        self.sites.push(SiteRow {
            id,
            kind: SiteKind::Call,
            file,
            line,
            column,
            name: 0,
            output: OutputKind::Unspecified,
        });
        id
    }

    /// How often a call site or a string found no room.
    pub(crate) fn shed(&self) -> u64 {
        self.shed
    }

    /// Bytes taken by strings and sites, roughly.
    pub(crate) fn memory_bytes(&self) -> u64 {
        const OF_A_STRING: usize = 2 * size_of::<Arc<str>>() + size_of::<(usize, usize, u32)>();
        const OF_A_CALL_SITE: usize = size_of::<(usize, u32)>();
        let sites = self.sites.capacity() * size_of::<SiteRow>()
            + (self.call_sites.capacity() + self.lines.capacity()) * OF_A_CALL_SITE;
        (self.bytes + self.strings.len() * OF_A_STRING + sites) as u64
    }

    /// Messages with what a reader who has `known` lacks; afterwards it has all.
    pub(crate) fn news(&self, known: &mut Known) -> Vec<v1::Update> {
        let mut messages = Messages::default();
        for (i, text) in self.strings.iter().enumerate().skip(known.strings) {
            let strings = messages.room_for(text.len() + 8).strings.get_or_insert_default();
            if strings.values.is_empty() {
                strings.first = i as u32 + 1;
            }
            strings.values.push(text.to_string());
        }
        for row in &self.sites[known.sites..] {
            let sites = messages.room_for(32).sites.get_or_insert_default();
            sites.id.push(row.id);
            sites.kind.push(row.kind.into());
            sites.file.push(row.file);
            sites.line.push(row.line);
            sites.column.push(row.column);
            sites.name.push(row.name);
            sites.output.push(row.output.into());
        }
        let none = Known { strings: self.strings.len(), sites: self.sites.len() } == *known;
        *known = Known { strings: self.strings.len(), sites: self.sites.len() };
        if none { Vec::new() } else { messages.finish() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_are_told_once_and_split_into_messages_of_bounded_length() {
        let mut dictionary = Dictionary::default();
        let mut known = Known::default();
        for i in 0..3000 {
            dictionary.string(&format!("{i}{}", "x".repeat(2000)));
        }
        dictionary.call_site(Some(Location::caller()));
        let news = dictionary.news(&mut known);
        assert!(news.len() > 3);
        let mut next = 1;
        for message in &news {
            assert!(prost::Message::encoded_len(message) < async_inspect_proto::MAX_MESSAGE_BYTES);
            if let Some(strings) = &message.strings {
                assert_eq!(strings.first, next);
                next += strings.values.len() as u32;
            }
        }
        assert_eq!(next, 3002);
        assert!(dictionary.news(&mut known).is_empty());

        assert_eq!(dictionary.string("another"), 3002);
        assert_eq!(dictionary.string("another"), 3002);
        assert_eq!(dictionary.news(&mut known)[0].strings.as_ref().unwrap().values, ["another"]);
    }

    #[test]
    fn strings_beyond_the_limit_are_empty_and_counted() {
        let mut dictionary = Dictionary::default();
        let known = dictionary.string("known");
        let mut n = 0;
        while dictionary.string(&format!("{n}{}", "x".repeat(1000))) != 0 {
            n += 1;
        }
        assert_eq!((dictionary.string("one more that is not short enough").min(1), dictionary.shed()), (1, 1));
        assert_eq!((dictionary.string(&"y".repeat(1000)), dictionary.shed()), (0, 2));
        assert_eq!(dictionary.string("known"), known);
        let bytes = dictionary.memory_bytes();
        assert!((MAX_BYTES as u64..MAX_BYTES as u64 * 2).contains(&bytes), "{bytes}");
        // All of them fit into the queue of one subscriber.
        assert!(dictionary.news(&mut Known::default()).len() < 20);
    }

    #[test]
    fn a_string_is_cut_at_a_character() {
        let mut dictionary = Dictionary::default();
        let id = dictionary.string(&"é".repeat(1000));
        assert_eq!(dictionary.strings[id as usize - 1].len(), MAX_STRING_BYTES);
        let id = dictionary.string(&format!("x{}", "é".repeat(1000)));
        assert_eq!(dictionary.strings[id as usize - 1].len(), MAX_STRING_BYTES - 1);
    }
}
