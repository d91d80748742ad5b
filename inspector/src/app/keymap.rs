//! Every key, once. The handler, the last line and the help screen all read this table.
use std::collections::HashSet;
use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use thiserror::Error;

use super::App;
use super::screen::Body;
use crate::text;

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
    Palette,
    Mute,
    UnmuteAll,
    Export,
    Targets,
    NextTarget,
    PreviousTarget,
    Earlier,
    Later,
    EarlierMinute,
    LaterMinute,
    Oldest,
    Live,
    NextChange,
    PreviousChange,
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
    /// In tables where what comes from one line can share a row.
    Groups,
    /// On the timeline.
    Timeline,
    /// Where findings are.
    Findings,
    /// While there is no connection.
    Lost,
    /// Where there are several targets.
    Fleet,
}

impl Scope {
    /// Whether the app is there now.
    pub(crate) fn holds(self, app: &App) -> bool {
        match self {
            Self::Any => true,
            Self::Table => matches!(app.place().screen.body, Body::Table(_)),
            Self::Groups => match app.place().screen.id {
                "tasks" => true,
                "locks" | "channels" => {
                    let rows = &app.derived.rows;
                    app.place().flat || rows.groups.is_some_and(|groups| groups < rows.passing)
                }
                _ => false,
            },
            Self::Timeline => app.place().screen.id == "timeline",
            Self::Findings => {
                matches!(app.place().screen.id, "overview" | "findings" | "finding" | "timeline")
                    || app.accusation_in_front().is_some()
            }
            Self::Lost => !app.link.live(),
            Self::Fleet => app.among.1 > 1,
        }
    }

