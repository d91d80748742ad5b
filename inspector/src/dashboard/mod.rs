//! The loop: keys, data and time go into the core, frames and effects come out. It never waits for the network: the
//! source is a task of its own at the other end of a channel.

mod export;
mod terminal;
mod timings;

use std::io;
use std::time::Duration;

use crossterm::event::{Event, EventStream};
use futures_util::StreamExt;
use futures_util::stream::{BoxStream, SelectAll};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_stream::wrappers::ReceiverStream;

use crate::app::{Effect, Fleet, Msg, Options};
use crate::report::Silenced;
use crate::source::{self, Address, Pace, Request};
use crate::text::{counted, fit};
use crate::view::SCREENS;
use terminal::Screen;
use timings::Timings;

/// Data is drawn no more often than this, which nobody reads faster; keys are answered at once.
const FRAME: Duration = Duration::from_millis(150);
/// The same where hardly anything happens, so that little but ages changes.
const RESTING: Duration = Duration::from_millis(500);
/// How often the age of the data is looked at.
const TICK: Duration = Duration::from_millis(250);
/// Updates that may wait for the dashboard; the source stops reading when there are more.
const QUEUE: usize = 8;
/// Keys that may wait for the dashboard.
const KEYS: usize = 64;
/// Requests that may wait for the source; what is asked beyond is asked again.
const REQUESTS: usize = 8;

/// How the operator left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// By `q`.
    Quit,
    /// By Ctrl-c or a signal that ends programs.
    Interrupted,
}

/// Runs the dashboard on `targets`, recordings at this pace, until the operator leaves. The terminal is given back on
/// every way out, a panic and a signal included.
///
/// # Errors
///
/// When the terminal cannot be taken, read or written. A target that cannot be reached is no error: the dashboard says
/// so and goes on trying.
pub async fn run(targets: Vec<Address>, pace: Pace, mut options: Options) -> io::Result<Exit> {
    let set = |name| std::env::var(name).ok();
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(set);
    options.ascii = Some(options.ascii_in(locale.each_ref().map(Option::as_deref)));
    let depth = options.depth(set("NO_COLOR").as_deref(), set("TERM").as_deref(), set("COLORTERM").as_deref());
    let mut fleet = Fleet::new(&targets, &SCREENS, &options, depth);
    let title = match targets.as_slice() {
        [one] => one.to_string(),
        all => counted(all.len() as u64, "target"),
    };
    let mut screen = Screen::take(&fit::clean(&title), options.mouse)?;

    let mut sources = Sources { tasks: JoinSet::new(), events: SelectAll::new(), requests: Vec::new() };
    for (n, target) in targets.into_iter().enumerate() {
        let (events_tx, events) = mpsc::channel(QUEUE);
        let (requests, requests_rx) = mpsc::channel(REQUESTS);
        sources.tasks.spawn(source::watch(target, pace, events_tx, requests_rx));
        sources.events.push(ReceiverStream::new(events).map(move |event| (n, event)).boxed());
        sources.requests.push(requests);
    }
    let mut timings = Timings::asked();
    let left = turn(&mut fleet, &mut screen, &mut sources, &mut timings).await;
    drop(screen);
    timings.say();
    left
}

/// Where data comes from, a task for each target; they end when this is dropped.
struct Sources {
    tasks: JoinSet<()>,
    events: SelectAll<BoxStream<'static, (usize, source::Event)>>,
    requests: Vec<mpsc::Sender<Request>>,
}

