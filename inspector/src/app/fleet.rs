//! Several targets at once: a dashboard of each, and a list of them with the worst of each.
use std::time::Duration;

use crossterm::event::{KeyEvent, KeyEventKind, MouseButton, MouseEventKind};
use ratatui::Frame;

use super::keymap::{self, Action};
use super::{App, Depth, Effect, Msg, Options, update};
use crate::source::{self, Address};
use crate::view;

/// The dashboards, one of them in front.
pub(crate) struct Fleet {
    apps: Vec<App>,
    front: usize,
    /// The list is in front of them all.
    listed: bool,
    /// The target that the list's cursor is on.
    chosen: usize,
    dirty: bool,
}

impl Fleet {
    /// A dashboard for each target; of several, the list of them first.
    pub(crate) fn new(targets: &[Address], options: &Options, depth: Depth) -> Self {
        let count = targets.len();
        let app = |(nth, target): (usize, &Address)| {
            let mut app = App::new(&target.to_string(), options.clone(), depth);
            app.among = (nth, count);
            app
        };
        let apps = targets.iter().enumerate().map(app).collect();
        Self { apps, front: 0, listed: count > 1, chosen: 0, dirty: true }
    }

    /// All dashboards, in the order that the targets were given.
    pub(crate) fn apps(&self) -> &[App] {
        &self.apps
    }

    /// The one in front.
    pub(crate) fn front(&self) -> &App {
        &self.apps[self.front]
    }

    /// The target that the list's cursor is on.
    pub(crate) fn chosen(&self) -> usize {
        self.chosen
    }

    /// Targets as the list has them: the worst first.
    pub(crate) fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.apps.len()).collect();
        order.sort_by_key(|&n| std::cmp::Reverse(self.apps[n].cx().active().map(|finding| finding.severity).max()));
        order
    }

    /// Whether anything visible has changed since the last call.
    pub(crate) fn take_dirty(&mut self) -> bool {
        let mut dirty = std::mem::take(&mut self.dirty);
        for (n, app) in self.apps.iter_mut().enumerate() {
            dirty |= app.take_dirty() && (self.listed || n == self.front);
        }
        dirty
    }

    /// Has to be drawn again.
    pub(crate) fn touch(&mut self) {
        self.dirty = true;
    }

    /// A pass over very many tasks is under way somewhere.
    pub(crate) fn busy(&self) -> bool {
        self.apps.iter().any(App::busy)
    }

    /// Draws one frame.
    pub(crate) fn draw(&self, frame: &mut Frame) {
        if self.listed {
            view::fleet::draw(self, frame);
        } else {
            view::draw(self.front(), frame);
        }
    }

    /// Time goes on for all of them.
    pub(crate) fn tick(&mut self, clock: Duration) -> Vec<(usize, Effect)> {
        let mut effects = Vec::new();
        for (n, app) in self.apps.iter_mut().enumerate() {
            let asked = update(app, Msg::Tick(clock));
            // What is in front of nobody needs no details.
            effects.extend(asked.into_iter().filter(|_| n == self.front).map(|effect| (n, effect)));
        }
        effects
    }

    /// A source has something to say.
    pub(crate) fn hear(&mut self, target: usize, event: source::Event) -> Vec<(usize, Effect)> {
        let effects = update(&mut self.apps[target], Msg::Source(event));
        effects.into_iter().filter(|_| target == self.front).map(|effect| (target, effect)).collect()
    }

    /// Anything else that happened is for the dashboard in front, or for the list.
    pub(crate) fn update(&mut self, msg: Msg) -> Vec<(usize, Effect)> {
        match msg {
            Msg::Resize(..) => {
                self.touch();
                let Msg::Resize(columns, rows) = msg else { return Vec::new() };
                self.apps.iter_mut().flat_map(|app| update(app, Msg::Resize(columns, rows))).for_each(drop);
                Vec::new()
            }
            Msg::Key(event) if event.kind != KeyEventKind::Release => self.key(event),
            Msg::Mouse(event) if self.listed => {
                let row = view::fleet::target_at(self, event.row);
                match event.kind {
                    MouseEventKind::ScrollUp => self.step(-1),
                    MouseEventKind::ScrollDown => self.step(1),
                    MouseEventKind::Down(MouseButton::Left) => match row {
                        Some(row) if row == self.chosen => self.open(row),
                        Some(row) => self.chosen = row,
                        None => {}
                    },
                    _ => {}
                }
                self.touch();
                Vec::new()
            }
            msg => self.tell_front(msg),
        }
    }

    fn tell_front(&mut self, msg: Msg) -> Vec<(usize, Effect)> {
        let front = self.front;
        update(&mut self.apps[front], msg).into_iter().map(|effect| (front, effect)).collect()
    }

    fn key(&mut self, event: KeyEvent) -> Vec<(usize, Effect)> {
        let action = keymap::resolve(self.front(), event);
        if self.listed {
            self.touch();
            return self.list_key(action);
        }
        match action.filter(|_| self.front().prompt.is_none()) {
            Some(Action::Targets) => {
                self.listed = true;
                self.chosen = self.front;
                self.touch();
                Vec::new()
            }
            Some(Action::NextTarget) => self.turn(1),
            Some(Action::PreviousTarget) => self.turn(-1),
            _ => self.tell_front(Msg::Key(event)),
        }
    }

    fn list_key(&mut self, action: Option<Action>) -> Vec<(usize, Effect)> {
        match action {
            Some(Action::Quit) => return vec![(self.front, Effect::Quit)],
            Some(Action::Interrupt) => return vec![(self.front, Effect::Interrupt)],
            Some(Action::Suspend) => return vec![(self.front, Effect::Suspend)],
            Some(Action::Reconnect) => {
                return (0..self.apps.len()).map(|n| (n, Effect::Reconnect)).collect();
            }
            Some(Action::Up) => self.step(-1),
            Some(Action::Down) => self.step(1),
            Some(Action::Top) => self.step(isize::MIN),
            Some(Action::Bottom) => self.step(isize::MAX),
            Some(Action::In) => self.open(self.chosen),
            // Back to where the list was called from.
            Some(Action::Back | Action::Targets) => self.open(self.front),
            _ => {}
        }
        Vec::new()
    }

    /// The dashboard of the next target, or of the one before.
    fn turn(&mut self, by: isize) -> Vec<(usize, Effect)> {
        let count = self.apps.len().cast_signed();
        self.open((self.front.cast_signed() + by).rem_euclid(count).cast_unsigned());
        Vec::new()
    }

    fn open(&mut self, target: usize) {
        self.front = target;
        self.listed = false;
        self.touch();
    }

    fn step(&mut self, by: isize) {
        let order = self.order();
        let at = order.iter().position(|&n| n == self.chosen).unwrap_or(0);
        let next = at.saturating_add_signed(by).min(order.len().saturating_sub(1));
        self.chosen = order.get(next).copied().unwrap_or(0);
    }
}
