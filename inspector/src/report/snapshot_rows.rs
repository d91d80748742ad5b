//! The rows of the whole state in JSON: what is in them, and what it is called.
//!
//! An id is text, since some readers of JSON have no whole numbers of 64 bits; `null` is what is not known.
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct RuntimeJson<'a> {
    pub(super) id: String,
    pub(super) kind: &'static str,
    pub(super) name: &'a str,
    pub(super) workers: u32,
    pub(super) alive_tasks: u64,
    pub(super) global_queue: u64,
    pub(super) awake_share: f64,
    pub(super) parks_per_s: f64,
    /// What follows is null where the target is built without `--cfg tokio_unstable`.
    pub(super) local_queues: Option<u64>,
    pub(super) steals_per_s: Option<f64>,
    pub(super) blocking_threads: Option<u32>,
    pub(super) blocking_idle: Option<u32>,
    pub(super) blocking_queue: Option<u64>,
}

#[derive(Serialize)]
pub(super) struct WorkerJson<'a> {
    pub(super) id: String,
    pub(super) kind: &'static str,
    pub(super) name: &'a str,
    pub(super) task: Option<String>,
    pub(super) in_poll_ns: Option<u64>,
    pub(super) polls: u64,
    pub(super) busy_ns: u64,
    pub(super) busy_share: f64,
    /// Null where the runtime is not the drop-in's.
    pub(super) parks_per_s: Option<f64>,
    /// Null where the target is built without `--cfg tokio_unstable`, as is the next.
    pub(super) local_queue: Option<u64>,
    pub(super) steals_per_s: Option<f64>,
}

#[derive(Serialize)]
pub(super) struct SiteJson<'a> {
    pub(super) id: String,
    pub(super) kind: &'static str,
    pub(super) location: &'a str,
    pub(super) name: &'a str,
    /// Given by the app to what comes from here.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub(super) names: &'a [String],
    #[serde(flatten)]
    pub(super) spawned: Option<SpawnedJson>,
}

#[derive(Serialize)]
pub(super) struct SpawnedJson {
    pub(super) output: &'static str,
    pub(super) live: u64,
    pub(super) spawned: u64,
    pub(super) finished: u64,
    pub(super) not_shown: u64,
    pub(super) finished_busy_ns: u64,
    pub(super) finished_polls: u64,
    pub(super) max_poll_ns: u64,
    pub(super) slow_polls: u64,
    pub(super) slow_poll_total_ns: u64,
    pub(super) handles_dropped: u64,
    pub(super) errors_lost: u64,
    pub(super) panics: u64,
    pub(super) panics_lost: u64,
    pub(super) aborted: u64,
}

#[allow(clippy::struct_excessive_bools)] // They are independent facts.
#[derive(Serialize)]
pub(super) struct TaskJson<'a> {
    pub(super) id: String,
    pub(super) kind: &'static str,
    pub(super) name: &'a str,
    pub(super) location: &'a str,
    pub(super) parent: Option<String>,
    pub(super) state: String,
    pub(super) state_for_ns: u64,
    pub(super) age_ns: u64,
    pub(super) future_bytes: u32,
    pub(super) polls: u64,
    pub(super) polls_per_s: f64,
    pub(super) busy_ns: u64,
    pub(super) busy_share: f64,
    pub(super) max_poll_ns: u64,
    pub(super) wakes: u64,
    pub(super) self_wakes: u64,
    pub(super) sched_total_ns: u64,
    pub(super) sched_max_ns: u64,
    /// At most that long after their wakes did 99 of 100 polls come; `null` when not known.
    pub(super) sched_p99_ns: Option<u64>,
    pub(super) handle_held: bool,
    pub(super) handle_awaited: bool,
    pub(super) handle_dropped: bool,
    pub(super) aborted: bool,
    /// The lock ids of the `CancellationToken` that it listens to and of the `TaskTracker` that it is a task of.
    pub(super) token: Option<String>,
    pub(super) tracker: Option<String>,
    pub(super) waits: Vec<WaitJson<'a>>,
}

#[derive(Serialize)]
pub(super) struct WaitJson<'a> {
    pub(super) kind: &'static str,
    pub(super) id: String,
    pub(super) location: &'a str,
    pub(super) wait_ns: u64,
}

