//! The loop: keys, data and time go into the core, frames and effects come out. It never waits for the network: the
//! source is a task of its own at the other end of a channel.
use std::io;
use std::time::Duration;

use crossterm::event::{Event, EventStream};
use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::terminal::Screen;
use super::{App, Effect, Msg, Options, export, update};
use crate::source::{self, Address, Request};

/// Data is drawn no more often than this; keys are answered at once.
const FRAME: Duration = Duration::from_millis(100);
/// How often the age of the data is looked at.
const TICK: Duration = Duration::from_millis(250);
/// Updates that may wait for the dashboard; the source stops reading when there are more.
const QUEUE: usize = 64;
/// Requests that may wait for the source; what is asked beyond is asked again.
const REQUESTS: usize = 8;

/// How the operator left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// By `q`.
    Quit,
    /// By Ctrl-c, SIGTERM or SIGHUP.
    Interrupted,
}

/// Runs the dashboard on `address` until the operator leaves. The terminal is given back on every way out, a panic
/// and a signal included.
///
/// # Errors
///
/// When the terminal cannot be taken, read or written. A target that cannot be reached is no error: the dashboard says
/// so and goes on trying.
pub async fn run(address: Address, options: Options) -> io::Result<Exit> {
    let set = |name| std::env::var(name).ok();
    let depth = options.depth(set("NO_COLOR").as_deref(), set("TERM").as_deref(), set("COLORTERM").as_deref());
    let shown = address.to_string();
    let mouse = options.mouse;
    let mut app = App::new(&shown, options, depth);
    let mut screen = Screen::take(&crate::view::fit::clean(&shown), mouse)?;

    let (events_tx, events) = mpsc::channel(QUEUE);
    let (requests, requests_rx) = mpsc::channel(REQUESTS);
    let mut source = tokio::spawn(source::watch(address, events_tx, requests_rx));
    let exit = turn(&mut app, &mut screen, events, &requests, &mut source).await;
    source.abort();
    exit
}

async fn turn(
    app: &mut App,
    screen: &mut Screen,
    mut events: mpsc::Receiver<source::Event>,
    requests: &mpsc::Sender<Request>,
    source: &mut JoinHandle<()>,
) -> io::Result<Exit> {
    let start = Instant::now();
    let mut keys = EventStream::new();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut ended = Ended::new()?;
    let mut drawn_at: Option<Instant> = None;
    let (exported_tx, mut exported) = mpsc::channel(1);
    let (columns, rows) = screen.size();
    update(app, Msg::Resize(columns, rows));

    loop {
        // Whether the operator did something, which is answered at once.
        let mut answer = drawn_at.is_none();
        let next_frame = drawn_at.map_or(start, |at| at + FRAME);
        let waiting = app.take_dirty();
        let msg = tokio::select! {
            biased;
            () = ended.signal() => return Ok(Exit::Interrupted),
            key = keys.next() => {
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
                screen.draw(app)?;
                drawn_at = Some(Instant::now());
                continue;
            }
            Some(done) = exported.recv() => Some(Msg::Exported(done)),
            Some(event) = events.recv() => Some(Msg::Source(event)),
            // It goes on for ever unless it panics, and a panic has given the terminal back already.
            _ = &mut *source => return Err(io::Error::other("reading from the target has failed; see the message above")),
            _ = ticks.tick() => None,
        };
        if waiting {
            app.touch();
        }
        let mut effects = update(app, Msg::Tick(start.elapsed()));
        effects.extend(msg.into_iter().flat_map(|msg| update(app, msg)));
        for effect in effects {
            match effect {
                Effect::Quit => return Ok(Exit::Quit),
                Effect::Interrupt => return Ok(Exit::Interrupted),
                Effect::Suspend => {
                    screen.suspend()?;
                    let (columns, rows) = screen.size();
                    update(app, Msg::Resize(columns, rows));
                }
                // A retry that already waits is enough.
                Effect::Reconnect => drop(requests.try_send(Request::Reconnect)),
                Effect::Details(task) => drop(requests.try_send(Request::TaskDetails(task))),
                Effect::Export => {
                    let (model, findings) = app.state();
                    let done = exported_tx.clone();
                    // A million tasks take seconds to write; keys answer meanwhile.
                    tokio::task::spawn_blocking(move || drop(done.try_send(export::write(&model, &findings))));
                }
                Effect::Copy(text) => screen.copy(&text)?,
            }
        }
        if answer && app.take_dirty() {
            screen.draw(app)?;
            drawn_at = Some(Instant::now());
        }
    }
}

/// The signals that end a program which has somebody's terminal.
#[cfg(unix)]
struct Ended {
    term: tokio::signal::unix::Signal,
    hup: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Ended {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { term: signal(SignalKind::terminate())?, hup: signal(SignalKind::hangup())? })
    }

    async fn signal(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.hup.recv() => {}
        }
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
