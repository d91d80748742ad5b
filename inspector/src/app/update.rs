//! What each thing that happens changes.
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind};

use super::keymap::{self, Action};
use super::screen::Body;
use super::theme::Role;
use super::{
    Accused, App, Effect, Engine, Entity, Frozen, Link, Msg, Notice, PastFinding, Shown, accused, copy, derived,
    navigate, palette, prompt, scrub, way,
};
use crate::lints::{Finding, SOON, Wonder};
use crate::model::{Model, Target, TaskId};
use crate::source;

/// How long a row stays where it is after the operator moved.
const HOLD: Duration = Duration::from_secs(1);
/// How long a restart of the target is spoken of.
const RESTART_NOTICE: Duration = Duration::from_secs(90);
/// Findings of earlier runs that are kept.
const PAST_LIMIT: usize = 200;

/// Takes one message in, and says what the loop has to do about it.
pub fn update(app: &mut App, msg: Msg) -> Vec<Effect> {
    let effects = match msg {
        Msg::Tick(clock) => {
            tick(app, clock);
            return wanted_details(app).into_iter().collect();
        }
        Msg::Resize(columns, rows) => {
            app.size = (columns, rows);
            app.touch();
            Vec::new()
        }
        Msg::Key(event) if event.kind == KeyEventKind::Release => return Vec::new(),
        Msg::Key(event) => key(app, event),
        Msg::Mouse(event) => {
            app.touch();
            if app.prompt.is_none() {
                super::mouse::event(app, event);
                Vec::new()
            } else {
                super::mouse::in_prompt(app, event).map_or_else(Vec::new, |chosen| command(app, chosen))
            }
        }
        Msg::Exported(Ok(path)) => {
            app.say(Role::Ok, format!("the whole state is in {path}"));
            Vec::new()
        }
        Msg::Exported(Err(why)) => {
            app.say(Role::Crit, format!("nothing was written: {why}"));
            Vec::new()
        }
        Msg::Source(event) => {
            heard(app, event);
            Vec::new()
        }
    };
    navigate::settle(app);
    effects.into_iter().chain(wanted_details(app)).collect()
}

/// The task to be asked about: one in front of the operator, or one that a finding wonders about.
fn wanted_details(app: &mut App) -> Option<Effect> {
    // What is in front of nobody needs no details, and without a link there is nobody to ask.
    if !app.in_front || !app.link.live() {
        return None;
    }
    in_front(app)
        .or_else(|| app.wonder.next(app.engine.doubted(), &app.live.findings, &app.live.model))
        .map(Effect::Details)
}

/// The task in front, when what is known of it beyond the stream is not of the last seconds.
fn in_front(app: &mut App) -> Option<TaskId> {
    const FRESH: Duration = Duration::from_secs(2);
    if app.frozen() {
        return None;
    }
    let front = if app.place().screen.id == "task" { app.place().subject } else { app.beside() };
    let Some(Entity::Task(id)) = front else { return None };
    if app.asked.is_some_and(|(task, at)| task == id && app.clock.saturating_sub(at) < FRESH) {
        return None;
    }
    app.asked = Some((id, app.clock));
    Some(id)
}

/// The age of the data and the time to the next attempt are the only things on the screen that change by themselves.
fn tick(app: &mut App, clock: Duration) {
    let before = std::mem::replace(&mut app.clock, clock);
    let over = |n: &Option<Notice>| n.as_ref().is_some_and(|n| n.until <= clock);
    if over(&app.notice) {
        app.notice = None;
        app.touch();
    }
    if over(&app.restarted) {
        app.restarted = None;
        app.touch();
    }
    derived::go_on(app);
    let aging = match &app.link {
        Link::Live { data_at } => clock.saturating_sub(*data_at) >= Duration::from_secs(1),
        Link::Ended { .. } => false,
        _ => true,
    };
    if aging && before.as_secs() != clock.as_secs() {
        app.touch();
    }
}

fn key(app: &mut App, event: KeyEvent) -> Vec<Effect> {
    app.touch();
    let action = keymap::resolve(app, event);
    if app.prompt.is_some() && !matches!(action, Some(Action::Interrupt | Action::Suspend)) {
        return prompt::key(app, event).map_or_else(Vec::new, |chosen| command(app, chosen));
    }
    app.notice = None;
    let Some(action) = action else {
        if let Some(bound) = app.keys.elsewhere(event) {
            let (name, place) = (bound.binding.name, bound.binding.scope.place());
            let key = bound.shown.split(' ').next().unwrap_or_default();
            app.say(Role::Info, format!("{key} ({name}) works {place}"));
        }
        return Vec::new();
    };
    act(app, action, event)
}

