//! The blocked line: the stack of a thread whose poll does not end, taken while it is blocked.
//!
//! | file | what |
//! |---|---|
//! | [`watchdog`] | which polls are looked at, and when |
//! | [`unwatched`] | threads in a poll that nobody watches |
//! | [`budget`] | the mark by which such a poll is known again |
//! | [`signal`] | interrupts the thread and copies its registers and the used part of its stack; nothing more |
//! | [`raw`] | the copy itself, of memory that may be anything |
//! | [`modules`] | which files the process' code came from, read without the dynamic linker's lock |
//! | [`looking`] | a poll that shows where its task is suspended, on the thread that makes it |
//! | [`suspended`] | which tasks are looked at in that way, one by one, when somebody asks |
//! | [`moments`] | what happens at a moment, and tells no line: the stack of the thread that does it |
//! | [`spinning`] | tasks that wake themselves over and over |
//! | [`long_polls`] | what polls that last for some hundredths of a second are in |
//! | [`copied`] | a thread copies its own stack |
//! | [`namer`] | unwinds and names stacks, on a thread of its own |
//! | [`unwind`] | from registers and a copied stack to addresses |
//! | [`symbols`] | from addresses to functions, files and lines; which of them are the user's |
//! | [`cause`] | what the thread is doing, told by its frames |
//! | [`elsewhere`] | systems and processors where none of this can be done: no stacks, and the reason |
//!
//! The handler copies memory, and marks the poll's budget, and that is all: it cannot meet a lock or an allocator that the
//! interrupted thread holds. Unwinding and symbols come after, on another thread of the probe's.

mod stack;

pub(crate) use stack::{Cause, Frame, Sight, SightKind, Stack};

// Adding a system means adding it here, and nowhere else.
cfg_select! {
    all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")) => {
        mod budget;
        mod cause;
        mod copied;
        mod long_polls;
        mod looking;
        mod modules;
        mod moments;
        mod namer;
        mod raw;
        #[cfg(test)]
        mod sight_tests;
        mod signal;
        mod spinning;
        mod suspended;
        mod symbols;
        #[cfg(test)]
        mod stress;
        #[cfg(test)]
        mod tests;
        mod unwatched;
        mod unwind;
        mod watchdog;

        pub(crate) use looking::Looking;
        pub(crate) use moments::seen;
        pub(crate) use signal::this_thread;
        pub(crate) use suspended::{Suspensions, where_suspended};
        pub(crate) use watchdog::Watchdog;
    }
    _ => {
        mod elsewhere;

        pub(crate) use elsewhere::{Looking, Suspensions, Watchdog, seen, this_thread, where_suspended};
    }
}
