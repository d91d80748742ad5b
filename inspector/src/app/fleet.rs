//! Several targets at once: a dashboard of each, and a list of them with the worst of each.
use std::time::Duration;

use crossterm::event::{KeyEvent, KeyEventKind, MouseButton, MouseEventKind};

use super::keymap::{self, Action};
use super::{App, Depth, Effect, Msg, Options, Screens, update};
use crate::source::{self, Address};

/// What keys do in the list, whatever else they do in the dashboard that is in front.
const LISTED: &[Action] = &[
    Action::Quit,
    Action::Interrupt,
    Action::Suspend,
    Action::Reconnect,
    Action::Up,
    Action::Down,
    Action::HalfUp,
    Action::HalfDown,
    Action::PageUp,
    Action::PageDown,
    Action::Top,
    Action::Bottom,
    Action::In,
    Action::Back,
    Action::Targets,
];

/// Targets that half a page is about, of two lines each.
const HALF_PAGE: isize = 5;

/// Lines of the list before its first target.
pub(crate) const TOP: u16 = 2;

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
    pub(crate) fn new(targets: &[Address], screens: &'static Screens, options: &Options, depth: Depth) -> Self {
        let count = targets.len();
        let app = |(nth, target): (usize, &Address)| {
            let mut app = App::new(&target.to_string(), screens, options.clone(), depth);
            app.among = (nth, count);
            app.in_front = nth == 0;
            app.recorded = target.is_recording();
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

    /// What is in front is a target in which hardly anything happens.
    pub(crate) fn rests(&self) -> bool {
        !self.listed && self.front().rests()
    }

    /// The list is in front of them all.
    pub(crate) fn listed(&self) -> bool {
        self.listed
    }

    /// The first row that is shown of the list, so that its cursor is among them.
    pub(crate) fn first(&self, order: &[usize], height: u16) -> usize {
        let fits = usize::from(height.saturating_sub(TOP + 1) / 2).max(1);
        let at = order.iter().position(|&n| n == self.chosen).unwrap_or(0);
        (at + 1).saturating_sub(fits)
    }

    /// The target that is drawn in this row of the screen.
    fn target_at(&self, y: u16) -> Option<usize> {
        let order = self.order();
        let height = self.front().size.1;
        let row = self.first(&order, height) + usize::from(y.checked_sub(TOP)? / 2);
        if y + 1 >= height { None } else { order.get(row).copied() }
    }

    /// Time goes on for all of them.
    pub(crate) fn tick(&mut self, clock: Duration) -> Vec<(usize, Effect)> {
        let mut effects = Vec::new();
        for (n, app) in self.apps.iter_mut().enumerate() {
            effects.extend(update(app, Msg::Tick(clock)).into_iter().map(|effect| (n, effect)));
        }
        effects
    }

    /// A source has something to say.
    pub(crate) fn hear(&mut self, target: usize, event: source::Event) -> Vec<(usize, Effect)> {
        let effects = update(&mut self.apps[target], Msg::Source(event));
        effects.into_iter().map(|effect| (target, effect)).collect()
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
                let row = self.target_at(event.row);
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
        if self.listed {
            self.touch();
            return self.list_key(self.front().keys.one_of(LISTED, event));
        }
        let action = keymap::resolve(self.front(), event);
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

    /// See [`LISTED`].
    fn list_key(&mut self, action: Option<Action>) -> Vec<(usize, Effect)> {
        match action {
            Some(Action::Quit) => return vec![(self.front, Effect::Quit)],
            Some(Action::Interrupt) => return vec![(self.front, Effect::Interrupt)],
            Some(Action::Suspend) => return vec![(self.front, Effect::Suspend)],
            Some(Action::Reconnect) => {
                let lost = self.apps.iter().enumerate().filter(|(_, app)| !app.link.live());
                return lost.map(|(n, _)| (n, Effect::Reconnect)).collect();
            }
            Some(Action::Up) => self.step(-1),
            Some(Action::Down) => self.step(1),
            Some(Action::HalfUp) => self.step(-HALF_PAGE),
            Some(Action::HalfDown) => self.step(HALF_PAGE),
            Some(Action::PageUp) => self.step(-2 * HALF_PAGE),
            Some(Action::PageDown) => self.step(2 * HALF_PAGE),
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
        self.apps[self.front].in_front = false;
        self.apps[target].in_front = true;
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

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyModifiers};
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;
    use crate::app::theme::Theme;
    use crate::app::{Link, fixture, testing};
    use crate::model::TaskState;
    use crate::view::{self, SCREENS};

    /// A healthy shop, one in trouble, and one that nobody answers for.
    fn fleet(columns: u16, rows: u16) -> Fleet {
        let targets = ["http://10.0.0.1:6670", "http://10.0.0.2:6670", "http://10.0.0.3:6670"];
        let targets: Vec<Address> = targets.iter().map(|target| target.parse().unwrap()).collect();
        let mut fleet = Fleet::new(&targets, &SCREENS, &Options::default(), Depth::Indexed);
        for (app, findings) in fleet.apps.iter_mut().zip([Vec::new(), fixture::findings()]) {
            app.live.model = std::sync::Arc::new(fixture::model());
            app.live.findings = findings;
            app.live.judged_for = crate::lints::SOON;
            app.link = Link::Live { data_at: app.clock };
        }
        fleet.apps.iter_mut().for_each(|app| app.theme = Theme::roles());
        let error = source::SourceError::Refused { target: targets[2].to_string() };
        fleet.hear(2, source::Event::Lost { error, retry_in: Duration::from_secs(3) });
        fleet.update(Msg::Resize(columns, rows));
        fleet
    }

    fn drawn(fleet: &Fleet, columns: u16, rows: u16) -> ratatui::buffer::Buffer {
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        terminal.draw(|frame| view::fleet::draw(fleet, frame)).unwrap();
        terminal.backend().buffer().clone()
    }

    fn press(fleet: &mut Fleet, code: KeyCode) -> Vec<(usize, Effect)> {
        fleet.update(Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)))
    }

    #[test]
    fn the_list_at_three_sizes() {
        for (columns, rows) in [(80, 24), (120, 40), (60, 15)] {
            let text = testing::screen(&drawn(&fleet(columns, rows), columns, rows));
            insta::assert_snapshot!(format!("fleet_{columns}x{rows}"), text);
        }
    }

    #[test]
    fn no_size_is_too_odd_for_the_list() {
        let mut fleet = fleet(80, 24);
        let (model, findings) = fixture::hostile();
        fleet.apps[0].live.model = std::sync::Arc::new(model);
        fleet.apps[0].live.findings = findings;
        for columns in (0..=200).step_by(7).chain([39, 40, 41]) {
            for rows in 0..=30 {
                fleet.update(Msg::Resize(columns, rows));
                drawn(&fleet, columns, rows);
            }
        }
    }

    #[test]
    fn keys_lead_from_the_list_to_a_target_and_on_to_the_next() {
        let mut fleet = fleet(80, 24);
        assert_eq!(fleet.order(), [1, 0, 2], "the worst first");
        press(&mut fleet, KeyCode::Char('g'));
        press(&mut fleet, KeyCode::Enter);
        assert_eq!((fleet.listed, fleet.front), (false, 1));
        press(&mut fleet, KeyCode::Char('}'));
        assert_eq!(fleet.front, 2);
        press(&mut fleet, KeyCode::Char('}'));
        press(&mut fleet, KeyCode::Char('{'));
        press(&mut fleet, KeyCode::Char('0'));
        assert_eq!((fleet.listed, fleet.chosen), (true, 2), "the cursor is where one came from");
        assert_eq!(press(&mut fleet, KeyCode::Char('r')), [(2, Effect::Reconnect)]);
        // While something is typed, they are text.
        press(&mut fleet, KeyCode::Enter);
        press(&mut fleet, KeyCode::Char('2'));
        press(&mut fleet, KeyCode::Char('/'));
        press(&mut fleet, KeyCode::Char('}'));
        assert_eq!(fleet.front, 2);
    }

    #[test]
    fn keys_of_the_list_are_those_of_the_list_whatever_is_in_front() {
        let mut fleet = fleet(80, 24);
        press(&mut fleet, KeyCode::Enter);
        press(&mut fleet, KeyCode::Char('7'));
        press(&mut fleet, KeyCode::Char('0'));
        press(&mut fleet, KeyCode::End);
        assert_eq!(fleet.chosen, 2);
        press(&mut fleet, KeyCode::Home);
        assert_eq!(fleet.chosen, 1);
        press(&mut fleet, KeyCode::PageDown);
        assert_eq!(fleet.chosen, 2);
        assert_eq!(press(&mut fleet, KeyCode::Char('r')), [(2, Effect::Reconnect)]);
        press(&mut fleet, KeyCode::Left);
        assert!(!fleet.listed);
    }

    #[test]
    fn targets_that_are_not_judged_are_not_well() {
        let mut fleet = fleet(80, 24);
        fleet.apps[1].live.findings.clear();
        let text = testing::screen(&drawn(&fleet, 80, 24));
        assert!(text.contains("1 not judged now"), "{text}");
    }

    #[test]
    fn a_finding_of_a_target_in_the_background_is_wondered_about_once_it_is_in_front() {
        let mut fleet = fleet(80, 24);
        let app = &mut fleet.apps[1];
        let model = std::sync::Arc::make_mut(&mut app.live.model);
        model.target.capabilities.push("stacks".into());
        let idle = |task: &&crate::model::Task| task.state == TaskState::Idle && task.waits.is_empty();
        let culprit = model.tasks.values().find(idle).unwrap().id;
        app.live.findings[0].culprit = Some(culprit);
        for second in 1..60 {
            assert_eq!(fleet.tick(Duration::from_secs(second)), [], "{second}");
        }
        fleet.open(1);
        let asked = fleet.tick(Duration::from_mins(1));
        assert_eq!(asked, [(1, Effect::Details(culprit))]);
    }

    #[test]
    fn one_target_has_no_list() {
        let mut fleet = Fleet::new(&[Address::default()], &SCREENS, &Options::default(), Depth::Indexed);
        press(&mut fleet, KeyCode::Char('0'));
        press(&mut fleet, KeyCode::Char('}'));
        assert!(!fleet.listed);
    }
}