/// Does what was chosen by its name.
fn command(app: &mut App, command: palette::Command) -> Vec<Effect> {
    match command {
        // The keys that stand for several things are not among what has a name.
        palette::Command::Do(action) => return act(app, action, KeyEvent::from(KeyCode::Null)),
        palette::Command::Go(screen) => way::to_root(app, screen),
        palette::Command::Open(entity) => way::open(app, entity),
        palette::Command::Theme(choice) => app.retheme(choice),
    }
    Vec::new()
}

fn act(app: &mut App, action: Action, event: KeyEvent) -> Vec<Effect> {
    match action {
        Action::Quit => return vec![Effect::Quit],
        Action::Interrupt => return vec![Effect::Interrupt],
        Action::Suspend => return vec![Effect::Suspend],
        Action::Reconnect => {
            app.say(Role::Info, if app.recorded { "from the beginning" } else { "connecting now" });
            if app.recorded {
                thaw(app);
            }
            return vec![Effect::Reconnect];
        }
        Action::CopyId | Action::CopyFinding => {
            let text = if action == Action::CopyId { copy::id(app) } else { copy::finding(app) };
            let Some(text) = text else {
                app.say(Role::Warn, "nothing is selected to copy");
                return Vec::new();
            };
            let first = text.lines().next().unwrap_or_default().to_owned();
            let export = app.keys.shown(Action::Export);
            // Whether the terminal takes it is not told.
            let text_of = format!(
                "sent to the terminal's clipboard: {first} {} if nothing arrives there (tmux: set -g set-clipboard on), \
                 {export} writes all to a file",
                app.glyphs.dot
            );
            app.say(Role::Ok, text_of);
            return vec![Effect::Copy(text)];
        }
        Action::Freeze => return freeze(app).into_iter().collect(),
        Action::Filter => app.prompt = Some(super::Prompt::filter(&app.place().filter_text)),
        Action::Palette => app.prompt = Some(super::Prompt::palette()),
        Action::Export => {
            if app.live.model.complete {
                return vec![Effect::Export];
            }
            app.say(Role::Warn, "there is nothing to write yet");
        }
        Action::Mute => mute(app),
        Action::UnmuteAll => {
            app.mutes.clear();
            remark(app);
            app.say(Role::Ok, "nothing is muted any more");
        }
        // Whoever has all the targets takes these before they come here.
        Action::Targets | Action::NextTarget | Action::PreviousTarget => {}
        Action::Earlier => scrub::step(app, -1),
        Action::Later => scrub::step(app, 1),
        Action::EarlierMinute => scrub::step(app, -60),
        Action::LaterMinute => scrub::step(app, 60),
        Action::Oldest => scrub::step(app, isize::MIN),
        Action::Live => scrub::step(app, isize::MAX),
        Action::NextChange => scrub::to_change(app, 1),
        Action::PreviousChange => scrub::to_change(app, -1),
        Action::Wide => navigate::wider(app),
        Action::Sort => navigate::next_sort(app),
        Action::Reverse => {
            let place = app.place_mut();
            place.reverse = !place.reverse;
            derived::refresh(app);
        }
        Action::Grouping => {
            let place = app.place_mut();
            place.flat = !place.flat;
            derived::refresh(app);
        }
        Action::Fold => navigate::fold(app),
        Action::Up => navigate::step(app, -1),
        Action::Down => navigate::step(app, 1),
        Action::Top => navigate::to_end(app, false),
        Action::Bottom => navigate::to_end(app, true),
        Action::HalfUp => navigate::page(app, -1, 2),
        Action::HalfDown => navigate::page(app, 1, 2),
        Action::PageUp => navigate::page(app, -1, 1),
        Action::PageDown => navigate::page(app, 1, 1),
        Action::In => way::enter(app),
        Action::Back => way::back(app),
        Action::Root => way::root(app, event.code),
        Action::NextRoot => way::turn(app, 1),
        Action::PreviousRoot => way::turn(app, -1),
        Action::NextFinding => way::to_finding(app, 1),
        Action::PreviousFinding => way::to_finding(app, -1),
        Action::Help => way::help(app),
    }
    Vec::new()
}