#[derive(Serialize)]
pub(super) struct HolderJson<'a> {
    pub(super) task: Option<String>,
    pub(super) location: &'a str,
    pub(super) held_ns: u64,
    /// Permits of a semaphore; 1 of anything else.
    pub(super) permits: u64,
    /// Whether nobody else can hold it meanwhile.
    pub(super) exclusive: bool,
}

#[derive(Serialize)]
pub(super) struct LockJson<'a> {
    pub(super) id: String,
    pub(super) kind: &'static str,
    pub(super) name: &'a str,
    pub(super) location: &'a str,
    pub(super) holder_task: Option<String>,
    pub(super) holder_location: &'a str,
    pub(super) held_ns: Option<u64>,
    /// All who hold it, the first few of many; of a token none.
    pub(super) holders: Vec<HolderJson<'a>>,
    /// How many there are, listed or not. Of a token its handles, of a tracker what it tracks.
    pub(super) holder_count: u32,
    pub(super) waiters: u32,
    pub(super) acquires: u64,
    pub(super) contended: u64,
    pub(super) wait_total_ns: u64,
    pub(super) wait_max_ns: u64,
    pub(super) wait_p99_10s_ns: Option<u64>,
    pub(super) hold_total_ns: u64,
    pub(super) hold_max_ns: u64,
    pub(super) hold_max_location: &'a str,
    pub(super) hold_p99_10s_ns: Option<u64>,
    pub(super) suspended_holds: u64,
    /// How long those who wait now have waited so far, together; `wait_total_ns` is of waits that have ended, with the lock
    /// (`contended`) or without it.
    pub(super) waiting_total_ns: u64,
    pub(super) waiting_max_ns: u64,
    pub(super) closed: bool,
    #[serde(flatten)]
    pub(super) permits: Option<PermitsJson>,
    /// Of a token and a tracker only.
    #[serde(flatten)]
    pub(super) scope: Option<ScopeJson<'a>>,
}

/// Of a semaphore only.
#[derive(Serialize)]
pub(super) struct PermitsJson {
    /// Null where it is not known.
    pub(super) permits_total: Option<u64>,
    pub(super) permits_available: u64,
}

#[derive(Serialize)]
pub(super) struct ScopeJson<'a> {
    pub(super) parent: Option<String>,
    pub(super) handles: u32,
    pub(super) tasks: usize,
    pub(super) closed_ago_ns: Option<u64>,
    pub(super) closed_location: &'a str,
}

#[derive(Serialize)]
pub(super) struct ChannelJson<'a> {
    pub(super) id: String,
    pub(super) kind: &'static str,
    pub(super) name: &'a str,
    pub(super) location: &'a str,
    pub(super) depth: u64,
    pub(super) capacity: Option<u64>,
    pub(super) sent: u64,
    pub(super) received: u64,
    pub(super) sent_per_s: f64,
    pub(super) received_per_s: f64,
    pub(super) blocked_senders: u32,
    pub(super) sends_blocked: u64,
    pub(super) send_wait_total_ns: u64,
    pub(super) senders: Option<u32>,
    pub(super) receivers: Option<u32>,
    pub(super) closed: bool,
    pub(super) saturated_ns: Option<u64>,
    pub(super) last_recv_ago_ns: Option<u64>,
    pub(super) receiver_task: Option<String>,
    pub(super) recv_location: &'a str,
    pub(super) last_send_ago_ns: Option<u64>,
    pub(super) sender_task: Option<String>,
    pub(super) send_location: &'a str,
}

#[derive(Serialize)]
pub(super) struct PanicJson<'a> {
    pub(super) task: String,
    pub(super) ago_ns: u64,
    pub(super) spawned_at: &'a str,
    pub(super) location: &'a str,
    pub(super) message: &'a str,
}

#[derive(Serialize)]
pub(super) struct StackJson<'a> {
    pub(super) task: String,
    pub(super) worker: String,
    pub(super) ago_ns: u64,
    pub(super) cause: String,
    pub(super) frames: Vec<FrameJson<'a>>,
}

#[derive(Serialize)]
pub(super) struct FrameJson<'a> {
    pub(super) function: &'a str,
    pub(super) location: &'a str,
    pub(super) user: bool,
}
