//! What a stack shows the poll to be doing, and what helps.
use std::borrow::Cow;

use crate::model::StackCause;

/// What the stack shows, in words.
pub(in crate::lints) fn doing(cause: StackCause) -> Option<&'static str> {
    match cause {
        StackCause::Unknown => None,
        StackCause::Sleep => Some("std::thread::sleep"),
        StackCause::Lock => Some("a blocking lock"),
        StackCause::BlockOn => Some("block_on"),
        StackCause::File => Some("a read or write of a file"),
        StackCause::Dns => Some("a name look-up"),
        StackCause::Cpu => Some("computing"),
        StackCause::Wait => Some("a blocking socket, channel or join"),
    }
}

/// What to do about what is done in the function of that name, where it is not the task's own.
pub(super) fn advice(cause: StackCause, function: Option<&str>) -> Cow<'static, str> {
    let advice = match cause {
        StackCause::Sleep => match function {
            Some(name) => {
                return format!(
                    "Make `{name}` async and use tokio::time::sleep(..).await there instead of std::thread::sleep. If it cannot \
                     be async, run it in tokio::task::spawn_blocking."
                )
                .into();
            }
            None => "Use tokio::time::sleep(..).await instead of std::thread::sleep.",
        },
        StackCause::Unknown => {
            "Run blocking calls and long computations in tokio::task::spawn_blocking, and use the async forms of sleep, \
             file and network calls."
        }
        StackCause::Lock => {
            "Whoever holds this blocking lock must keep it only for moments, and never while it waits or computes; where it \
             must be held longer, use tokio::sync::Mutex."
        }
        StackCause::BlockOn => "Await the future instead of calling block_on inside a task.",
        StackCause::File => "Use tokio::fs, or read and write files in tokio::task::spawn_blocking.",
        StackCause::Dns => "Use tokio::net::lookup_host, or connect by name through tokio::net.",
        StackCause::Cpu => "Run the computation in tokio::task::spawn_blocking, and await its result.",
        StackCause::Wait => {
            "Use tokio's socket, channel or JoinHandle and await it, or make the blocking call in \
             tokio::task::spawn_blocking."
        }
    };
    advice.into()
}
