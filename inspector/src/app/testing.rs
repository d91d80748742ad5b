//! A dashboard without a terminal: real key sequences in, text and roles out.
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};

use super::theme::Theme;
use super::{Accused, App, Depth, Effect, Link, Msg, Options, derived, fixture, update};
use crate::lints::Finding;
use crate::model::Model;
use crate::source;
use crate::view::SCREENS;

/// A dashboard under test.
pub(crate) struct Driver {
    pub(crate) app: App,
    terminal: Terminal<TestBackend>,
    /// What the core asked of the loop so far.
    pub(crate) effects: Vec<Effect>,
    clock: Duration,
}

impl Driver {
    /// A dashboard that has just been started.
    pub(crate) fn new(columns: u16, rows: u16) -> Self {
        let mut app = App::new("http://127.0.0.1:6670", &SCREENS, Options::default(), Depth::Indexed);
        app.theme = Theme::roles();
        let terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        let mut driver = Self { app, terminal, effects: Vec::new(), clock: Duration::ZERO };
        driver.resize(columns, rows);
        driver
    }

    /// A dashboard that shows the fixture.
    pub(crate) fn shop(columns: u16, rows: u16) -> Self {
        let mut driver = Self::new(columns, rows);
        driver.show(fixture::model(), fixture::findings());
        driver
    }

    /// A dashboard that shows the bank with its deadlock.
    pub(crate) fn bank(columns: u16, rows: u16) -> Self {
        let mut driver = Self::new(columns, rows);
        let (model, findings) = fixture::deadlock();
        driver.show(model, findings);
        driver
    }

    /// Replaces what is known of the target, as an update would.
    pub(crate) fn show(&mut self, mut model: Model, findings: Vec<Finding>) {
        model.count_names();
        self.app.live.accused = Accused::new(&findings, &model);
        self.app.live.model = Arc::new(model);
        let moving = self.app.moving();
        self.app.live.find(findings, moving);
        self.app.live.judged_for = crate::lints::SOON;
        self.app.link = Link::Live { data_at: self.app.clock };
        if !self.app.frozen() {
            derived::refresh(&mut self.app);
            super::navigate::settle(&mut self.app);
            self.rest();
        }
    }

    /// Makes it remember the last minute and a half of the fixture: calm at first, then one trouble after the other.
    pub(crate) fn recall(&mut self) {
        let model = fixture::model();
        let findings = fixture::findings();
        for second in 0..90 {
            self.clock += Duration::from_secs(1);
            let mut then = model.clone();
            let ago = 90 - second;
            then.now = crate::model::Stamp(model.now.0 - ago * 1_000_000_000);
            let wave = |high: f64| {
                let mut series = crate::model::Series::default();
                let trouble = if second > 60 { 0.3 } else { 1.0 };
                series.push(high * trouble * (0.7 + 0.3 * (second as f64 / 4.0).sin()));
                series
            };
            (then.totals.polls, then.totals.lock_waits) = (wave(900.0), wave(11.0));
            then.totals.channel_depth = wave(60.0);
            then.totals.channel_depth.push(60.0 + if second > 50 { (second - 50) as f64 * 203.0 } else { 0.0 });
            let began = |f: &&Finding| f.active() && f.since <= then.now && second > 30;
            let clock = self.clock;
            self.history().record(clock, &then, true, findings.iter().filter(began));
        }
        let active = findings.iter().filter(|f| f.active());
        self.clock += Duration::from_secs(1);
        let clock = self.clock;
        self.history().record(clock, &model, true, active);
        update(&mut self.app, Msg::Tick(clock));
        self.app.link = Link::Live { data_at: clock };
    }

    /// What it remembers.
    pub(crate) fn history(&mut self) -> &mut super::History {
        Arc::make_mut(&mut self.app.live.history)
    }

    /// Clicks with the left button.
    pub(crate) fn click(&mut self, column: u16, row: u16) {
        self.mouse(MouseEventKind::Down(MouseButton::Left), column, row);
    }