    /// Where that is, in words.
    pub(crate) fn place(self) -> &'static str {
        match self {
            Self::Any => "everywhere",
            Self::Table => "in tables: 2 to 6",
            Self::Groups => "in Tasks: 2, and where many locks or channels share a row",
            Self::Timeline => "in Timeline: 7",
            Self::Findings => "where a finding is shown",
            Self::Lost => "without a connection",
            Self::Fleet => "with several targets",
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
    /// What a config file calls the action; empty for keys that cannot be changed.
    pub(crate) name: &'static str,
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

/// The headings of help, in order.
pub(crate) const GROUPS: [&str; 3] = [MOVE, LOOK, DO];

/// All keys. Hints appear in the last line in this order.
#[rustfmt::skip]
pub(crate) static KEYMAP: &[Binding] = &[
    Binding { name: "reconnect", chords: &[ch('r')], shown: "r", action: Action::Reconnect, scope: Scope::Lost, group: DO, hint: "reconnect now", help: "reconnect now, without waiting for the next attempt; play a recording again" },
    Binding { name: "earlier", chords: &[key(KeyCode::Left)], shown: "←", action: Action::Earlier, scope: Scope::Timeline, group: LOOK, hint: "earlier", help: "a second back" },
    Binding { name: "later", chords: &[key(KeyCode::Right)], shown: "→", action: Action::Later, scope: Scope::Timeline, group: LOOK, hint: "later", help: "a second on" },
    Binding { name: "live", chords: &[key(KeyCode::End)], shown: "End", action: Action::Live, scope: Scope::Timeline, group: LOOK, hint: "live", help: "back to now" },
    Binding { name: "next-change", chords: &[ch('n')], shown: "n", action: Action::NextChange, scope: Scope::Timeline, group: LOOK, hint: "change", help: "to the next second in which a finding came or went" },
    Binding { name: "previous-change", chords: &[ch('N')], shown: "N", action: Action::PreviousChange, scope: Scope::Timeline, group: LOOK, hint: "", help: "to the one before" },
    Binding { name: "earlier-minute", chords: &[key(KeyCode::PageUp)], shown: "PgUp", action: Action::EarlierMinute, scope: Scope::Timeline, group: LOOK, hint: "-1 min", help: "a minute back" },
    Binding { name: "later-minute", chords: &[key(KeyCode::PageDown)], shown: "PgDn", action: Action::LaterMinute, scope: Scope::Timeline, group: LOOK, hint: "", help: "a minute on" },
    Binding { name: "oldest", chords: &[key(KeyCode::Home)], shown: "Home", action: Action::Oldest, scope: Scope::Timeline, group: LOOK, hint: "oldest", help: "to the first second that is kept" },
    Binding { name: "down", chords: &[ch('j'), key(KeyCode::Down)], shown: "j ↓", action: Action::Down, scope: Scope::Any, group: MOVE, hint: "", help: "down" },
    Binding { name: "up", chords: &[ch('k'), key(KeyCode::Up)], shown: "k ↑", action: Action::Up, scope: Scope::Any, group: MOVE, hint: "", help: "up" },
    Binding { name: "in", chords: &[key(KeyCode::Enter), ch('l'), key(KeyCode::Right)], shown: "Enter l →", action: Action::In, scope: Scope::Any, group: MOVE, hint: "open", help: "go in: from a row to its page, from a task to what it waits for, from a lock to its holder" },
    Binding { name: "back", chords: &[key(KeyCode::Esc), ch('h'), key(KeyCode::Left), key(KeyCode::Backspace)], shown: "Esc h ←", action: Action::Back, scope: Scope::Any, group: MOVE, hint: "back", help: "back to where you came from, or take the filter off; never quits" },
    Binding { name: "filter", chords: &[ch('/')], shown: "/", action: Action::Filter, scope: Scope::Table, group: LOOK, hint: "filter", help: "filter: text, !text, state:idle, wait>1s, \"two words\"; the fields are listed while you type" },
    Binding { name: "sort", chords: &[ch('s')], shown: "s", action: Action::Sort, scope: Scope::Table, group: LOOK, hint: "sort", help: "sort by the next column" },
    Binding { name: "reverse", chords: &[ch('S')], shown: "S", action: Action::Reverse, scope: Scope::Table, group: LOOK, hint: "", help: "reverse the order" },
    Binding { name: "grouping", chords: &[ch('v')], shown: "v", action: Action::Grouping, scope: Scope::Groups, group: LOOK, hint: "flat/group", help: "tasks, locks and channels one by one, or all that come from one line of code as one row" },
    Binding { name: "fold", chords: &[ch('o')], shown: "o", action: Action::Fold, scope: Scope::Groups, group: LOOK, hint: "expand", help: "show or hide in place what a row stands for: the tasks, locks or channels of one line of code" },
    Binding { name: "mute", chords: &[ch('m')], shown: "m", action: Action::Mute, scope: Scope::Findings, group: DO, hint: "mute", help: "mute this finding, or speak of it again; a muted one stays in Findings and marks nothing" },
    Binding { name: "next-finding", chords: &[ch('n')], shown: "n", action: Action::NextFinding, scope: Scope::Any, group: MOVE, hint: "next", help: "next finding" },
    Binding { name: "previous-finding", chords: &[ch('N')], shown: "N", action: Action::PreviousFinding, scope: Scope::Any, group: MOVE, hint: "", help: "previous finding" },
    Binding { name: "copy-finding", chords: &[ch('Y')], shown: "Y", action: Action::CopyFinding, scope: Scope::Any, group: DO, hint: "copy", help: "copy the whole finding as text, to paste into a chat or an issue" },
    Binding { name: "palette", chords: &[ch(':')], shown: ":", action: Action::Palette, scope: Scope::Any, group: DO, hint: "menu", help: "do anything by its name: a screen, a key's action, a theme, `task 17`, the name of a lock" },
    Binding { name: "freeze", chords: &[ch(' ')], shown: "Space", action: Action::Freeze, scope: Scope::Any, group: LOOK, hint: "freeze", help: "freeze the view and let it go on; the service and its probe are never touched; a replay is paused" },
    Binding { name: "wide", chords: &[ch('w')], shown: "w", action: Action::Wide, scope: Scope::Any, group: LOOK, hint: "columns", help: "the list alone over the whole width; below 120 columns the columns that had no room, one set after the other" },
    Binding { name: "export", chords: &[ch('e')], shown: "e", action: Action::Export, scope: Scope::Any, group: DO, hint: "export", help: "write the whole state to a file as JSON, and say where" },
    Binding { name: "next-screen", chords: &[key(KeyCode::Tab)], shown: "Tab", action: Action::NextRoot, scope: Scope::Any, group: MOVE, hint: "", help: "next screen" },
    Binding { name: "previous-screen", chords: &[key(KeyCode::BackTab)], shown: "Shift-Tab", action: Action::PreviousRoot, scope: Scope::Any, group: MOVE, hint: "", help: "previous screen" },
    Binding { name: "", chords: &[ch('1'), ch('2'), ch('3'), ch('4'), ch('5'), ch('6'), ch('7'), ch('8')], shown: "1…8", action: Action::Root, scope: Scope::Any, group: MOVE, hint: "", help: "to the screen of that number" },
    Binding { name: "top", chords: &[ch('g'), key(KeyCode::Home)], shown: "g Home", action: Action::Top, scope: Scope::Any, group: MOVE, hint: "", help: "first row" },
    Binding { name: "bottom", chords: &[ch('G'), key(KeyCode::End)], shown: "G End", action: Action::Bottom, scope: Scope::Any, group: MOVE, hint: "", help: "last row" },
    Binding { name: "half-up", chords: &[ctrl('u')], shown: "Ctrl-u", action: Action::HalfUp, scope: Scope::Any, group: MOVE, hint: "", help: "half a page up" },
    Binding { name: "half-down", chords: &[ctrl('d')], shown: "Ctrl-d", action: Action::HalfDown, scope: Scope::Any, group: MOVE, hint: "", help: "half a page down" },
    Binding { name: "page-up", chords: &[key(KeyCode::PageUp), ctrl('b')], shown: "PgUp", action: Action::PageUp, scope: Scope::Any, group: MOVE, hint: "", help: "a page up" },
    Binding { name: "page-down", chords: &[key(KeyCode::PageDown), ctrl('f')], shown: "PgDn", action: Action::PageDown, scope: Scope::Any, group: MOVE, hint: "", help: "a page down" },
    Binding { name: "unmute-all", chords: &[ch('M')], shown: "M", action: Action::UnmuteAll, scope: Scope::Any, group: DO, hint: "", help: "speak of all muted findings again, until you quit" },
    Binding { name: "copy", chords: &[ch('y')], shown: "y", action: Action::CopyId, scope: Scope::Any, group: DO, hint: "", help: "copy the id and place of what is selected (needs a terminal with OSC 52)" },
    Binding { name: "", chords: &[ctrl('z')], shown: "Ctrl-z", action: Action::Suspend, scope: Scope::Any, group: DO, hint: "", help: "to the shell; `fg` comes back" },
    Binding { name: "", chords: &[ctrl('c')], shown: "Ctrl-c", action: Action::Interrupt, scope: Scope::Any, group: DO, hint: "", help: "quit" },
    Binding { name: "targets", chords: &[ch('0')], shown: "0", action: Action::Targets, scope: Scope::Fleet, group: LOOK, hint: "targets", help: "the list of all targets, each with the worst that is said of it" },
    Binding { name: "next-target", chords: &[ch('}')], shown: "}", action: Action::NextTarget, scope: Scope::Fleet, group: LOOK, hint: "", help: "the dashboard of the next target" },
    Binding { name: "previous-target", chords: &[ch('{')], shown: "{", action: Action::PreviousTarget, scope: Scope::Fleet, group: LOOK, hint: "", help: "the dashboard of the target before" },
    Binding { name: "help", chords: &[ch('?'), key(KeyCode::F(1))], shown: "?", action: Action::Help, scope: Scope::Any, group: LOOK, hint: "help", help: "this help" },
    Binding { name: "quit", chords: &[ch('q')], shown: "q", action: Action::Quit, scope: Scope::Any, group: DO, hint: "quit", help: "quit" },
];

/// The keys as they are bound now: the table, and what a config file changes about it.
#[derive(Clone)]
pub(crate) struct Keys(Vec<Bound>);

/// One row of [`Keys`].
#[derive(Clone)]
pub(crate) struct Bound {
    chords: Vec<Chord>,
    /// How the keys are written.
    pub(crate) shown: String,
    pub(crate) binding: &'static Binding,
}

/// Why keys were not bound.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    /// There is no such action.
    #[error("{}", text::no_such("action", _0, bindings().map(|(name, ..)| name).collect::<Vec<_>>()))]
    Action(
        /// What was asked for.
        String,
    ),
    /// It is not a key.
    #[error(
        "`{0}` is not a key: write a character, `Enter`, `Esc`, `Tab`, `Space`, `Up`, `PgDn`, `Home`, `F5`, `Ctrl-x`"
    )]
    Key(String),
    /// Two actions have it in the same place.
    #[error("`{key}` is bound to both `{first}` and `{second}`: bind one of them to something else")]
    Twice {
        /// The key.
        key: String,
        /// One action.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
}