async fn turn(
    fleet: &mut Fleet,
    screen: &mut Screen,
    sources: &mut Sources,
    timings: &mut Timings,
) -> io::Result<Exit> {
    let start = Instant::now();
    let (_reader, mut keys) = read_keys();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut ended = Ended::new()?;
    let mut drawn_at: Option<Instant> = None;
    let (exported_tx, mut exported) = mpsc::channel(1);
    let (columns, rows) = screen.size();
    fleet.update(Msg::Resize(columns, rows));
    let mut spoken = false;

    loop {
        // Whether the operator did something, which is answered at once.
        let mut answer = drawn_at.is_none();
        let pace = if fleet.rests() { RESTING } else { FRAME };
        let next_frame = drawn_at.map_or(start, |at| at + pace);
        let waiting = fleet.take_dirty();
        let mut heard = None;
        if std::mem::take(&mut spoken) {
            // Those who bring keys and signals run on this thread too, and have their turn only while this one waits.
            tokio::task::yield_now().await;
        }
        let msg = tokio::select! {
            biased;
            () = ended.signal() => return Ok(Exit::Interrupted),
            key = keys.recv() => {
                answer = true;
                match key {
                    Some(Ok(Event::Key(key))) => Some(Msg::Key(key)),
                    Some(Ok(Event::Mouse(mouse))) => Some(Msg::Mouse(mouse)),
                    Some(Ok(Event::Resize(columns, rows))) => Some(Msg::Resize(columns, rows)),
                    Some(Ok(_)) => None,
                    Some(Err(error)) => return Err(error),
                    // The terminal is gone.
                    None => return Ok(Exit::Interrupted),
                }
            }
            () = sleep_until(next_frame), if waiting => {
                timings.frame(|| screen.draw(fleet))?;
                drawn_at = Some(Instant::now());
                continue;
            }
            Some(done) = exported.recv() => Some(Msg::Exported(done)),
            Some(event) = sources.events.next() => {
                heard = Some(event);
                spoken = true;
                None
            }
            // They go on for ever unless one panics, and a panic has given the terminal back already.
            _ = sources.tasks.join_next() => {
                return Err(io::Error::other("reading from the target has failed; see the message above"));
            }
            _ = ticks.tick() => None,
            // Between all else, what takes long goes on. Those who bring keys and data run on this thread too.
            () = tokio::task::yield_now(), if fleet.busy() => None,
        };
        let began = std::time::Instant::now();
        if waiting {
            fleet.touch();
        }
        let mut effects = fleet.tick(start.elapsed());
        effects.extend(heard.into_iter().flat_map(|(target, event)| fleet.hear(target, event)));
        effects.extend(msg.into_iter().flat_map(|msg| fleet.update(msg)));
        for (target, effect) in effects {
            let request = |request| _ = sources.requests[target].try_send(request);
            match effect {
                Effect::Quit => return Ok(Exit::Quit),
                Effect::Interrupt => return Ok(Exit::Interrupted),
                Effect::Suspend => {
                    screen.suspend()?;
                    let (columns, rows) = screen.size();
                    fleet.update(Msg::Resize(columns, rows));
                }
                // A retry that already waits is enough.
                Effect::Reconnect => request(Request::Reconnect),
                Effect::Pause(pause) => request(Request::Pause(pause)),
                Effect::Details(task) => request(Request::TaskDetails(task)),
                Effect::Export => {
                    let (model, findings) = fleet.front().state();
                    // What is muted here is among them.
                    let silenced = Silenced { off: fleet.front().options.settings.off(), muted: 0 };
                    let done = exported_tx.clone();
                    // A million tasks take seconds to write; keys answer meanwhile.
                    tokio::task::spawn_blocking(move || {
                        drop(done.try_send(export::write(&model, &findings, &silenced)));
                    });
                }
                Effect::Copy(text) => screen.copy(&text)?,
            }
        }
        if answer && fleet.take_dirty() {
            timings.frame(|| screen.draw(fleet))?;
            drawn_at = Some(Instant::now());
        }
        timings.turn(began);
    }
}

/// Keys and the like, read by a task of its own, which ends when its handle is dropped: to ask crossterm at every turn of the
/// loop is to try, each time for a while, for a lock that its thread has.
fn read_keys() -> (JoinSet<()>, mpsc::Receiver<io::Result<Event>>) {
    let (events, keys) = mpsc::channel(KEYS);
    let mut reader = JoinSet::new();
    reader.spawn(async move {
        let mut stream = EventStream::new();
        while let Some(event) = stream.next().await {
            if events.send(event).await.is_err() {
                return;
            }
        }
    });
    (reader, keys)
}

/// The signals that end a program which has somebody's terminal.
#[cfg(unix)]
struct Ended(Vec<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Ended {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        // Ctrl-c and Ctrl-\ are keys here; the signals of these names come from elsewhere.
        let kinds = [SignalKind::terminate(), SignalKind::hangup(), SignalKind::interrupt(), SignalKind::quit()];
        Ok(Self(kinds.into_iter().map(signal).collect::<io::Result<_>>()?))
    }

    async fn signal(&mut self) {
        let each = self.0.iter_mut().map(|signal| Box::pin(signal.recv()));
        futures_util::future::select_all(each).await;
    }
}

#[cfg(not(unix))]
struct Ended;

#[cfg(not(unix))]
impl Ended {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn signal(&mut self) {
        std::future::pending().await
    }
}
