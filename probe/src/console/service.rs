//! The `Instrument` service of console-api 0.9.
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, SystemTime},
};

use ::tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Interval, interval},
};
use console_api::{
    instrument::{
        InstrumentRequest, PauseRequest, PauseResponse, ResumeRequest, ResumeResponse, State, StateRequest,
        TaskDetailsRequest, Temporality, Update,
        instrument_server::{Instrument, InstrumentServer},
    },
    tasks::{TaskDetails, task_details::PollTimesHistogram},
};
use futures_util::{Stream, StreamExt, stream};
use tokio_stream::wrappers::WatchStream;
use tonic::{Request, Response, Status};

use super::{Consoles, histogram, peer::Peer};
use crate::{
    collector::Subscribers,
    recorder::{Recorder, clock, histogram::Counts, task::TaskSlot},
};

/// A request is a number at most.
const MAX_REQUEST_BYTES: usize = 1024;
/// What the stock client takes at most.
const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;
/// Tasks that are looked at closely, by all consoles together.
const MAX_DETAILS: usize = 32;
/// Between two messages about such a task.
const DETAILS_PERIOD: Duration = Duration::from_secs(1);

/// The `Instrument` service.
pub(crate) struct Service {
    recorder: &'static Recorder,
    consoles: Consoles,
    /// To call the collector.
    subscribers: Subscribers,
    details: Arc<Semaphore>,
}

impl Service {
    pub(crate) fn new(recorder: &'static Recorder, consoles: Consoles, subscribers: Subscribers) -> Self {
        Self { recorder, consoles, subscribers, details: Arc::new(Semaphore::new(MAX_DETAILS)) }
    }

    /// As a service for tonic's router.
    pub(crate) fn into_server(self) -> InstrumentServer<Self> {
        InstrumentServer::new(self)
            .max_decoding_message_size(MAX_REQUEST_BYTES)
            .max_encoding_message_size(MAX_MESSAGE_BYTES)
    }

    /// Only the streams of the client that asks are silenced: what it is owed is known all the same, and other clients
    /// have not asked.
    fn pause<T>(&self, request: &Request<T>, paused: bool) -> Result<(), Status> {
        let peer = Peer::of(request).ok_or_else(|| {
            Status::unimplemented("this connection does not tell which client it is from, so none can be paused")
        })?;
        if self.consoles.pause(peer, paused) {
            return Ok(());
        }
        Err(Status::failed_precondition("there is no stream of updates on this connection"))
    }
}

#[tonic::async_trait]
impl Instrument for Service {
    type WatchUpdatesStream = Updates;
    type WatchTaskDetailsStream = Details;
    type WatchStateStream = Pin<Box<dyn Stream<Item = Result<State, Status>> + Send>>;

    async fn watch_updates(&self, request: Request<InstrumentRequest>) -> Result<Response<Updates>, Status> {
        let key = self
            .consoles
            .join(Peer::of(&request))
            .map_err(|too_many| Status::resource_exhausted(too_many.to_string()))?;
        self.subscribers.call_collector();
        Ok(Response::new(Updates { consoles: self.consoles.clone(), key }))
    }

    async fn watch_task_details(&self, request: Request<TaskDetailsRequest>) -> Result<Response<Details>, Status> {
        let id = request.get_ref().id.as_ref().map_or(0, |id| id.id);
        let slot = self.recorder.task(id);
        let slot = slot.ok_or_else(|| Status::not_found(format!("there is no task {id}, or no more")))?;
        let permit = Arc::clone(&self.details).try_acquire_owned().map_err(|_| {
            Status::resource_exhausted(format!("{MAX_DETAILS} tasks are looked at already, which is the limit"))
        })?;
        Ok(Response::new(Details { id, slot, period: interval(DETAILS_PERIOD), _permit: permit }))
    }

    async fn watch_state(&self, request: Request<StateRequest>) -> Result<Response<Self::WatchStateStream>, Status> {
        let state = |paused| {
            let temporality = if paused { Temporality::Paused } else { Temporality::Live };
            Ok(State { temporality: temporality.into() })
        };
        let paused = Peer::of(&request).and_then(|peer| self.consoles.paused(peer));
        Ok(Response::new(match paused {
            Some(paused) => Box::pin(WatchStream::new(paused).map(state)),
            // The stock client takes the end of this stream for the end of the connection.
            None => Box::pin(stream::once(async move { state(false) }).chain(stream::pending())),
        }))
    }

    async fn pause(&self, request: Request<PauseRequest>) -> Result<Response<PauseResponse>, Status> {
        Self::pause(self, &request, true).map(|()| Response::new(PauseResponse {}))
    }

    async fn resume(&self, request: Request<ResumeRequest>) -> Result<Response<ResumeResponse>, Status> {
        Self::pause(self, &request, false).map(|()| Response::new(ResumeResponse {}))
    }
}

/// One console's stream.
pub(crate) struct Updates {
    consoles: Consoles,
    key: u64,
}

impl Stream for Updates {
    type Item = Result<Update, Status>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.consoles.poll_update(self.key, cx).map(|update| update.map(Ok))
    }
}

impl Drop for Updates {
    fn drop(&mut self) {
        self.consoles.leave(self.key);
    }
}

/// How long the polls of a task take, and how long after a wake they come, again and again until it ends.
pub(crate) struct Details {
    id: u64,
    slot: &'static TaskSlot,
    period: Interval,
    _permit: OwnedSemaphorePermit,
}

impl Stream for Details {
    type Item = Result<TaskDetails, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.period.poll_tick(cx).is_pending() {
            return Poll::Pending;
        }
        let (polls, delays) = (self.slot.poll_counts(), self.slot.sched_counts());
        let Some(task) = self.slot.read().filter(|task| task.id == self.id) else { return Poll::Ready(None) };
        let told = |counts: Option<Counts>, longest| histogram::of_counts(&counts?, clock::duration_ns(longest));
        Poll::Ready(Some(Ok(TaskDetails {
            task_id: Some(self.id.into()),
            now: Some(SystemTime::now().into()),
            poll_times_histogram: told(polls, task.max_poll).map(PollTimesHistogram::Histogram),
            scheduled_times_histogram: told(delays, task.sched_max),
        })))
    }
}
