//! A recording as a source: it tells what the target told then, in the same rhythm.
use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender};
use tokio::time::{Instant, sleep_until};

use super::recording::{Frame, Reader, RecordingError};
use super::{Address, Event, Request, SourceError};
use crate::decode::console::{Decoder as ConsoleDecoder, Place};
use crate::decode::{self, Decoder};
use crate::model::{Batch, Target, TaskDetails, TaskId};

/// How a recording is replayed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Times as fast as it was.
    pub speed: f64,
    /// What was before this is told at once.
    pub from: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { speed: 1.0, from: Duration::ZERO }
    }
}

/// What a recording says next.
pub(super) enum Said {
    Hello(Box<Target>),
    Update(Box<Batch>),
    Lost(String),
    /// What comes with the next update.
    Nothing,
}

/// A recording, decoded as it is read.
#[derive(Debug)]
pub(super) struct Tape {
    reader: Reader,
    decoder: Decoder,
    /// Of a console-subscriber, which is known again after a connection that was lost.
    console: ConsoleDecoder,
    /// Its first update on a connection, which says that there is one, too.
    first: Option<(Duration, Box<Batch>)>,
    /// Answers since the last update.
    answers: Vec<(TaskId, TaskDetails)>,
    target: String,
}

impl Tape {
    pub(super) fn open(address: &Address, path: &Path) -> Result<Self, SourceError> {
        let target = address.to_string();
        match Reader::open(path) {
            Ok(reader) => {
                let (decoder, console) = (Decoder::new(), ConsoleDecoder::new());
                Ok(Self { reader, decoder, console, first: None, answers: Vec::new(), target })
            }
            Err(RecordingError::File(error)) if error.kind() == io::ErrorKind::NotFound => {
                Err(SourceError::Absent { target })
            }
            Err(error) => Err(bad(&target, &error)),
        }
    }

    /// The next thing and its time since the recording began; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<(Duration, Said)>, SourceError> {
        if let Some((at, batch)) = self.first.take() {
            return Ok(Some((at, Said::Update(batch))));
        }
        let Some((at, frame)) = self.reader.next_frame().map_err(|error| bad(&self.target, &error))? else {
            return Ok(None);
        };
        let unreadable =
            |error: decode::DecodeError| SourceError::BadData { target: self.target.clone(), why: error.to_string() };
        let said = match frame {
            Frame::Hello(hello) => {
                // Ids of strings and sites begin anew.
                self.decoder = Decoder::new();
                self.answers.clear();
                Said::Hello(Box::new(decode::hello(self.target.clone(), *hello).map_err(unreadable)?))
            }
            Frame::Update(update) => {
                let mut batch = Box::new(self.decoder.update(*update).map_err(unreadable)?);
                batch.answers = std::mem::take(&mut self.answers);
                Said::Update(batch)
            }
            Frame::Lost(why) => Said::Lost(why),
            Frame::Answer(task, answer) => {
                self.answers.extend(decode::task_details(*answer).map(|details| (task, details)));
                return Ok(Some((at, Said::Nothing)));
            }
            Frame::Console(place, update) => {
                let batch = Box::new(self.console.update(*update, place).map_err(unreadable)?);
                if place == Place::Connected {
                    self.first = Some((at, batch));
                    Said::Hello(Box::new(self.console.target(self.target.clone())))
                } else {
                    Said::Update(batch)
                }
            }
        };
        Ok(Some((at, said)))
    }

    /// How it ended; `short_of` is its length where that is less than was asked for.
    pub(super) fn end(&self, short_of: Option<Duration>) -> SourceError {
        SourceError::Ended { target: self.target.clone(), cut_short: self.reader.cut_short(), short_of }
    }
}

fn bad(target: &str, error: &RecordingError) -> SourceError {
    let (target, why) = (target.to_owned(), error.to_string());
    match error {
        RecordingError::File(_) => SourceError::Unreadable { target, why },
        _ => SourceError::BadRecording { target, why },
    }
}

/// Replays a recording as a live source would tell it, then says that it is over; a request to reconnect starts it
/// again. Ends when nobody listens to `events` any more.
pub(super) async fn replay(
    address: &Address,
    path: &Path,
    pace: Pace,
    events: &Sender<Event>,
    requests: &mut Receiver<Request>,
) {
    loop {
        let error = match play(address, path, pace, events, requests).await {
            Played::Over(error) => error,
            Played::Again => continue,
            Played::Unheard => return,
        };
        if events.send(Event::Ended { error }).await.is_err() {
            return;
        }
        tokio::select! {
            () = super::watch::asked_to_reconnect(requests) => {}
            () = events.closed() => return,
        }
    }
}

/// How a recording came to an end.
enum Played {
    Over(SourceError),
    /// It is to begin again before that.
    Again,
    /// Nobody listens any more.
    Unheard,
}

/// From the beginning to the end.
async fn play(
    address: &Address,
    path: &Path,
    pace: Pace,
    events: &Sender<Event>,
    requests: &mut Receiver<Request>,
) -> Played {
    if events.send(Event::Connecting { attempt: 1 }).await.is_err() {
        return Played::Unheard;
    }
    let mut tape = match Tape::open(address, path) {
        Ok(tape) => tape,
        Err(error) => return Played::Over(error),
    };
    let mut began = Instant::now();
    let mut length = Duration::ZERO;
    loop {
        let (at, said) = match tape.next() {
            Ok(Some(next)) => next,
            Ok(None) => return Played::Over(tape.end((length < pace.from).then_some(length))),
            Err(error) => return Played::Over(error),
        };
        let due = at.saturating_sub(pace.from).div_f64(pace.speed);
        length = at;
        // Since when it stands still.
        let mut still = None;
        loop {
            tokio::select! {
                () = sleep_until(began + due), if still.is_none() => break,
                Some(request) = requests.recv() => match request {
                    Request::Pause(true) => still = still.or_else(|| Some(Instant::now())),
                    Request::Pause(false) => began += still.take().map_or(Duration::ZERO, |since| since.elapsed()),
                    Request::Reconnect => return Played::Again,
                    Request::TaskDetails(_) => {}
                },
                () = events.closed() => return Played::Unheard,
            }
        }
        let event = match said {
            Said::Nothing => continue,
            Said::Hello(target) => Event::Connected(target),
            Said::Update(batch) => Event::Update(batch),
            Said::Lost(why) => {
                Event::Lost { error: SourceError::Lost { target: address.to_string(), why }, retry_in: Duration::ZERO }
            }
        };
        if events.send(event).await.is_err() {
            return Played::Unheard;
        }
    }
}
