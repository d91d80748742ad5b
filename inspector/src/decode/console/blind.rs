//! What a stock console-subscriber shows, what it does not, and what to change.
use crate::model::Blind;

/// What can be seen, by the names that a probe uses.
pub(super) const CAPABILITIES: &[&str] = &["tasks", "locks", "channels", "oneshots", "timers", "wakes"];

const DROP_IN: &str = "put async-inspect-tokio in tokio's place in its Cargo.toml, start it with ASYNC_INSPECT=on, and \
                       connect to http://127.0.0.1:6670";

/// What cannot be seen.
pub(super) fn spots() -> Vec<Blind> {
    let blind = |about: &str, what: &str, why: &str, remedy: &str| Blind {
        about: about.to_owned(),
        what: what.to_owned(),
        why: why.to_owned(),
        remedy: remedy.to_owned(),
    };
    vec![
        blind("channels", "unbounded mpsc, broadcast and watch", "tokio's tracing says nothing of them", DROP_IN),
        blind(
            "channels",
            "who receives from a bounded mpsc, where it was made, what try_send puts in, and its size while it is full",
            "of a channel only the semaphore inside is told: it goes by who sends, and its messages are inferred",
            DROP_IN,
        ),
        blind(
            "channels",
            "what a oneshot carries, and the lines that send and await",
            "tokio's tracing tells where it is made, and what becomes of it",
            DROP_IN,
        ),
        blind(
            "locks",
            "who holds a lock for certain, and the lines that acquire",
            "console-subscriber tells who got a lock last, not who lets go of it; locks taken by try_lock, and those of \
             before attach, have no holder",
            DROP_IN,
        ),
        blind(
            "locks",
            "Notify, OnceCell and SetOnce, tokio-util's CancellationToken and TaskTracker",
            "tokio's tracing says nothing of them",
            DROP_IN,
        ),
        blind(
            "tasks",
            "what becomes of a task: dropped handles, lost errors and panics, aborts",
            "tokio's tracing tells only that a task ended",
            DROP_IN,
        ),
        blind(
            "tasks",
            "waits for channels, other tasks, Notify and I/O",
            "tokio's tracing tells of locks, oneshots and timers only; such tasks show as idle, without a wait",
            DROP_IN,
        ),
        blind(
            "tasks",
            "polls one by one",
            "console-subscriber sends sums once a second: of several polls only the newest has a length of its own",
            DROP_IN,
        ),
        blind(
            "workers",
            "threads: how busy each is, what waits for one, block_in_place, time without a CPU",
            "console-subscriber tells of no thread; polls in progress are listed as if each had one of its own",
            DROP_IN,
        ),
        blind(
            "workers",
            "the stack and the line of a blocked poll",
            "only a probe inside of the process can take it",
            DROP_IN,
        ),
        blind(
            "workers",
            "queues of the runtimes and of the blocking pool, steals and parks",
            "console-subscriber asks no runtime for its figures",
            DROP_IN,
        ),
        blind(
            "workers",
            "the program's name and process, and what watching it takes",
            "console-subscriber does not tell them",
            DROP_IN,
        ),
    ]
}
