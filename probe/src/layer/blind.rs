//! What is not visible by this way, and why.
use std::sync::atomic::Ordering::Relaxed;

use async_inspect_proto::v1::Blind;
use tracing::level_filters::{LevelFilter, STATIC_MAX_LEVEL};

use super::callsites;
use crate::recorder::Recorder;

/// Whether anything is told by the layer.
pub(crate) fn is_told() -> bool {
    callsites::installed() && callsites::SEEN.load(Relaxed)
}

/// Where the app is watched by the layer, or was to be.
pub(crate) fn blind(recorder: &Recorder) -> Vec<Blind> {
    if !callsites::made() {
        return Vec::new();
    }
    if STATIC_MAX_LEVEL < LevelFilter::TRACE {
        return vec![row(
            "target",
            "everything that the tracing layer is for",
            "the crate `tracing` was built without the level TRACE, at which tokio tells of itself",
            "remove the features max_level_… and release_max_level_… of `tracing`",
        )];
    }
    if !callsites::installed() {
        return vec![row(
            "target",
            "everything that the tracing layer is for",
            "async_inspect_probe::layer() was made, and is in no subscriber",
            "tracing_subscriber::registry().with(async_inspect_probe::layer()).init(), before the runtime is built",
        )];
    }
    if !callsites::SEEN.load(Relaxed) {
        return vec![row(
            "target",
            "everything that the tracing layer is for",
            "nothing has come yet: a filter for the whole subscriber, such as an EnvFilter that is a layer of its own, \
             holds tokio's spans back",
            "give the filter to the layer that it is for: fmt::layer().with_filter(filter)",
        )];
    }
    if recorder.has_drop_in() {
        return vec![row(
            "locks",
            "locks and channels that libraries make with a tokio of their own",
            "the drop-in is in use and tells of what goes through it; of the layer, only tasks and their wakes are taken",
            "none in this version",
        )];
    }
    vec![
        row("channels", "unbounded mpsc, broadcast and watch", "tokio's tracing does not tell of them", DROP_IN),
        row(
            "locks",
            "Notify, OnceCell and SetOnce, tokio-util's CancellationToken and TaskTracker",
            "tokio's tracing does not tell of them",
            DROP_IN,
        ),
        row(
            "tasks",
            "what becomes of JoinHandles and results, who awaits them, and whether a task ended or was aborted",
            "tokio's tracing does not tell of them; a task that is gone is shown as done",
            DROP_IN,
        ),
        row(
            "locks",
            "the lines that acquire, await, send and receive, and so whether a task waits for a lock that it holds itself",
            "tokio's tracing tells where tasks are spawned and where locks and oneshots are made, and no other line",
            DROP_IN,
        ),
        row(
            "channels",
            "who receives from a bounded mpsc, where it was made, what try_send puts in, and one made outside of any task",
            "tokio's tracing tells of its room only: it goes by the task that made it, sent and received are inferred",
            DROP_IN,
        ),
        row(
            "locks",
            "who holds the permits of a semaphore, and what try_acquire takes",
            "tokio's tracing tells how many are taken, and not by whom",
            DROP_IN,
        ),
        row(
            "locks",
            "locks that are made by const_new, or before the layer was in its subscriber",
            "tokio's tracing does not tell of the first, and the second are told of when they are made",
            "make them by new, after the subscriber is set",
        ),
        row(
            "tasks",
            "how many wakers of a task are left",
            "events of their clones and drops are refused: they would cost more than all the rest",
            DROP_IN,
        ),
        row(
            "tasks",
            "what a task waits for in I/O, in Notify and in channels of other crates (std, flume, crossbeam)",
            "tokio's tracing does not tell of them",
            "none in this version; such tasks show as idle, without a wait",
        ),
        row(
            "locks",
            "std and parking_lot locks",
            "nothing tells of them; a worker that stands in a blocking lock is told of all the same",
            "in your own code, use tokio::sync for what tasks wait for",
        ),
        row(
            "workers",
            "queues and workers of a runtime none of whose threads has polled a task since the probe was started",
            "tokio's tracing does not tell of runtimes: they are met where they work",
            "none is needed once it has something to do",
        ),
    ]
}

const DROP_IN: &str = "use the drop-in: tokio = { package = \"async-inspect-tokio\", … } in Cargo.toml";

fn row(about: &str, what: &str, why: &str, remedy: &str) -> Blind {
    Blind { about: about.to_owned(), what: what.to_owned(), why: why.to_owned(), remedy: remedy.to_owned() }
}
