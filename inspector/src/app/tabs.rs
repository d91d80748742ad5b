//! The tabs: what each says, and where it begins.

use ratatui::layout::Rect;

use super::App;
use super::screen::Screen;

/// The tab at column `x`.
pub(crate) fn at(app: &App, area: Rect, x: u16) -> Option<&'static Screen> {
    let all = all(app, area);
    let (.., screen) = all.iter().rev().find(|(start, ..)| *start <= x)?;
    Some(screen)
}

/// Letters that leave every title whole but the one that can spare some: what 80 columns want.
const NEARLY: usize = 60;

/// Where each tab begins, and what it says.
pub(crate) fn all(app: &App, area: Rect) -> Vec<(u16, String, &'static Screen)> {
    let here = app.place().screen.id;
    // How many there are of the worst kind, whose sign stands behind the number.
    let found = found(app);
    let text = |screen: &Screen, letters: usize| {
        let letters = match (screen.id, letters) {
            ("timeline", NEARLY) => 4,
            (id, _) if id == here => usize::MAX,
            (_, letters) => letters,
        };
        let title: String = screen.title.chars().take(letters).collect();
        let found = if screen.id == "findings" && found > 0 { format!(" {found}") } else { String::new() };
        let key = screen.key.unwrap_or(' ');
        if title.is_empty() { format!("{key}{found}") } else { format!("{key} {title}{found}") }
    };
    let tabs = || app.screens.listed();
    // Titles shrink before the last tab falls off.
    let gaps = [(usize::MAX, 2), (usize::MAX, 1), (NEARLY, 1), (4, 1), (3, 1), (2, 1), (0, 1)];
    let width = |letters, gap| tabs().map(|s| text(s, letters).chars().count() + gap).sum::<usize>() + 2;
    let fits = |&(letters, gap): &(usize, usize)| width(letters, gap) <= usize::from(area.width);
    let (letters, gap) = gaps.into_iter().find(fits).unwrap_or((0, 1));
    let mut x = area.left() + 1;
    tabs()
        .map(|screen| {
            let text = text(screen, letters);
            let start = x;
            let sign = usize::from(screen.id == "findings" && found > 0);
            x = x.saturating_add((text.chars().count() + sign + gap) as u16);
            (start, text, screen)
        })
        .collect()
}

/// How many findings there are of the worst severity that there is.
fn found(app: &App) -> usize {
    let cx = app.cx();
    let worst = cx.active().map(|f| f.severity).max();
    cx.active().filter(|f| Some(f.severity) == worst).count()
}
