//! What a stack shows the poll to be doing, and what helps.
use crate::model::StackCause;

/// What the stack shows, in words.
pub(super) fn doing(cause: StackCause) -> Option<&'static str> {
    match cause {
        StackCause::Unknown => None,
        StackCause::Sleep => Some("std::thread::sleep"),
        StackCause::Lock => Some("a blocking lock"),
        StackCause::BlockOn => Some("block_on"),
        StackCause::File => Some("a file"),
        StackCause::Dns => Some("a name look-up"),
        StackCause::Cpu => Some("computing"),
        StackCause::Wait => Some("a blocking socket, channel or join"),
    }
}

pub(super) fn advice(cause: StackCause) -> &'static str {
    match cause {
        StackCause::Unknown => {
            "Run blocking calls and long computations in tokio::task::spawn_blocking, and use the async forms of sleep, \
             file and network calls."
        }
        StackCause::Sleep => "Use tokio::time::sleep(..).await in place of std::thread::sleep.",
        StackCause::Lock => {
            "Hold the blocking lock only for moments and never while waiting for something; where it must be waited for, \
             use tokio::sync::Mutex."
        }
        StackCause::BlockOn => "Await the future in place of calling block_on inside of a task.",
        StackCause::File => "Use tokio::fs, or read and write files in tokio::task::spawn_blocking.",
        StackCause::Dns => "Use tokio::net::lookup_host, or connect by name through tokio::net.",
        StackCause::Cpu => "Run the computation in tokio::task::spawn_blocking (or rayon), and await its result.",
        StackCause::Wait => {
            "Use tokio's socket, channel or JoinHandle and await it, or make the blocking call in \
             tokio::task::spawn_blocking."
        }
    }
}