    pub(crate) fn mouse(&mut self, kind: MouseEventKind, column: u16, row: u16) {
        let event = MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE };
        let effects = update(&mut self.app, Msg::Mouse(event));
        self.effects.extend(effects);
    }

    pub(crate) fn hear(&mut self, event: source::Event) {
        let effects = update(&mut self.app, Msg::Source(event));
        self.effects.extend(effects);
    }

    pub(crate) fn wait(&mut self, time: Duration) {
        self.clock += time;
        let clock = self.clock;
        update(&mut self.app, Msg::Tick(clock));
        self.rest();
    }

    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        self.terminal.backend_mut().resize(columns, rows);
        update(&mut self.app, Msg::Resize(columns, rows));
    }

    /// Presses keys: characters stand for themselves, `<Enter>`, `<Esc>`, `<C-d>`… for the rest.
    pub(crate) fn keys(&mut self, sequence: &str) {
        let mut rest = sequence;
        while let Some(c) = rest.chars().next() {
            let named = rest.strip_prefix('<').and_then(|r| r.split_once('>')).filter(|(name, _)| !name.is_empty());
            let event = if let Some((name, after)) = named {
                rest = after;
                match name.strip_prefix("C-") {
                    Some(c) => KeyEvent::new(KeyCode::Char(c.chars().next().unwrap()), KeyModifiers::CONTROL),
                    None => KeyEvent::new(code(name), KeyModifiers::NONE),
                }
            } else {
                rest = &rest[c.len_utf8()..];
                KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)
            };
            let effects = update(&mut self.app, Msg::Key(event));
            self.effects.extend(effects);
            self.rest();
        }
    }

    /// Lets a pass over very many tasks come to its end, as the loop does between keys.
    fn rest(&mut self) {
        while self.app.busy() {
            update(&mut self.app, Msg::Tick(self.clock));
        }
    }

    /// What is drawn, with its styles.
    pub(crate) fn buffer(&mut self) -> ratatui::buffer::Buffer {
        self.draw();
        self.terminal.backend().buffer().clone()
    }

    fn draw(&mut self) {
        let app = &self.app;
        self.terminal.draw(|frame| crate::view::draw(app, frame)).unwrap();
    }

    /// What is on the screen, line by line.
    pub(crate) fn text(&mut self) -> String {
        self.draw();
        self.read(|cell| cell.symbol().to_owned())
    }

    /// The role of each character on the screen; selected ones in upper case.
    pub(crate) fn roles(&mut self) -> String {
        self.draw();
        self.read(role)
    }

    /// Text, then roles: what a snapshot holds.
    pub(crate) fn screen(&mut self) -> String {
        format!("{}\n\n{}", self.text(), self.roles())
    }

    fn read(&self, of: impl Fn(&Cell) -> String) -> String {
        read(self.terminal.backend().buffer(), of)
    }
}

/// Text, then roles, of what was drawn.
pub(crate) fn screen(buffer: &Buffer) -> String {
    format!("{}\n\n{}", read(buffer, |cell| cell.symbol().to_owned()), read(buffer, role))
}

fn role(cell: &Cell) -> String {
    match (cell.symbol(), Theme::letter(cell.style())) {
        (" ", '_') => "_".to_owned(),
        (" ", letter) if letter.is_lowercase() || letter == '.' => " ".to_owned(),
        (_, letter) => letter.to_string(),
    }
}

fn read(buffer: &Buffer, of: impl Fn(&Cell) -> String) -> String {
    let mut lines = Vec::new();
    for y in 0..buffer.area.height {
        let mut line = String::new();
        let mut covered = 0;
        for x in 0..buffer.area.width {
            let cell = &buffer[(x, y)];
            // The second half of a wide character holds nothing of its own.
            if covered > 0 {
                covered -= 1;
                continue;
            }
            covered = unicode_width::UnicodeWidthStr::width(cell.symbol()).saturating_sub(1);
            line.push_str(&of(cell));
        }
        lines.push(line.trim_end().to_owned());
    }
    lines.join("\n").trim_end().to_owned()
}

fn code(name: &str) -> KeyCode {
    match name {
        "Enter" => KeyCode::Enter,
        "Esc" => KeyCode::Esc,
        "Tab" => KeyCode::Tab,
        "S-Tab" => KeyCode::BackTab,
        "Down" => KeyCode::Down,
        "Up" => KeyCode::Up,
        "Left" => KeyCode::Left,
        "Right" => KeyCode::Right,
        "Home" => KeyCode::Home,
        "End" => KeyCode::End,
        "PgUp" => KeyCode::PageUp,
        "PgDn" => KeyCode::PageDown,
        "BS" => KeyCode::Backspace,
        "F5" => KeyCode::F(5),
        other => panic!("no key is called {other}"),
    }
}
