//! Every key, once. The handler, the last line and the help screen all read this table.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::App;
use super::screen::Body;

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Up,
    Down,
    Top,
    Bottom,
    HalfUp,
    HalfDown,
    PageUp,
    PageDown,
    In,
    Back,
    /// To the screen that this digit names.
    Root,
    NextRoot,
    PreviousRoot,
    Filter,
    NextFinding,
    PreviousFinding,
    Sort,
    Reverse,
    Freeze,
    CopyId,
    CopyFinding,
    Wide,
    Reconnect,
    Grouping,
    Fold,
    Help,
    Quit,
    Interrupt,
    Suspend,
}

/// Where a key means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Everywhere.
    Any,
    /// In tables.
    Table,
    /// In the table of tasks.
    Tasks,
    /// While there is no connection.
    Lost,
}

impl Scope {
    /// Whether the app is there now.
    pub(crate) fn holds(self, app: &App) -> bool {
        match self {
            Self::Any => true,
            Self::Table => matches!(app.place().screen.body, Body::Table(_)),
            Self::Tasks => app.place().screen.id == "tasks",
            Self::Lost => !app.link.live(),
        }
    }
}

/// One key press.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Chord {
    code: KeyCode,
    ctrl: bool,
}

const fn ch(c: char) -> Chord {
    Chord { code: KeyCode::Char(c), ctrl: false }
}

const fn ctrl(c: char) -> Chord {
    Chord { code: KeyCode::Char(c), ctrl: true }
}

const fn key(code: KeyCode) -> Chord {
    Chord { code, ctrl: false }
}

impl From<KeyEvent> for Chord {
    fn from(event: KeyEvent) -> Self {
        // Shift is in the character itself; Alt and the rest are not bound.
        Self { code: event.code, ctrl: event.modifiers.contains(KeyModifiers::CONTROL) }
    }
}

/// One row of the table.
pub(crate) struct Binding {
    pub(crate) chords: &'static [Chord],
    /// How the keys are written in help and in the last line.
    pub(crate) shown: &'static str,
    pub(crate) action: Action,
    pub(crate) scope: Scope,
    /// The heading in help.
    pub(crate) group: &'static str,
    /// A word for the last line; empty for keys that need no reminder.
    pub(crate) hint: &'static str,
    /// What help says.
    pub(crate) help: &'static str,
}

const MOVE: &str = "Move";
const LOOK: &str = "Look";
const DO: &str = "Do";

