//! What is told of a blocked poll.

/// What was seen of one poll.
#[derive(Debug, Clone)]
pub(crate) struct Stack {
    pub(crate) worker: u64,
    pub(crate) task: u64,
    /// In ticks.
    pub(crate) poll_started: u64,
    pub(crate) at: u64,
    /// Innermost first.
    pub(crate) frames: Vec<Frame>,
    pub(crate) cause: Cause,
    /// Looks at this poll so far, this one included.
    pub(crate) samples: u32,
}

/// A line of the app's own at which something was seen to happen.
#[derive(Debug, Clone)]
pub(crate) struct Sight {
    pub(crate) kind: SightKind,
    /// Id of the site that it is about.
    pub(crate) of: u64,
    /// In ticks.
    pub(crate) at: u64,
    pub(crate) frame: Frame,
    pub(crate) cause: Cause,
}

/// What was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum SightKind {
    /// The sender of a oneshot from the site was dropped without sending.
    Unsent = 1,
    /// A task from the site, which is polled over and over, woke itself.
    SelfWake = 2,
    /// What long polls of tasks from the site were in, at most looks.
    LongPoll = 3,
    /// What a task from the site, or the holder of a lock from there, awaited was given up unfinished.
    GivenUp = 4,
}

impl SightKind {
    /// The kind with that number.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "nothing is seen there"))]
    pub(crate) fn of(number: u8) -> Option<Self> {
        [Self::Unsent, Self::SelfWake, Self::LongPoll, Self::GivenUp].into_iter().find(|kind| *kind as u8 == number)
    }
}

/// A call, innermost first in a stack; a call that was inlined is a frame of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    /// As `crate::module::function`; a future's poll goes by its `async fn`.
    pub(crate) function: String,
    /// As the compiler was given it; empty when there is no debug information.
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
    /// Neither the standard library's, nor a dependency's, nor the runtime's.
    pub(crate) user: bool,
    /// The body of an `async fn` or block, or of a closure.
    pub(crate) body: bool,
}

/// Why a poll does not end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Cause {
    Unknown = 0,
    /// `std::thread::sleep` and the like.
    Sleep = 1,
    /// A blocking lock: std's, `parking_lot`'s, a condition variable.
    Lock = 2,
    /// `block_on` inside of the poll.
    BlockOn = 3,
    /// Files.
    File = 4,
    /// A name being resolved.
    Dns = 5,
    /// It computes.
    Cpu = 6,
    /// A blocking socket, channel or join of a thread.
    Wait = 7,
}