fn mute(app: &mut App) {
    let chosen = [app.selected().map(|r| r.entity), app.place().subject];
    let cx = app.cx();
    let found = chosen.into_iter().flatten().find_map(|entity| cx.finding(entity));
    let Some(finding) = found.or_else(|| app.accusation_in_front()).cloned() else {
        app.say(Role::Warn, "no finding is selected to mute");
        return;
    };
    let muted = app.mutes.toggle(&finding);
    remark(app);
    match muted {
        Some(mute) => {
            let (one, all) = (app.keys.shown(Action::Mute), app.keys.shown(Action::UnmuteAll));
            let file = if app.options.config_file.is_empty() { "the config file" } else { &app.options.config_file };
            let text = format!(
                "muted until you quit: {one} on it in Findings, or {all}, undoes it; for good: mute = [\"{mute}\"] in {file}"
            );
            app.say(Role::Ok, text);
        }
        None => app.say(Role::Ok, format!("{} speaks again", finding.rule)),
    }
}

impl App {
    /// The worst that the page in front says of what it is about.
    pub(super) fn accusation_in_front(&self) -> Option<&Finding> {
        let place = self.place();
        let subject = place.subject.filter(|_| matches!(place.screen.body, Body::Page(_)))?;
        accused::accusing(&self.cx(), subject).first().copied()
    }
}

/// Marks what is accused after others are muted than before.
fn remark(app: &mut App) {
    let frozen = app.frozen.as_mut().map(|frozen| &mut frozen.shown);
    for shown in [Some(&mut app.live), frozen].into_iter().flatten() {
        let heard = shown.findings.iter().filter(|f| !app.mutes.matches(f));
        shown.accused = Accused::new(heard, &shown.model);
    }
    derived::refresh(app);
}

/// Freezes the view, or lets it go on; a replay stands still with it.
fn freeze(app: &mut App) -> Option<Effect> {
    if app.frozen() {
        thaw(app);
    } else {
        app.frozen = Some(Frozen { shown: app.live.clone(), at: app.clock });
    }
    app.recorded.then_some(Effect::Pause(app.frozen()))
}

/// Shows what there is now in the place of what was frozen.
fn thaw(app: &mut App) {
    let Some(frozen) = app.frozen.take() else { return };
    if frozen.shown.model.target.instance != app.live.model.target.instance {
        leave_all(app);
    }
    derived::refresh(app);
}

fn heard(app: &mut App, event: source::Event) {
    match event {
        source::Event::Connecting { attempt } => {
            if let Link::Lost { attempts, .. } = &mut app.link {
                *attempts = attempt;
            } else {
                app.link = Link::Connecting { attempt };
            }
            app.touch();
        }
        source::Event::Connected(target) => connected(app, *target),
        source::Event::Ended { error } => {
            app.link = Link::Ended { error, data_at: app.link.data_at() };
            app.touch();
        }
        source::Event::Update(batch) => {
            let model = Arc::make_mut(&mut app.live.model);
            let some_ended = batch.snapshot_end || !batch.gone_tasks.is_empty();
            model.apply(*batch);
            if model.complete {
                app.engine.evaluate(model);
                let (found, judged_for) = (app.engine.findings().to_vec(), app.engine.judged_for(model));
                app.judged(found, judged_for);
            }
            app.link = Link::Live { data_at: app.clock };
            fresh(app, some_ended);
        }
        source::Event::TaskDetails { task, details } => {
            if let Some(details) = &details {
                Arc::make_mut(&mut app.live.model).learn(task, details);
            }
            if app.frozen() {
                return;
            }
            if app.asked.is_some_and(|(asked, _)| asked == task) {
                app.details = details.map(|details| (task, details));
            }
            app.touch();
        }
        source::Event::Lost { error, retry_in } => {
            let attempts = match app.link {
                Link::Connecting { attempt } => attempt,
                Link::Live { .. } | Link::Ended { .. } => 0,
                Link::Lost { attempts, .. } => attempts,
            };
            let data_at = app.link.data_at();
            app.link = Link::Lost { error, data_at, retry_at: app.clock + retry_in, attempts };
            app.touch();
        }
    }
}

impl Shown {
    /// These are the findings now, the worst first; while the operator moves among them, those that were there before keep
    /// their order, and what is new comes behind them.
    pub(super) fn find(&mut self, mut findings: Vec<Finding>, moving: bool) {
        if moving {
            let before = |finding: &Finding| self.findings.iter().position(|b| b.key() == finding.key());
            findings.sort_by_key(|finding| before(finding).unwrap_or(usize::MAX));
        }
        self.findings = findings;
    }
}

