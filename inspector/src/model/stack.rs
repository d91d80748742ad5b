//! Where a poll that does not end stands.
use super::{Model, SiteId, Stamp, Task, TaskId, WorkerId};
use crate::text;

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
    /// When it was told, which is later by what naming it took; `Model::apply` knows.
    pub told: Stamp,
    /// What most looks at this poll say.
    pub cause: StackCause,
    /// Looks at this poll so far, this one included.
    pub samples: u32,
    /// Innermost first, down to the task's own poll.
    pub frames: Vec<Frame>,
    /// Who was in a poll, or in a job of the blocking pool, before this poll began, and still was when the stack came: whoever
    /// has what it waits for is one of these, or in no poll, or in none that is watched.
    pub beside: Vec<Beside>,
}

/// One that ran all through a poll of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beside {
    /// The task.
    pub task: TaskId,
    /// Where it was spawned.
    pub spawned: SiteId,
}

impl Stack {
    /// The innermost line of the app's own code.
    pub fn user_frame(&self) -> Option<&Frame> {
        self.frames.iter().find(|frame| frame.user)
    }
}

impl Model {
    /// What the app itself is known to do in a task that a dependency spawned, so that the spawn line says little: the
    /// function of its own in which it last blocked, else the line of its own at which it waits.
    pub fn doing(&self, task: &Task) -> Option<String> {
        let site = self.sites.get(&task.site)?;
        if !site.name.is_empty() || !text::is_foreign(&site.location) {
            return None;
        }
        let stack = self.stacks.iter().rfind(|stack| stack.task == task.id).and_then(Stack::user_frame);
        stack.map(Frame::name).or_else(|| {
            let lines = task.waits.iter().filter_map(|wait| self.sites.get(&wait.site));
            let own = lines.map(|site| site.location.as_str()).find(|l| !l.is_empty() && !text::is_foreign(l))?;
            Some(text::place_name(own))
        })
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

impl Frame {
    /// What it goes by: its function, or its line where the debug information does not name that.
    pub fn name(&self) -> String {
        if self.is_named() { text::short_type(&self.function) } else { text::place_name(&self.location) }
    }

    /// Whether the function has a name; an `async` block in a program with line tables alone has none.
    pub fn is_named(&self) -> bool {
        !self.function.is_empty() && !self.function.starts_with('(')
    }
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
