//! Where a poll that does not end stands.
use super::{Stamp, TaskId, WorkerId};

/// The stack of a poll, taken while it blocked its thread.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stack {
    /// The thread.
    pub worker: WorkerId,
    /// The task.
    pub task: TaskId,
    /// When the poll began: tells which poll it was.
    pub poll_started: Stamp,
    /// When the stack was taken.
    pub at: Stamp,
    /// What most looks at this poll say.
    pub cause: StackCause,
    /// Looks at this poll so far, this one included.
    pub samples: u32,
    /// Innermost first, down to the task's own poll.
    pub frames: Vec<Frame>,
}

impl Stack {
    /// The innermost line of the app's own code.
    pub fn user_frame(&self) -> Option<&Frame> {
        self.frames.iter().find(|frame| frame.user)
    }
}

/// One call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frame {
    /// `crate::module::function`; a future goes by its `async fn`.
    pub function: String,
    /// `path:line:column`; empty without debug information.
    pub location: String,
    /// The app's own: neither the standard library's, nor a dependency's, nor the runtime's.
    pub user: bool,
}

/// What a blocked poll does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum StackCause {
    /// Not known.
    #[default]
    Unknown,
    /// `thread::sleep`
    Sleep,
    /// A blocking lock: std's or `parking_lot`'s.
    Lock,
    /// `block_on` inside of the poll.
    BlockOn,
    /// Reads or writes a file.
    File,
    /// Looks up a name.
    Dns,
    /// Computes.
    Cpu,
    /// A blocking socket, channel, or join of a thread.
    Wait,
}