impl Default for Keys {
    fn default() -> Self {
        let bound = |b: &'static Binding| Bound { chords: b.chords.to_vec(), shown: b.shown.to_owned(), binding: b };
        Self(KEYMAP.iter().map(bound).collect())
    }
}

impl Keys {
    /// The table with `changes`: actions by name, each with its keys.
    ///
    /// # Errors
    /// When an action or a key does not exist, or a key would be bound twice.
    pub(crate) fn with<'a>(changes: impl IntoIterator<Item = (&'a str, &'a [String])>) -> Result<Self, KeyError> {
        let mut keys = Self::default();
        let mut rebound = HashSet::new();
        for (name, given) in changes {
            let Some(bound) = keys.0.iter_mut().find(|b| b.binding.name == name && !name.is_empty()) else {
                return Err(KeyError::Action(name.to_owned()));
            };
            bound.chords = given.iter().map(|key| chord(key)).collect::<Result<_, _>>()?;
            bound.shown = given.join(" ");
            if bound.chords != bound.binding.chords {
                rebound.insert(bound.binding.name);
            }
        }
        for (n, one) in keys.0.iter().enumerate() {
            for two in &keys.0[..n] {
                // In the table, a narrower scope may take a key from a wider one, as the timeline takes the arrows. Of what
                // is changed, nobody would know that one action cannot be had any more.
                let (here, there) = (one.binding.scope, two.binding.scope);
                let meet = here == there || here == Scope::Any || there == Scope::Any;
                let meant = [one, two].iter().all(|bound| !rebound.contains(bound.binding.name));
                if !meet || here != there && meant {
                    continue;
                }
                if let Some(chord) = one.chords.iter().find(|c| two.chords.contains(c)) {
                    let (first, second) = (two.binding.name, one.binding.name);
                    return Err(KeyError::Twice { key: chord.to_string(), first, second });
                }
            }
        }
        Ok(keys)
    }

    /// How the keys of an action are written, the first of them.
    pub(crate) fn shown(&self, action: Action) -> &str {
        let bound = self.0.iter().find(|b| b.binding.action == action);
        bound.and_then(|b| b.shown.split(' ').next()).unwrap_or_default()
    }

    /// All rows.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Bound> {
        self.0.iter()
    }

    /// What `event` would ask for elsewhere.
    pub(super) fn elsewhere(&self, event: KeyEvent) -> Option<&Bound> {
        self.anywhere(event).next()
    }

    /// Which of `actions` the key is for, wherever it is pressed.
    pub(super) fn one_of(&self, actions: &[Action], event: KeyEvent) -> Option<Action> {
        self.anywhere(event).map(|b| b.binding.action).find(|action| actions.contains(action))
    }

    /// All that the key is for, whatever the scope.
    fn anywhere(&self, event: KeyEvent) -> impl Iterator<Item = &Bound> {
        let chord = Chord::from(event);
        let alt = event.modifiers.contains(KeyModifiers::ALT);
        self.0.iter().filter(move |b| !alt && b.chords.contains(&chord))
    }

    /// What `event` asks for where the app is now: narrow scopes before wide ones.
    fn find(&self, app: &App, event: KeyEvent) -> Option<Action> {
        let chord = Chord::from(event);
        let here = |b: &&Bound| b.chords.contains(&chord) && b.binding.scope.holds(app);
        let narrow = self.0.iter().filter(|b| b.binding.scope != Scope::Any).find(here);
        narrow.or_else(|| self.0.iter().find(here)).map(|b| b.binding.action)
    }
}

