//! Everything that can be done, by its name.

use std::ops::Range;

use ratatui::layout::Rect;

use super::keymap::{Action, Scope};
use super::screen::Screen;
use super::{App, Entity, PromptKind, ThemeChoice, names};
use crate::model::TaskId;

/// Entries shown at once.
const SHOWN: usize = 8;
/// Entities that are named; more are found by a filter.
const ENTITIES: usize = 40;

/// What an entry does.
#[derive(Clone, Copy)]
pub(crate) enum Command {
    Do(Action),
    Go(&'static Screen),
    Open(Entity),
    Theme(ThemeChoice),
}

/// One thing that can be done.
pub(crate) struct Entry {
    /// What is matched and shown.
    pub(crate) name: String,
    /// What it does, in words, or the key that does it too.
    pub(crate) about: String,
    pub(crate) command: Command,
}

/// What `text` may mean, the likeliest first.
pub(crate) fn entries(app: &App, text: &str) -> Vec<Entry> {
    let text = text.trim().to_lowercase();
    let mut found: Vec<(usize, Entry)> = Vec::new();
    let mut offer = |entry: Entry| {
        if let Some(rank) = rank(&entry.name, &text) {
            found.push((rank, entry));
        }
    };
    for screen in app.screens.listed() {
        let name = screen.title.to_lowercase();
        offer(Entry { name, about: screen.about.to_owned(), command: Command::Go(screen) });
    }
    let useless = [Action::Palette, Action::Up, Action::Down, Action::In, Action::Root];
    for bound in app.keys.iter() {
        let binding = bound.binding;
        let here = binding.scope.holds(app) && (binding.scope != Scope::Lost || !app.link.live());
        if here && !binding.name.is_empty() && !useless.contains(&binding.action) {
            let about = format!("{} ({})", binding.help, bound.shown);
            offer(Entry { name: binding.name.to_owned(), about, command: Command::Do(binding.action) });
        }
    }
    for (name, theme) in ThemeChoice::ALL {
        let about = "colours".to_owned();
        offer(Entry { name: format!("theme {name}"), about, command: Command::Theme(*theme) });
    }
    // With a million tasks only a number names one of them.
    let model = app.cx().model;
    let number = text.strip_prefix("task").unwrap_or(&text).trim().trim_start_matches('#').parse().ok().map(TaskId);
    if let Some(id) = number.filter(|id| model.tasks.contains_key(id)) {
        let entry =
            Entry { name: names::task_id(model, id), about: String::new(), command: Command::Open(Entity::Task(id)) };
        found.push((0, entry));
    }
    if text.len() >= 2 {
        let cx = app.cx();
        let locks = model.locks.keys().map(|&id| Entity::Lock(id));
        let channels = model.channels.keys().map(|&id| Entity::Channel(id));
        let sites = model.sites.values().filter(|s| s.spawned > 0).map(|s| Entity::Site(s.id));
        let mut named: Vec<(usize, Entry)> = locks
            .chain(channels)
            .chain(sites)
            .filter_map(|entity| {
                let name = names::entity(&cx, entity);
                let about = names::created_at(model, entity).unwrap_or_default().to_owned();
                let rank = rank(&name, &text)?;
                Some((rank + 1, Entry { name, about, command: Command::Open(entity) }))
            })
            .collect();
        named.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.name.cmp(&b.1.name)));
        named.truncate(ENTITIES);
        found.extend(named);
    }
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, entry)| entry).collect()
}

/// Which of so many entries are shown above the line, and where the rule above them is; `None` without room.
pub(crate) fn window(all: usize, lit: usize, area: Rect) -> Option<(Range<usize>, u16)> {
    let rows = SHOWN.min(usize::from(area.y.saturating_sub(2)));
    let first = (lit + 1).saturating_sub(rows);
    let shown = first..(first + rows).min(all);
    (rows > 0).then(|| (shown.clone(), area.y - (shown.len().max(1) as u16) - 1))
}

/// The entry that is drawn in that row of the screen.
pub(crate) fn entry_at(app: &App, area: Rect, y: u16) -> Option<usize> {
    let prompt = app.prompt.as_ref()?;
    let PromptKind::Palette(lit) = prompt.kind else { return None };
    let (shown, top) = window(entries(app, prompt.input.value()).len(), lit, area)?;
    shown.into_iter().nth(usize::from(y.checked_sub(top + 1)?))
}

/// How well `name` fits: 0 when it begins so, then where a word begins so, then where it is contained, then where its
/// letters come in this order.
fn rank(name: &str, text: &str) -> Option<usize> {
    let name = name.to_lowercase();
    if name.starts_with(text) {
        return Some(0);
    }
    if name.split(|c: char| !c.is_alphanumeric()).any(|word| word.starts_with(text)) {
        return Some(2);
    }
    if name.contains(text) {
        return Some(4);
    }
    let mut letters = name.chars();
    text.chars().filter(|c| !c.is_whitespace()).all(|c| letters.any(|l| l == c)).then_some(6)
}
