//! The loop: keys, data and time go into the core, frames and effects come out. It never waits for the network: the
//! source is a task of its own at the other end of a channel.

mod export;
mod inputs;
mod terminal;
mod timings;

#[cfg(all(test, unix))]
mod tests;

use std::io;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::{BoxStream, SelectAll};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;

use crate::app::{Effect, Fleet, Msg, Options};
use crate::report::Silenced;
use crate::source::{self, Address, Pace, Request};
use crate::text::{counted, fit};
use crate::view::SCREENS;
use inputs::{Ended, Input, Inputs, read_keys};
use terminal::Screen;
use timings::Timings;

/// Data is drawn no more often than this, which nobody reads faster; keys are answered at once.
const FRAME: Duration = Duration::from_millis(150);
/// The same where hardly anything happens, so that little but ages changes.
const RESTING: Duration = Duration::from_millis(500);
/// Updates that may wait for the dashboard; the source stops reading when there are more.
const QUEUE: usize = 8;
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
    let (_reader, keys) = read_keys();
    let (exported_tx, exported) = mpsc::channel(1);
    let mut inputs = Inputs::new(Ended::new()?, keys, exported);
    let mut drawn_at: Option<Instant> = None;
    let (columns, rows) = screen.size();
    fleet.update(Msg::Resize(columns, rows));

    loop {
        // What the operator did is answered at once.
        let mut answer = drawn_at.is_none();
        let pace = if fleet.rests() { RESTING } else { FRAME };
        let next_frame = drawn_at.map_or(start, |at| at + pace);
        let waiting = fleet.take_dirty();
        let (mut msg, mut told) = (None, None);
        match inputs.next(sources, waiting.then_some(next_frame), fleet.busy()).await? {
            Input::Operator(did) => (answer, msg) = (true, did),
            Input::Exported(done) => msg = Some(Msg::Exported(done)),
            Input::Told(target, event) => told = Some((target, *event)),
            Input::Time => {}
            Input::Frame => {
                timings.frame(|| screen.draw(fleet))?;
                drawn_at = Some(Instant::now());
                continue;
            }
            Input::Gone => return Ok(Exit::Interrupted),
        }
        let began = std::time::Instant::now();
        if waiting {
            fleet.touch();
        }
        let mut effects = fleet.tick(start.elapsed());
        effects.extend(told.into_iter().flat_map(|(target, event)| fleet.hear(target, event)));
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
