//! The gRPC side: who is there, the stream of updates, details on request. All of it on the probe's own thread.

mod listen;

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use async_inspect_proto::{
    PROTOCOL,
    v1::{
        Blind, HelloRequest, HelloResponse, TaskDetailsRequest, TaskDetailsResponse, Update, WatchRequest,
        inspect_server::{Inspect, InspectServer},
    },
};
use futures_util::Stream;
use tonic::{Request, Response, Status};

pub use listen::BindError;
pub(crate) use listen::{Listen, Listener};

use crate::{
    collector::{Collector, Joined, SLOW_POLL, Subscribers, TICK_MS},
    recorder::{Recorder, clock},
};

/// A request is a few numbers and a name.
const MAX_REQUEST_BYTES: usize = 16 * 1024;

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
        Ok(Response::new(HelloResponse {
            protocol: PROTOCOL,
            instance_id: self.identity.instance_id,
            pid: std::process::id(),
            app: self.identity.app.clone(),
            probe_version: env!("CARGO_PKG_VERSION").to_owned(),
            now_ns: clock::since_start_ns(clock::ticks()),
            started_unix_ms: self.identity.started_unix_ms,
            capabilities: self.capabilities(),
            blind: self.blind(),
            slow_poll_ns: SLOW_POLL,
            tick_ms: TICK_MS,
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
        let counts = Collector::poll_counts(self.recorder, request.get_ref().id);
        Ok(Response::new(TaskDetailsResponse { known: counts.is_some(), poll_buckets: counts.unwrap_or_default() }))
    }
}

/// One subscriber's stream.
pub(crate) struct Updates(Joined);

impl Stream for Updates {
    type Item = Result<Update, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(cx).map(|update| update.map(|update| Ok(Arc::unwrap_or_clone(update))))
    }
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

impl Service {
    fn capabilities(&self) -> Vec<String> {
        let all = [
            ("tasks", cfg!(feature = "watch-tasks")),
            ("handles", cfg!(feature = "watch-tasks")),
            ("workers", cfg!(feature = "watch-tasks")),
            ("locks", cfg!(feature = "watch-locks")),
            ("holders", cfg!(feature = "watch-tasks") && cfg!(feature = "watch-locks")),
            ("channels", cfg!(feature = "watch-channels")),
            ("oneshots", cfg!(feature = "watch-channels")),
            ("timers", cfg!(feature = "watch-time")),
            ("wakes", cfg!(feature = "watch-tasks")),
            ("panics", cfg!(feature = "watch-tasks")),
            ("runtimes", cfg!(feature = "watch-tasks")),
            ("stacks", self.no_stacks.is_none()),
        ];
        all.into_iter().filter(|(_, seen)| *seen).map(|(what, _)| what.to_owned()).collect()
    }

    /// What is not visible in this process.
    fn blind(&self) -> Vec<Blind> {
        let blind = |about: &str, what: &str, why: &str, remedy: &str| Blind {
            about: about.to_owned(),
            what: what.to_owned(),
            why: why.to_owned(),
            remedy: remedy.to_owned(),
        };
        let mut all = vec![
            // The runtime's hooks tell of them otherwise.
            #[cfg(not(tokio_unstable))]
            blind(
                "tasks",
                "tasks that libraries spawn with a tokio of their own",
                "what such a task waits for and holds of the drop-in's is told, and where it blocks its thread; its polls, \
                 its spawning and its end are not",
                "build with RUSTFLAGS=\"--cfg tokio_unstable\"",
            ),
            #[cfg(not(tokio_unstable))]
            blind(
                "workers",
                "queues of single workers, tasks that they steal, threads and queue of the blocking pool",
                "tokio does not tell of them in a stable build",
                "build with RUSTFLAGS=\"--cfg tokio_unstable\"",
            ),
            blind(
                "tasks",
                "what a task waits for in I/O: sockets, files, processes, signals",
                "the drop-in passes tokio's own types through for these",
                "none in this version; such tasks show as idle, without a wait",
            ),
            blind(
                "locks",
                "std and parking_lot locks, and what libraries lock with a tokio of their own",
                "only locks of the drop-in are watched; a worker that stands in a blocking lock is told of all the same",
                "use tokio::sync for what tasks wait for",
            ),
            blind(
                "channels",
                "channels of other crates (std, flume, crossbeam), and of libraries with a tokio of their own",
                "only channels of the drop-in are watched",
                "use tokio::sync for what tasks wait for",
            ),
        ];
        for (feature, about, what, is_on) in [
            ("watch-tasks", "tasks", "tasks, and who holds and waits", cfg!(feature = "watch-tasks")),
            ("watch-locks", "locks", "locks", cfg!(feature = "watch-locks")),
            ("watch-channels", "channels", "channels", cfg!(feature = "watch-channels")),
            ("watch-time", "tasks", "timers", cfg!(feature = "watch-time")),
        ] {
            if !is_on {
                let why = format!("the drop-in is built without its feature {feature}: these are tokio's own");
                let remedy =
                    format!("add {feature} to the features of async-inspect-tokio, or remove default-features = false");
                all.push(blind(about, what, &why, &remedy));
            }
        }
        #[cfg(all(feature = "layer", tokio_unstable))]
        all.extend(crate::layer::blind(self.recorder));
        if let Some(why) = &self.no_stacks {
            let remedy = "remove ASYNC_INSPECT_STACKS=off or Builder::stacks(false), or run it on Linux";
            all.push(blind("workers", "stacks of blocked polls", why, remedy));
        }
        if !cfg!(target_os = "linux") {
            let why = "this system does not tell how long a thread was ready and had no CPU";
            all.push(blind("workers", "time without a CPU", why, "run it on Linux"));
        }
        all
    }
}
