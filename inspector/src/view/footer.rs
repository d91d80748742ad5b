//! The last line: the keys that mean something here, or what was just said, or what is being typed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::widgets;
use crate::app::keymap::Action;
use crate::app::theme::Role;
use crate::app::{App, Prompt, PromptKind, complete, palette};
use crate::text::fit;

/// Draws it, and above it what helps with typing.
pub(crate) fn draw(app: &App, buf: &mut Buffer, area: Rect) {
    let theme = &app.theme;
    let end = area.right();
    if let Some(prompt) = &app.prompt {
        prompt_line(app, prompt, buf, area);
        return;
    }
    if let Some(notice) = app.notice() {
        // What takes more than the line, as a path does, has two more, over what stands there.
        let lines = fit::lines(&notice.text, usize::from(area.width.saturating_sub(2)), 3, app.glyphs.ellipsis);
        let blank = " ".repeat(usize::from(area.width));
        let top = area.y.saturating_sub(lines.len().saturating_sub(1) as u16);
        for (line, y) in lines.iter().zip(top..=area.y) {
            widgets::put(buf, area.left(), y, end, &blank, theme.style(Role::Text));
            widgets::put(buf, area.left() + 1, y, end, line, theme.style(notice.role));
        }
        return;
    }
    let wanted: Vec<_> = app
        .keys
        .iter()
        .filter(|b| !b.binding.hint.is_empty() && b.binding.scope.holds(app))
        // There is nothing to go back to on a list without a filter.
        .filter(|b| b.binding.action != Action::Back || app.way().len() > 1 || !app.place().filter_text.is_empty())
        // Where nothing can be gone into, or made wider, the keys for it are not named.
        .filter(|b| b.binding.action != Action::In || app.selected().is_some())
        .filter(|b| b.binding.action != Action::Wide || !app.place().columns().is_empty())
        .map(|b| {
            let again = app.recorded && b.binding.action == Action::Reconnect;
            (b.shown.split(' ').next().unwrap_or_default(), if again { "play again" } else { b.binding.hint })
        })
        .collect();
    // Help and quit are the last of the table and the last to go.
    let width = |(keys, hint): &(&str, &str)| fit::width(keys) + 1 + fit::width(hint) + 2;
    let tail: usize = wanted.iter().rev().take(2).map(width).sum();
    let (head, last) = wanted.split_at(wanted.len().saturating_sub(2));
    let mut room = usize::from(area.width).saturating_sub(tail + 1);
    let mut x = area.left() + 1;
    let fitting: Vec<_> = head
        .iter()
        .filter(|key| {
            let fits = width(key) <= room;
            room -= if fits { width(key) } else { 0 };
            fits
        })
        .chain(last)
        .collect();
    for (keys, hint) in fitting {
        x = widgets::put(buf, x, area.y, end, keys, theme.style(Role::Accent));
        x = widgets::put(buf, x, area.y, end, &format!(" {hint}  "), theme.style(Role::Muted));
    }
}

fn prompt_line(app: &App, prompt: &Prompt, buf: &mut Buffer, area: Rect) {
    let theme = &app.theme;
    let end = area.right();
    let sign = if prompt.kind == PromptKind::Filter { "/" } else { ":" };
    let x = widgets::put(buf, area.left(), area.y, end, sign, theme.style(Role::Accent));
    let room = usize::from(end.saturating_sub(x)).saturating_sub(1).max(1);
    let scroll = prompt.input.visual_scroll(room);
    let text: String = skip_columns(prompt.input.value(), scroll);
    widgets::put(buf, x, area.y, end, &text, theme.style(Role::Text));
    let cursor = x + (prompt.input.visual_cursor().saturating_sub(scroll)).min(room) as u16;
    if cursor < end {
        let style = ratatui::style::Style::new().add_modifier(ratatui::style::Modifier::REVERSED);
        buf.set_style(Rect::new(cursor, area.y, 1, 1).intersection(buf.area), style);
    }
    match prompt.kind {
        PromptKind::Palette(lit) => entries(app, prompt.input.value(), lit, buf, area),
        PromptKind::Filter if area.y > 0 => {
            let (role, text) = match &prompt.error {
                Some(error) => (Role::Crit, format!("{} {error}", app.glyphs.crit)),
                None => (Role::Muted, hint(app, prompt.input.value())),
            };
            let width = usize::from(area.width);
            let lines = fit::lines(&text, width.saturating_sub(1), 3.min(usize::from(area.y)), app.glyphs.ellipsis);
            for (line, y) in lines.iter().rev().zip((0..area.y).rev()) {
                let line = fit::left(line, width, app.glyphs.ellipsis);
                widgets::put(buf, area.left(), y, end, &line, theme.style(role));
            }
        }
        PromptKind::Filter => {}
    }
}

/// What can be done and fits what was typed, above the line.
fn entries(app: &App, text: &str, lit: usize, buf: &mut Buffer, area: Rect) {
    let g = app.glyphs;
    let entries = palette::entries(app, text);
    let width = usize::from(area.width);
    let Some((shown, top)) = palette::window(entries.len(), lit, area) else { return };
    let shown: Vec<_> = shown.filter_map(|n| entries.get(n).map(|entry| (n, entry))).collect();
    let rule = fit::left(&g.line.repeat(width), width, g.ellipsis);
    widgets::put(buf, area.left(), top, area.right(), &rule, app.theme.style(Role::Muted));
    let blank = " ".repeat(width);
    if shown.is_empty() {
        let text = fit::left(" nothing is called so; Esc goes back", width, g.ellipsis);
        widgets::put(buf, area.left(), top + 1, area.right(), &text, app.theme.style(Role::Muted));
    }
    for ((n, entry), y) in shown.into_iter().zip(top + 1..area.y) {
        widgets::put(buf, area.left(), y, area.right(), &blank, app.theme.style(Role::Text));
        let names = (width / 3).clamp(18, 40);
        let name = fit::left(&entry.name, names, g.ellipsis);
        let x = widgets::put(buf, area.left() + 1, y, area.right(), &name, app.theme.style(Role::Accent));
        let about = fit::head(&entry.about, width.saturating_sub(names + 3), g.ellipsis);
        widgets::put(buf, x + 1, y, area.right(), &about, app.theme.style(Role::Muted));
        if n == lit {
            buf.set_style(Rect { y, height: 1, ..area }.intersection(buf.area), app.theme.selected());
        }
    }
}

/// The fields that the word being typed may become, or all of them.
fn hint(app: &App, text: &str) -> String {
    let word = text.rsplit(char::is_whitespace).next().unwrap_or_default().trim_start_matches('!');
    let fields = complete::fields(app.place(), word);
    let dot = app.glyphs.dot;
    if !word.is_empty() && !fields.is_empty() {
        let all: Vec<_> = fields.iter().map(|(id, sign)| format!("{id}{sign}")).collect();
        return format!("Tab: {}  {dot} or any text", all.join(" "));
    }
    let mut all: Vec<_> = app.place().columns().iter().map(|c| c.id).collect();
    all.sort_unstable();
    format!("text  !not  field:text  field>1s  Tab finishes {dot} fields: {}", all.join(" "))
}

fn skip_columns(text: &str, columns: usize) -> String {
    let mut skipped = 0;
    text.chars()
        .skip_while(|c| {
            let skip = skipped < columns;
            skipped += unicode_width::UnicodeWidthChar::width(*c).unwrap_or(0);
            skip
        })
        .collect()
}
