//! What can be seen in this process, and what not, why, and what to change.
use async_inspect_proto::v1::Blind;

use crate::recorder::{Recorder, runtimes};

/// The groups of types that the drop-in wraps in this build.
#[allow(clippy::struct_excessive_bools)] // They are independent features.
#[derive(Debug, Clone, Copy)]
struct Wrapped {
    tasks: bool,
    locks: bool,
    channels: bool,
    time: bool,
}

const WRAPPED: Wrapped = Wrapped {
    tasks: cfg!(feature = "watch-tasks"),
    locks: cfg!(feature = "watch-locks"),
    channels: cfg!(feature = "watch-channels"),
    time: cfg!(feature = "watch-time"),
};

/// What is seen, by the names that the wire's `capabilities` lists.
pub(super) fn capabilities(recorder: &Recorder, stacks: bool) -> Vec<String> {
    seen(WRAPPED, !by_layer_alone(recorder), stacks)
}

/// The same; `drop_in` where not everything is told by the layer: only the drop-in has the handles.
fn seen(wrapped: Wrapped, drop_in: bool, stacks: bool) -> Vec<String> {
    let all = [
        ("tasks", wrapped.tasks || !drop_in),
        ("handles", wrapped.tasks && drop_in),
        ("workers", wrapped.tasks || !drop_in),
        ("locks", wrapped.locks || !drop_in),
        ("holders", wrapped.tasks && wrapped.locks || !drop_in),
        ("channels", wrapped.channels || !drop_in),
        ("oneshots", wrapped.channels || !drop_in),
        ("timers", wrapped.time || !drop_in),
        ("wakes", wrapped.tasks || !drop_in),
        ("panics", wrapped.tasks || !drop_in),
        ("runtimes", wrapped.tasks || !drop_in),
        ("stacks", stacks),
    ];
    all.into_iter().filter(|(_, seen)| *seen).map(|(what, _)| what.to_owned()).collect()
}

/// What is not visible.
pub(super) fn blind(recorder: &Recorder, no_stacks: Option<&str>) -> Vec<Blind> {
    let mut all = if by_layer_alone(recorder) { Vec::new() } else { drop_in(WRAPPED, no_stacks.is_none()) };
    #[cfg(all(feature = "layer", tokio_unstable))]
    {
        if crate::layer::is_told() {
            // It meets them at work.
            all.retain(|row| row.what != BUILT_ELSEWHERE);
        }
        all.extend(crate::layer::blind(recorder));
    }
    let shed = runtimes::shed();
    if shed > 0 {
        let what = format!("queues and workers of {shed} runtimes");
        let why = "so many live at once that these were one too many";
        all.push(row("workers", &what, why, "build one runtime, and hand its Handle to who would build another"));
    }
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

const BUILT_ELSEWHERE: &str = "queues and workers of runtimes that libraries build";

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
fn drop_in(wrapped: Wrapped, stacks: bool) -> Vec<Blind> {
    let in_io = if stacks && wrapped.tasks {
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
            "what a task waits for in I/O (sockets, files, processes, signals), and in the timers of tokio-util's \
             and tokio-stream's own types",
            "the drop-in passes tokio's own through for these",
            in_io,
        ),
        row(
            "workers",
            BUILT_ELSEWHERE,
            "only the runtimes that the drop-in builds are asked for their figures",
            "hand such a library a Handle of your runtime, if it takes one",
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
        row(
            "channels",
            "channels that were made before the probe was started",
            "nothing is kept while it is dormant",
            "set ASYNC_INSPECT in the environment, or call Builder::start at the top of main",
        ),
    ];
    for (feature, about, what, is_on) in [
        ("watch-tasks", "tasks", "tasks, and who holds and waits", wrapped.tasks),
        ("watch-locks", "locks", "locks", wrapped.locks),
        ("watch-channels", "channels", "channels", wrapped.channels),
        ("watch-time", "tasks", "timers", wrapped.time),
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

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Wrapped = Wrapped { tasks: true, locks: true, channels: true, time: true };

    #[test]
    fn a_stable_build_says_what_the_flag_would_show_and_one_with_the_flag_does_not() {
        let all = drop_in(ALL, true);
        let by_flag: Vec<&str> = all
            .iter()
            .filter(|row| row.remedy.contains("--cfg tokio_unstable"))
            .map(|row| row.about.as_str())
            .collect();
        let expected: &[&str] = if cfg!(tokio_unstable) { &[] } else { &["tasks", "workers"] };
        assert_eq!(by_flag, expected, "{all:#?}");
    }

    #[test]
    fn every_kind_of_thing_has_its_reasons_and_each_reason_its_remedy() {
        let all = drop_in(ALL, true);
        for about in ["tasks", "locks", "channels", "workers"] {
            assert!(all.iter().any(|row| row.about == about), "{about}: {all:#?}");
        }
        assert!(
            all.iter().all(|row| !row.what.is_empty() && !row.why.is_empty() && !row.remedy.is_empty()),
            "{all:#?}"
        );
        let in_io =
            |stacks| drop_in(ALL, stacks).into_iter().find(|row| row.what.contains("I/O")).map(|row| row.remedy);
        assert!(in_io(true).is_some_and(|remedy| remedy.contains("open the task")));
        assert!(in_io(false).is_some_and(|remedy| remedy.contains("none in this version")));
    }

    #[test]
    fn a_group_that_is_not_wrapped_is_not_seen_and_its_feature_is_named() {
        let cases = [
            ("watch-tasks", Wrapped { tasks: false, ..ALL }, ["tasks", "handles", "workers", "runtimes"].as_slice()),
            ("watch-locks", Wrapped { locks: false, ..ALL }, &["locks", "holders"]),
            ("watch-channels", Wrapped { channels: false, ..ALL }, &["channels", "oneshots"]),
            ("watch-time", Wrapped { time: false, ..ALL }, &["timers"]),
        ];
        let (seen_of_all, rows_of_all) = (seen(ALL, true, true), drop_in(ALL, true));
        for (feature, wrapped, gone) in cases {
            let (sees, rows) = (seen(wrapped, true, true), drop_in(wrapped, true));
            for name in gone {
                assert!(seen_of_all.iter().any(|seen| seen == name) && !sees.iter().any(|seen| seen == name), "{name}");
            }
            assert!(rows.iter().any(|row| row.remedy.contains(feature)), "{rows:#?}");
            assert!(!rows_of_all.iter().any(|row| row.remedy.contains(feature)), "{rows_of_all:#?}");
        }
    }
}
