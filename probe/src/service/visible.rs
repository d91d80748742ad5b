//! What can be seen in this process, and what not, why, and what to change.
use async_inspect_proto::v1::Blind;

use crate::recorder::Recorder;

/// What is seen, by the names that the wire's `capabilities` lists.
pub(super) fn capabilities(recorder: &Recorder, stacks: bool) -> Vec<String> {
    // Only the drop-in has the handles, and builds the runtimes.
    let drop_in = !by_layer_alone(recorder);
    let all = [
        ("tasks", cfg!(feature = "watch-tasks") || !drop_in),
        ("handles", cfg!(feature = "watch-tasks") && drop_in),
        ("workers", cfg!(feature = "watch-tasks") || !drop_in),
        ("locks", cfg!(feature = "watch-locks") || !drop_in),
        ("holders", cfg!(feature = "watch-tasks") && cfg!(feature = "watch-locks") || !drop_in),
        ("channels", cfg!(feature = "watch-channels") || !drop_in),
        ("oneshots", cfg!(feature = "watch-channels") || !drop_in),
        ("timers", cfg!(feature = "watch-time") || !drop_in),
        ("wakes", cfg!(feature = "watch-tasks") || !drop_in),
        ("panics", cfg!(feature = "watch-tasks") || !drop_in),
        ("runtimes", cfg!(feature = "watch-tasks") && drop_in),
        ("stacks", stacks),
    ];
    all.into_iter().filter(|(_, seen)| *seen).map(|(what, _)| what.to_owned()).collect()
}

/// What is not visible.
pub(super) fn blind(recorder: &Recorder, no_stacks: Option<&str>) -> Vec<Blind> {
    let mut all = if by_layer_alone(recorder) { Vec::new() } else { drop_in(no_stacks.is_none()) };
    #[cfg(all(feature = "layer", tokio_unstable))]
    all.extend(crate::layer::blind(recorder));
    if let Some(why) = no_stacks {
        let remedy = "remove ASYNC_INSPECT_STACKS=off or Builder::stacks(false), or run it on Linux";
        all.push(row("workers", "stacks of blocked polls", why, remedy));
    }
    if !cfg!(target_os = "linux") {
        let why = "this system does not tell how long a thread was ready and had no CPU";
        all.push(row("workers", "time without a CPU", why, "run it on Linux"));
    }
    all
}

/// Whether everything is told by the `tracing` layer.
fn by_layer_alone(recorder: &Recorder) -> bool {
    #[cfg(all(feature = "layer", tokio_unstable))]
    let alone = crate::layer::is_told() && !recorder.has_drop_in();
    #[cfg(not(all(feature = "layer", tokio_unstable)))]
    let alone = {
        let _ = recorder;
        false
    };
    alone
}

/// What the drop-in does not see.
fn drop_in(stacks: bool) -> Vec<Blind> {
    let in_io = if stacks && cfg!(feature = "watch-tasks") {
        "open the task in the dashboard: there it is looked at, and the line where it is suspended is shown"
    } else {
        "none in this version; such tasks show as idle, without a wait"
    };
    let mut all = vec![
        // The runtime's hooks tell of them otherwise.
        #[cfg(not(tokio_unstable))]
        row(
            "tasks",
            "tasks that libraries spawn with a tokio of their own",
            "what such a task waits for and holds of the drop-in's is told, and where it blocks its thread; its polls, its \
             spawning and its end are not",
            UNSTABLE,
        ),
        #[cfg(not(tokio_unstable))]
        row(
            "workers",
            "queues of single workers, tasks that they steal, threads and queue of the blocking pool",
            "tokio does not tell of them in a stable build",
            UNSTABLE,
        ),
        row(
            "tasks",
            "what a task waits for in I/O: sockets, files, processes, signals",
            "the drop-in passes tokio's own types through for these",
            in_io,
        ),
        row(
            "locks",
            "std and parking_lot locks, and what libraries lock with a tokio of their own",
            "only locks of the drop-in are watched; a worker that stands in a blocking lock is told of all the same",
            "in your own code, use tokio::sync for what tasks wait for",
        ),
        row(
            "channels",
            "channels of other crates (std, flume, crossbeam), and of libraries with a tokio of their own",
            "only channels of the drop-in are watched",
            "in your own code, use tokio::sync for what tasks wait for",
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
            all.push(row(about, what, &why, &remedy));
        }
    }
    all
}

#[cfg(not(tokio_unstable))]
const UNSTABLE: &str = "build with RUSTFLAGS=\"--cfg tokio_unstable\"";

fn row(about: &str, what: &str, why: &str, remedy: &str) -> Blind {
    Blind { about: about.to_owned(), what: what.to_owned(), why: why.to_owned(), remedy: remedy.to_owned() }
}
