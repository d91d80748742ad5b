//! A stock console-subscriber.
use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use console_api::instrument::instrument_client::InstrumentClient;
use console_api::instrument::{InstrumentRequest, State, StateRequest, TaskDetailsRequest, Temporality, Update};
use tokio::time::Instant;
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};

use super::connect::{PATIENCE, broken, misunderstanding, patiently};
use super::{Address, SourceError, probe};
use crate::decode::console::{Decoder, Place, task_details};
use crate::model::{Batch, Target, TaskDetails, TaskId};

/// Its first message is everything that it knows, in one piece: versions before 0.3 send hundreds of MiB of it.
pub(super) const MAX_DECODED_BYTES: usize = 256 * 1024 * 1024;
/// What it is given for that message, which one that has too much to tell sends with its next change only.
const FIRST: Duration = Duration::from_secs(20);

/// Time between two nudges: at first, and where that does not do.
const NUDGE: Duration = Duration::from_millis(20);
const FASTEST: Duration = Duration::from_millis(4);
/// How long nudging goes on after an update.
const NUDGING: Duration = Duration::from_millis(1500);
/// The span of no task: ids begin at the other end.
const NOBODY: u64 = u64::MAX;

/// What it tells later than that is late.
const LATE: Duration = Duration::from_millis(500);

type Nudges = Pin<Box<dyn Future<Output = ()> + Send>>;
type Asked<T> = Pin<Box<dyn Future<Output = Result<Streaming<T>, Status>> + Send>>;

/// Updates of a console-subscriber, and the state of its decoder.
pub(super) struct Feed {
    address: String,
    client: InstrumentClient<Channel>,
    updates: Streaming<Update>,
    decoder: Decoder,
    /// The first update, which had to be decoded to know who is there; as it came, where that is to be kept.
    first: Option<Batch>,
    first_raw: Option<Update>,
    /// A second stream, for the whole state again: asked for, and then there.
    renewal: Option<Asked<Update>>,
    renewed: Option<Streaming<Update>>,
    /// Whether somebody has paused it: asked for, and then there. Older versions do not tell.
    asked_state: Option<Asked<State>>,
    state: Option<Streaming<State>>,
    /// Makes it take in what has happened, while it is behind.
    nudges: Option<Nudges>,
    pause: Duration,
}

/// Attaches to it. `memory` is taken from the connection before, if there was one: what it knows still holds if the same
/// process answers. `keeps` says that what comes is to be kept as it comes.
pub(super) async fn open(
    address: &Address,
    channel: Channel,
    memory: &mut Decoder,
    keeps: bool,
) -> Result<(Target, Feed), SourceError> {
    let shown = address.to_string();
    // One may answer as both: then more is to be had of it as a probe.
    if probe::is_probe(address, channel.clone()).await {
        let (why, instead) = ("it is a probe of async-inspect".into(), Some(address.of_a_probe()));
        return Err(SourceError::NotAConsole { target: shown, why, instead });
    }
    let mut client = InstrumentClient::new(channel).max_decoding_message_size(MAX_DECODED_BYTES);
    let asked = client.watch_updates(InstrumentRequest {});
    let answer = patiently(address, async { Ok(asked.await) }).await?;
    let mut updates = match answer {
        Ok(answer) => answer.into_inner(),
        Err(status) => {
            let why = misunderstanding(&status);
            return Err(SourceError::NotAConsole { target: shown, why, instead: None });
        }
    };
    let update = tokio::time::timeout(FIRST, updates.message())
        .await
        .map_err(|_| SourceError::Timeout { target: shown.clone(), seconds: FIRST.as_secs() })?
        .map_err(|status| broken(&shown, &status))?
        .ok_or_else(|| SourceError::Lost { target: shown.clone(), why: "it closed the stream".into() })?;
    let first_raw = keeps.then(|| update.clone());
    let mut decoder = std::mem::take(memory);
    let first = decoder
        .update(update, Place::Connected)
        .map_err(|error| SourceError::BadData { target: shown.clone(), why: error.to_string() })?;
    let target = decoder.target(shown.clone());
    let mut asking = client.clone();
    let asked_state: Asked<State> =
        Box::pin(async move { asking.watch_state(StateRequest {}).await.map(tonic::Response::into_inner) });
    let feed = Feed {
        address: shown,
        client,
        updates,
        decoder,
        first: Some(first),
        first_raw,
        renewal: None,
        renewed: None,
        asked_state: Some(asked_state),
        state: None,
        nudges: None,
        pause: NUDGE,
    };
    Ok((target, feed))
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").field("address", &self.address).field("updates", &self.updates).finish_non_exhaustive()
    }
}

impl Feed {
    /// What is known of the target, for the next connection.
    pub(super) fn into_decoder(self) -> Decoder {
        self.decoder
    }

    /// What is told of one task; `None` where there is no answer. It comes as a stream, of which the first is enough.
    pub(super) fn task_details(&self, task: TaskId) -> impl Future<Output = Option<TaskDetails>> + Send + use<> {
        let (mut client, span) = (self.client.clone(), self.decoder.span(task));
        async move {
            let request = TaskDetailsRequest { id: Some(span?.into()) };
            let asked = async { client.watch_task_details(request).await.ok()?.into_inner().message().await.ok()? };
            task_details(&tokio::time::timeout(PATIENCE, asked).await.ok()??)
        }
    }

