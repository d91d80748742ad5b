//! The gRPC side: who is there, the stream of updates, details on request. All of it on the probe's own thread.

mod incoming;
mod listen;
mod visible;

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use ::tokio::time::timeout;
use async_inspect_proto::{
    EncodedUpdate, PROTOCOL,
    v1::{
        Call, HelloRequest, HelloResponse, Suspension, TaskDetailsRequest, TaskDetailsResponse, WatchRequest,
        inspect_server::{Inspect, InspectServer},
    },
};
use futures_util::Stream;
use tonic::{Request, Response, Status};

pub(crate) use incoming::incoming;
pub use listen::BindError;
pub(crate) use listen::{Listen, Listener};

use crate::{
    collector::{Joined, SLOW_POLL, Subscribers, TICK_MS},
    recorder::{
        Recorder, clock,
        task::{TaskRef, TaskSlot},
    },
    stacks::{Frame, Suspensions, where_suspended},
};

/// A request is a few numbers and a name.
const MAX_REQUEST_BYTES: usize = 16 * 1024;

/// How long an answer waits for where a task is suspended. Reading the debug information takes longer the first time; then
/// the next answer has the lines.
const LOOK: Duration = Duration::from_millis(1500);

/// Who this process is.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) instance_id: u64,
    pub(crate) app: String,
    pub(crate) started_unix_ms: u64,
}

/// The `Inspect` service.
pub(crate) struct Service {
    pub(crate) recorder: &'static Recorder,
    pub(crate) identity: Identity,
    pub(crate) subscribers: Subscribers,
    /// Why there are no stacks of blocked polls, if there are none.
    pub(crate) no_stacks: Option<String>,
}

impl Service {
    /// As a service for tonic's router.
    pub(crate) fn into_server(self) -> InspectServer<Self> {
        InspectServer::new(self)
            .max_decoding_message_size(MAX_REQUEST_BYTES)
            .max_encoding_message_size(async_inspect_proto::MAX_MESSAGE_BYTES)
    }
}

#[tonic::async_trait]
impl Inspect for Service {
    type WatchStream = Updates;

    async fn hello(&self, request: Request<HelloRequest>) -> Result<Response<HelloResponse>, Status> {
        check_protocol(request.get_ref().protocol)?;
        #[cfg(all(feature = "layer", tokio_unstable))]
        way_in_is_known(self.recorder).await;
        Ok(Response::new(HelloResponse {
            protocol: PROTOCOL,
            instance_id: self.identity.instance_id,
            pid: std::process::id(),
            app: self.identity.app.clone(),
            probe_version: env!("CARGO_PKG_VERSION").to_owned(),
            now_ns: clock::since_start_ns(clock::ticks()),
            started_unix_ms: self.identity.started_unix_ms,
            capabilities: visible::capabilities(self.recorder, self.no_stacks.is_none()),
            blind: visible::blind(self.recorder, self.no_stacks.as_deref()),
            slow_poll_ns: SLOW_POLL,
            tick_ms: TICK_MS,
            cpus: std::thread::available_parallelism().map_or(0, |cpus| cpus.get() as u32),
        }))
    }

    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<Updates>, Status> {
        check_protocol(request.get_ref().protocol)?;
        let joined = self.subscribers.join().map_err(|too_many| Status::resource_exhausted(too_many.to_string()))?;
        Ok(Response::new(Updates(joined)))
    }

    async fn task_details(
        &self,
        request: Request<TaskDetailsRequest>,
    ) -> Result<Response<TaskDetailsResponse>, Status> {
        let asked = request.get_ref();
        // With a reference, so that the slot is that task's until the answer is made.
        let task = self.recorder.task(asked.id).and_then(|slot| slot.retain_as(asked.id));
        let suspended = if asked.where_suspended && task.is_some() && self.no_stacks.is_none() {
            let mut answer = where_suspended(asked.id);
            // What is there by then is told, if not all.
            let _ = timeout(LOOK, async { while answer.changed().await.is_ok() {} }).await;
            answer.borrow().clone()
        } else {
            Suspensions::default()
        };
        let slot = task.as_ref().map(TaskRef::slot);
        Ok(Response::new(TaskDetailsResponse {
            known: slot.is_some(),
            poll_buckets: slot.and_then(TaskSlot::poll_counts).map(Vec::from).unwrap_or_default(),
            suspensions: suspended.stacks.into_iter().map(suspension).collect(),
            suspended_polls: suspended.polls,
            only_waits: suspended.only_waits,
            sched_buckets: slot.and_then(TaskSlot::sched_counts).map(Vec::from).unwrap_or_default(),
        }))
    }
}

/// By which way the app is watched is told once, to whoever attaches, and the layer starts the probe before it is in a
/// subscriber and anything comes to it: so that is waited for, in a program that has just started.
#[cfg(all(feature = "layer", tokio_unstable))]
async fn way_in_is_known(recorder: &Recorder) {
    const START: u64 = 500_000_000;
    let starts = || clock::since_start_ns(clock::ticks()) < START;
    while !recorder.has_drop_in() && !crate::layer::is_told() && starts() {
        ::tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// One subscriber's stream.
pub(crate) struct Updates(Joined);

impl Stream for Updates {
    type Item = Result<EncodedUpdate, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(cx).map(|update| update.map(Ok))
    }
}

fn suspension(frames: Vec<Frame>) -> Suspension {
    let call = |Frame { function, file, line, column, user, body: _ }| Call { function, file, line, column, user };
    Suspension { calls: frames.into_iter().map(call).collect() }
}

fn check_protocol(theirs: u32) -> Result<(), Status> {
    if theirs == PROTOCOL {
        return Ok(());
    }
    Err(Status::failed_precondition(format!(
        "this probe (async-inspect-probe {}) speaks protocol {PROTOCOL}, the inspector asked for {theirs}",
        env!("CARGO_PKG_VERSION")
    )))
}