/// The actions whose keys can be changed: name, keys as a config file writes them, and what they do.
pub fn bindings() -> impl Iterator<Item = (&'static str, Vec<String>, &'static str)> {
    let named = KEYMAP.iter().filter(|b| !b.name.is_empty());
    named.map(|b| (b.name, b.chords.iter().map(ToString::to_string).collect(), b.help))
}

/// Every key as it is bound at first, in the order of the help screen: how it is written, what it does, and where it does so
/// if not everywhere.
pub fn keys() -> impl Iterator<Item = (&'static str, &'static str, Option<&'static str>)> {
    GROUPS.into_iter().flat_map(|group| {
        let of_group = KEYMAP.iter().filter(move |binding| binding.group == group);
        of_group.map(|b| (b.shown, b.help, Some(b.scope.place()).filter(|_| b.scope != Scope::Any)))
    })
}

/// What `event` asks for where the app is now.
pub(crate) fn resolve(app: &App, event: KeyEvent) -> Option<Action> {
    if event.modifiers.contains(KeyModifiers::ALT) {
        return None;
    }
    app.keys.find(app, event)
}

const NAMED: [(&str, KeyCode); 16] = [
    ("Enter", KeyCode::Enter),
    ("Esc", KeyCode::Esc),
    ("Tab", KeyCode::Tab),
    ("Shift-Tab", KeyCode::BackTab),
    ("Space", KeyCode::Char(' ')),
    ("Backspace", KeyCode::Backspace),
    ("Delete", KeyCode::Delete),
    ("Insert", KeyCode::Insert),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("PgUp", KeyCode::PageUp),
    ("PgDn", KeyCode::PageDown),
];