impl App {
    /// Shows a state that `engine` has judged elsewhere, as it was at one moment.
    pub fn show(&mut self, model: Model, engine: &Engine) {
        let (found, judged_for) = (engine.findings().to_vec(), engine.judged_for(&model));
        self.live.model = Arc::new(model);
        self.judged(found, judged_for);
        self.link = Link::Live { data_at: self.clock };
        fresh(self, true);
    }

    /// The rules have judged the newest state.
    fn judged(&mut self, found: Vec<Finding>, judged_for: Duration) {
        let moving = self.moving();
        let live = &mut self.live;
        live.find(found, moving);
        let heard = live.findings.iter().filter(|f| !self.mutes.matches(f));
        live.accused = Accused::new(heard.clone(), &live.model);
        live.judged_for = judged_for;
        let history = Arc::make_mut(&mut live.history);
        history.record(self.clock, &live.model, judged_for >= SOON, heard.filter(|f| f.active()));
    }

    /// Rows stay where they are for a moment after the operator moved.
    pub(super) fn moving(&self) -> bool {
        self.clock.saturating_sub(self.moved_at) < HOLD && self.moved_at > Duration::ZERO
    }
}

/// The model is newer than what is on the screen, and some tasks may have ended meanwhile.
fn fresh(app: &mut App, some_ended: bool) {
    if app.frozen() {
        return;
    }
    app.touch();
    let first = app.refreshed_at.is_none() && app.live.model.complete;
    let due = app.refreshed_at.is_some_and(|at| {
        app.clock.saturating_sub(at) >= derived::interval(app.live.model.tasks.len())
            && app.clock.saturating_sub(app.moved_at) >= HOLD
            && app.sweep.is_none()
    });
    if first || due {
        app.refreshed_at = Some(app.clock);
        derived::refresh(app);
        app.ended_since = false;
        return;
    }
    app.ended_since |= some_ended;
    if app.ended_since && app.clock.saturating_sub(app.moved_at) >= HOLD {
        app.ended_since = false;
        derived::drop_ended(app);
    }
}

fn connected(app: &mut App, target: Target) {
    let known = app.live.model.target.instance;
    // A recording that is played again begins with what was, not with what came of it.
    let again = app.recorded && matches!(app.link, Link::Connecting { .. });
    if known == target.instance && known != 0 && !again {
        Arc::make_mut(&mut app.live.model).target = target;
    } else {
        if again {
            app.live.past = Arc::default();
        } else if known != 0 {
            restarted(app, &target);
        }
        let (history, past) = (Arc::clone(&app.live.history), Arc::clone(&app.live.past));
        app.live = Shown { model: Arc::new(Model::new(target)), history, past, ..Shown::default() };
        app.engine = Engine::new(app.options.settings.clone());
        app.refreshed_at = None;
    }
    app.link = Link::Live { data_at: app.clock };
    app.touch();
}

/// The target is another process than before: ids no longer mean what they did, and what was found then is history.
fn restarted(app: &mut App, target: &Target) {
    let pid = app.live.model.target.pid;
    let past = Arc::make_mut(&mut app.live.past);
    let first = past.last().map_or(0, |p| p.id + 1);
    for (id, finding) in (first..).zip(std::mem::take(&mut app.live.findings)) {
        past.push(PastFinding { id, pid, restarted: app.clock, finding });
    }
    let excess = past.len().saturating_sub(PAST_LIMIT);
    past.drain(..excess);
    (app.asked, app.wonder) = (None, Wonder::default());
    // A view that is frozen shows the process that was.
    if !app.frozen() {
        leave_all(app);
    }
    let name = crate::text::fit::head(if target.app.is_empty() { "the service" } else { &target.app }, 40, '~');
    let was = if target.pid == 0 {
        "it may be another process".to_owned()
    } else if target.pid == pid {
        // As in a container, where the service is always the first.
        format!("it is another process of the same number, {pid}")
    } else {
        format!("process {pid} is now {}", target.pid)
    };
    app.restarted = Some(Notice {
        role: Role::Warn,
        text: format!("{name} restarted: {was}; what was found before is in Findings"),
        until: app.clock + RESTART_NOTICE,
    });
}

/// Goes back to the list in front, and to its first row: what was looked at, and where, is of a process that is gone.
fn leave_all(app: &mut App) {
    app.derived = super::Derived::default();
    (app.sweep, app.details) = (None, None);
    app.stack.truncate(1);
    app.left.clear();
    let place = app.place_mut();
    (place.selected, place.index, place.offset) = (None, 0, 0);
    place.open.clear();
}
