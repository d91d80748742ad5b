//! What the loop waits for: keys, signals, data, time. All who bring them run on the loop's own thread.
use std::io;
use std::time::Duration;

use crossterm::event::{Event, EventStream};
use futures_util::StreamExt;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};

use super::Sources;
use crate::app::Msg;
use crate::source;

/// How often the age of the data is looked at.
const TICK: Duration = Duration::from_millis(250);
/// Keys that may wait for the dashboard.
const KEYS: usize = 64;

/// The path of a file that was written, or why there is none.
pub(super) type Written = Result<String, String>;

/// What happens next.
#[derive(Debug)]
pub(super) enum Input {
    /// The operator did something, be it nothing to the dashboard.
    Operator(Option<Msg>),
    /// A target, by its number, told something.
    Told(usize, Box<source::Event>),
    /// A file has been written, or not.
    Exported(Written),
    /// It is time to draw.
    Frame,
    /// Some time has gone by, or what takes long may go on.
    Time,
    /// The terminal is gone, or somebody ends the program.
    Gone,
}

/// Where that comes from, besides the targets.
pub(super) struct Inputs {
    ended: Ended,
    keys: mpsc::Receiver<io::Result<Event>>,
    exported: mpsc::Receiver<Written>,
    ticks: Interval,
    /// The last input was a target's.
    told: bool,
}

impl Inputs {
    pub(super) fn new(
        ended: Ended,
        keys: mpsc::Receiver<io::Result<Event>>,
        exported: mpsc::Receiver<Written>,
    ) -> Self {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { ended, keys, exported, ticks, told: false }
    }

    /// The next input, whoever ends the program first and the operator second. There is a frame at `frame`, if there is
    /// something to draw; while the dashboard is `busy`, it has its turn between all else.
    ///
    /// # Errors
    ///
    /// When keys cannot be read, or a source has panicked.
    pub(super) async fn next(
        &mut self,
        sources: &mut Sources,
        frame: Option<Instant>,
        busy: bool,
    ) -> io::Result<Input> {
        if std::mem::take(&mut self.told) {
            // Those who bring keys and signals run on this thread too, and have their turn only while this one waits.
            tokio::task::yield_now().await;
        }
        let input = tokio::select! {
            biased;
            () = self.ended.signal() => Input::Gone,
            key = self.keys.recv() => match key {
                Some(Ok(Event::Key(key))) => Input::Operator(Some(Msg::Key(key))),
                Some(Ok(Event::Mouse(mouse))) => Input::Operator(Some(Msg::Mouse(mouse))),
                Some(Ok(Event::Resize(columns, rows))) => Input::Operator(Some(Msg::Resize(columns, rows))),
                Some(Ok(_)) => Input::Operator(None),
                Some(Err(error)) => return Err(error),
                None => Input::Gone,
            },
            () = sleep_until(frame.unwrap_or_else(Instant::now)), if frame.is_some() => Input::Frame,
            Some(done) = self.exported.recv() => Input::Exported(done),
            Some((target, event)) = sources.events.next() => {
                self.told = true;
                Input::Told(target, Box::new(event))
            }
            // They go on for ever unless one panics, and a panic has given the terminal back already.
            _ = sources.tasks.join_next() => {
                return Err(io::Error::other("reading from the target has failed; see the message above"));
            }
            _ = self.ticks.tick() => Input::Time,
            () = tokio::task::yield_now(), if busy => Input::Time,
        };
        Ok(input)
    }
}

/// Keys and the like, read by a task of its own, which ends when its handle is dropped: to ask crossterm at every turn of the
/// loop is to try, each time for a while, for a lock that its thread has.
pub(super) fn read_keys() -> (JoinSet<()>, mpsc::Receiver<io::Result<Event>>) {
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
pub(super) struct Ended(Vec<Signal>);

#[cfg(unix)]
impl Ended {
    pub(super) fn new() -> io::Result<Self> {
        // Ctrl-c and Ctrl-\ are keys here; the signals of these names come from elsewhere.
        Self::by(&[SignalKind::terminate(), SignalKind::hangup(), SignalKind::interrupt(), SignalKind::quit()])
    }

    /// By these signals.
    pub(super) fn by(kinds: &[SignalKind]) -> io::Result<Self> {
        Ok(Self(kinds.iter().copied().map(signal).collect::<io::Result<_>>()?))
    }

    pub(super) async fn signal(&mut self) {
        let each = self.0.iter_mut().map(|signal| Box::pin(signal.recv()));
        futures_util::future::select_all(each).await;
    }
}

#[cfg(not(unix))]
pub(super) struct Ended;

#[cfg(not(unix))]
impl Ended {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self)
    }

    pub(super) async fn signal(&mut self) {
        std::future::pending().await
    }
}