/// A key as it is written in a config file.
fn chord(text: &str) -> Result<Chord, KeyError> {
    let (is_ctrl, name) = match text.get(..5) {
        Some(prefix) if prefix.eq_ignore_ascii_case("ctrl-") => (true, &text[5..]),
        _ => (false, text),
    };
    let mut chars = name.chars();
    let code = match (chars.next(), chars.next()) {
        (Some(c), None) if !c.is_control() => KeyCode::Char(if is_ctrl { c.to_ascii_lowercase() } else { c }),
        _ => {
            let named = NAMED.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, code)| *code);
            let function = name.strip_prefix(['F', 'f']).and_then(|n| n.parse().ok()).filter(|n| (1..=12).contains(n));
            named.or(function.map(KeyCode::F)).ok_or_else(|| KeyError::Key(text.to_owned()))?
        }
    };
    Ok(Chord { code, ctrl: is_ctrl })
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("Ctrl-")?;
        }
        match self.code {
            KeyCode::F(n) => write!(f, "F{n}"),
            code => match (NAMED.iter().find(|(_, c)| *c == code), code) {
                (Some((name, _)), _) => f.write_str(name),
                (None, KeyCode::Char(c)) => write!(f, "{c}"),
                (None, other) => write!(f, "{other:?}"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_is_bound_twice_in_one_scope() {
        assert!(Keys::with([]).is_ok());
    }

    #[test]
    fn keys_can_be_changed_and_nonsense_is_answered() {
        let keys = |name: &'static str, keys: &[&str]| {
            let keys: Vec<String> = keys.iter().map(|&k| k.to_owned()).collect();
            Keys::with([(name, keys.as_slice())]).map(|_| ()).map_err(|e| e.to_string())
        };
        assert!(keys("filter", &["f", "F99"]).unwrap_err().contains("`F99` is not a key"));
        assert_eq!(keys("filter", &["Ctrl-s", "F3", "Insert"]), Ok(()));
        assert!(keys("help", &["q"]).unwrap_err().contains("both"));
        assert!(keys("filtr", &["f"]).unwrap_err().contains("did you mean `filter`"));
        assert!(keys("", &["f"]).is_err());
    }

    #[test]
    fn a_key_reads_as_it_is_written() {
        for text in ["a", "A", "?", "Ctrl-u", "Enter", "Shift-Tab", "Space", "PgDn", "F5", "Ctrl-Home"] {
            assert_eq!(chord(text).unwrap().to_string(), text);
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