/// All keys. Hints appear in the last line in this order.
#[rustfmt::skip]
pub(crate) static KEYMAP: &[Binding] = &[
    Binding { chords: &[ch('r')], shown: "r", action: Action::Reconnect, scope: Scope::Lost, group: DO, hint: "reconnect now", help: "reconnect now, without waiting for the next attempt" },
    Binding { chords: &[ch('j'), key(KeyCode::Down)], shown: "j ↓", action: Action::Down, scope: Scope::Any, group: MOVE, hint: "", help: "down" },
    Binding { chords: &[ch('k'), key(KeyCode::Up)], shown: "k ↑", action: Action::Up, scope: Scope::Any, group: MOVE, hint: "", help: "up" },
    Binding { chords: &[key(KeyCode::Enter), ch('l'), key(KeyCode::Right)], shown: "Enter l →", action: Action::In, scope: Scope::Any, group: MOVE, hint: "in", help: "go in: from a row to its page, from a task to what it waits for, from a lock to its holder" },
    Binding { chords: &[key(KeyCode::Esc), ch('h'), key(KeyCode::Left), key(KeyCode::Backspace)], shown: "Esc h ←", action: Action::Back, scope: Scope::Any, group: MOVE, hint: "back", help: "back to where you came from, or take the filter off; never quits" },
    Binding { chords: &[ch('/')], shown: "/", action: Action::Filter, scope: Scope::Table, group: LOOK, hint: "filter", help: "filter: text, !text, state:idle, wait>1s, \"two words\"; the fields are listed while you type" },
    Binding { chords: &[ch('s')], shown: "s", action: Action::Sort, scope: Scope::Table, group: LOOK, hint: "sort", help: "sort by the next column" },
    Binding { chords: &[ch('S')], shown: "S", action: Action::Reverse, scope: Scope::Table, group: LOOK, hint: "", help: "reverse the order" },
    Binding { chords: &[ch('v')], shown: "v", action: Action::Grouping, scope: Scope::Tasks, group: LOOK, hint: "flat/group", help: "tasks one by one, or one line a spawn site" },
    Binding { chords: &[ch('o')], shown: "o", action: Action::Fold, scope: Scope::Tasks, group: LOOK, hint: "open", help: "show or hide the tasks of a spawn site in place" },
    Binding { chords: &[ch('n')], shown: "n", action: Action::NextFinding, scope: Scope::Any, group: MOVE, hint: "next finding", help: "next finding" },
    Binding { chords: &[ch('N')], shown: "N", action: Action::PreviousFinding, scope: Scope::Any, group: MOVE, hint: "", help: "previous finding" },
    Binding { chords: &[key(KeyCode::Tab)], shown: "Tab", action: Action::NextRoot, scope: Scope::Any, group: MOVE, hint: "next screen", help: "next screen" },
    Binding { chords: &[key(KeyCode::BackTab)], shown: "Shift-Tab", action: Action::PreviousRoot, scope: Scope::Any, group: MOVE, hint: "", help: "previous screen" },
    Binding { chords: &[ch('1'), ch('2'), ch('3'), ch('4'), ch('5'), ch('6'), ch('7')], shown: "1…7", action: Action::Root, scope: Scope::Any, group: MOVE, hint: "", help: "to the screen of that number" },
    Binding { chords: &[ch('g'), key(KeyCode::Home)], shown: "g Home", action: Action::Top, scope: Scope::Any, group: MOVE, hint: "", help: "first row" },
    Binding { chords: &[ch('G'), key(KeyCode::End)], shown: "G End", action: Action::Bottom, scope: Scope::Any, group: MOVE, hint: "", help: "last row" },
    Binding { chords: &[ctrl('u')], shown: "Ctrl-u", action: Action::HalfUp, scope: Scope::Any, group: MOVE, hint: "", help: "half a page up" },
    Binding { chords: &[ctrl('d')], shown: "Ctrl-d", action: Action::HalfDown, scope: Scope::Any, group: MOVE, hint: "", help: "half a page down" },
    Binding { chords: &[key(KeyCode::PageUp), ctrl('b')], shown: "PgUp", action: Action::PageUp, scope: Scope::Any, group: MOVE, hint: "", help: "a page up" },
    Binding { chords: &[key(KeyCode::PageDown), ctrl('f')], shown: "PgDn", action: Action::PageDown, scope: Scope::Any, group: MOVE, hint: "", help: "a page down" },
    Binding { chords: &[ch(' ')], shown: "Space", action: Action::Freeze, scope: Scope::Any, group: LOOK, hint: "freeze", help: "freeze the view and let it go on; the service and its probe are never touched" },
    Binding { chords: &[ch('w')], shown: "w", action: Action::Wide, scope: Scope::Any, group: LOOK, hint: "", help: "wide: the list alone, over the whole width" },
    Binding { chords: &[ch('y')], shown: "y", action: Action::CopyId, scope: Scope::Any, group: DO, hint: "", help: "copy the id and place of what is selected (needs a terminal with OSC 52)" },
    Binding { chords: &[ch('Y')], shown: "Y", action: Action::CopyFinding, scope: Scope::Any, group: DO, hint: "copy", help: "copy the whole finding as text, to paste into a chat or an issue" },
    Binding { chords: &[ctrl('z')], shown: "Ctrl-z", action: Action::Suspend, scope: Scope::Any, group: DO, hint: "", help: "to the shell; `fg` comes back" },
    Binding { chords: &[ctrl('c')], shown: "Ctrl-c", action: Action::Interrupt, scope: Scope::Any, group: DO, hint: "", help: "quit" },
    Binding { chords: &[ch('?'), key(KeyCode::F(1))], shown: "?", action: Action::Help, scope: Scope::Any, group: LOOK, hint: "help", help: "this help" },
    Binding { chords: &[ch('q')], shown: "q", action: Action::Quit, scope: Scope::Any, group: DO, hint: "quit", help: "quit" },
];

/// What `event` asks for where the app is now.
pub(crate) fn resolve(app: &App, event: KeyEvent) -> Option<Action> {
    if event.modifiers.contains(KeyModifiers::ALT) {
        return None;
    }
    let chord = Chord::from(event);
    KEYMAP.iter().find(|b| b.chords.contains(&chord) && b.scope.holds(app)).map(|b| b.action)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_key_is_bound_twice() {
        let mut seen = HashSet::new();
        for binding in KEYMAP {
            for chord in binding.chords {
                assert!(seen.insert(*chord), "{chord:?} of {} is bound already", binding.shown);
            }
        }
    }

    #[test]
    fn every_key_says_what_it_does() {
        for binding in KEYMAP {
            assert!(!binding.help.is_empty() && !binding.shown.is_empty());
            assert!(binding.hint.len() < 16, "{} is no hint but a sentence", binding.hint);
        }
    }
}
