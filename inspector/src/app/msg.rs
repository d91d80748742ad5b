//! What can happen to the dashboard, and what it asks of its surroundings in return.
use std::time::Duration;

use crossterm::event::{KeyEvent, MouseEvent};

use crate::model::TaskId;
use crate::source;

/// Something that happened.
#[derive(Debug)]
pub enum Msg {
    /// A key was pressed.
    Key(KeyEvent),
    /// The mouse was used.
    Mouse(MouseEvent),
    /// The terminal has this many columns and rows now.
    Resize(u16, u16),
    /// The time since the dashboard started; sent before other messages too, since the core has no clock of its own.
    Tick(Duration),
    /// The source has something to say.
    Source(source::Event),
    /// The state was written to this file, or could not be.
    Exported(Result<String, String>),
}

/// Something that only the loop around the core can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// End: the operator pressed `q`.
    Quit,
    /// End: the operator pressed Ctrl-c.
    Interrupt,
    /// Give the terminal back and stop, as Ctrl-z does elsewhere.
    Suspend,
    /// Do not wait for the next attempt: connect now.
    Reconnect,
    /// Let a replay stand still, or go on.
    Pause(bool),
    /// Ask the target for what it does not stream of this task.
    Details(TaskId),
    /// Write the state to a file.
    Export,
    /// Put this into the operator's clipboard.
    Copy(String),
}