    /// The next update. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Result<Batch, SourceError> {
        if let Some(first) = self.first.take() {
            return Ok(first);
        }
        let (update, place) = self.receive().await?;
        self.take(update, place)
    }

    /// The same as it came, and where it stands.
    pub(super) async fn next_raw(&mut self) -> Result<(Place, Update), SourceError> {
        if let Some(first) = self.first_raw.take() {
            return Ok((Place::Connected, first));
        }
        let (update, place) = self.receive().await?;
        // What it says is what it is asked by.
        self.take(update.clone(), place)?;
        Ok((place, update))
    }

    /// Decodes an update, and asks for what comes next by what it says.
    fn take(&mut self, update: Update, place: Place) -> Result<Batch, SourceError> {
        let target = || self.address.clone();
        let batch = self
            .decoder
            .update(update, place)
            .map_err(|error| SourceError::BadData { target: target(), why: error.to_string() })?;
        if self.renewal.is_none() && self.renewed.is_none() && self.decoder.wants_whole() {
            let mut client = self.client.clone();
            self.renewal = Some(Box::pin(async move {
                client.watch_updates(InstrumentRequest {}).await.map(tonic::Response::into_inner)
            }));
        }
        self.pause = match self.decoder.delay() {
            Some(delay) if delay > LATE => (self.pause / 2).max(FASTEST),
            Some(_) => self.pause,
            None => NUDGE,
        };
        let (client, pause) = (self.client.clone(), self.pause);
        self.nudges = self.decoder.delay().map(|_| Box::pin(nudge(client, pause)) as Nudges);
        Ok(batch)
    }

    async fn receive(&mut self) -> Result<(Update, Place), SourceError> {
        let lost = |address: &str, why: &str| SourceError::Lost { target: address.to_owned(), why: why.to_owned() };
        loop {
            tokio::select! {
                biased;
                asked = answer(&mut self.renewal) => self.renewed = asked.ok(),
                () = done(&mut self.nudges) => self.nudges = None,
                asked = answer(&mut self.asked_state) => self.state = asked.ok(),
                state = message(&mut self.state) => match state {
                    Ok(Some(state)) if state.temporality == Temporality::Paused as i32 => {
                        return Err(lost(&self.address, "another client has paused it; resume it there"));
                    }
                    Ok(Some(_)) => {}
                    Ok(None) | Err(_) => self.state = None,
                },
                update = message(&mut self.renewed) => {
                    // From here on the second stream is the one that is read; without one, the first goes on.
                    let renewed = self.renewed.take();
                    if let (Ok(Some(update)), Some(renewed)) = (update, renewed) {
                        self.updates = renewed;
                        return Ok((update, Place::Renewed));
                    }
                },
                update = self.updates.message() => {
                    return match update {
                        Ok(Some(update)) => Ok((update, Place::Later)),
                        Ok(None) => Err(lost(&self.address, "it closed the stream")),
                        Err(status) => Err(broken(&self.address, &status)),
                    };
                }
            }
        }
    }
}

/// Asks about a task that there is not, again and again. A subscriber takes in 128 of the events that wait for it each time
/// that it does something, and otherwise does something once a second: with more events than that, what it tells would be
/// older and older. It is left as much time as it takes for that.
async fn nudge(mut client: InstrumentClient<Channel>, pause: Duration) {
    let began = Instant::now();
    while began.elapsed() < NUDGING {
        let asked = Instant::now();
        let answer = client.watch_task_details(TaskDetailsRequest { id: Some(NOBODY.into()) }).await;
        if answer.is_err_and(|status| status.code() != Code::NotFound) {
            return;
        }
        tokio::time::sleep(pause.max(asked.elapsed())).await;
    }
}

async fn done(waiting: &mut Option<Nudges>) {
    match waiting {
        Some(waiting) => waiting.await,
        None => std::future::pending().await,
    }
}

/// What was asked for, once it is there.
async fn answer<T>(asked: &mut Option<Asked<T>>) -> Result<Streaming<T>, Status> {
    match asked {
        Some(waiting) => {
            let answer = waiting.await;
            *asked = None;
            answer
        }
        None => std::future::pending().await,
    }
}

/// The next message of a stream that may not be there.
async fn message<T>(stream: &mut Option<Streaming<T>>) -> Result<Option<T>, Status> {
    match stream {
        Some(stream) => stream.message().await,
        None => std::future::pending().await,
    }
}

/// Whether it is a console-subscriber that answers there. Asks for nothing that it would have to work for.
pub(super) async fn is_console(address: &Address, channel: Channel) -> bool {
    let mut client = InstrumentClient::new(channel);
    let asked = client.watch_task_details(TaskDetailsRequest { id: None });
    let answer = patiently(address, async { Ok(asked.await) }).await;
    matches!(answer, Ok(Err(status)) if status.code() == Code::InvalidArgument)
}
