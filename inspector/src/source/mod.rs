//! Where data comes from: a probe or a stock console-subscriber over gRPC, or a recording of a probe. Nothing past this
//! module knows of the network.
use std::time::Duration;

use crate::model::{Batch, Target, TaskDetails, TaskId};

mod address;
mod connect;
mod console;
mod error;
mod probe;
mod record;
mod recording;
mod replay;
mod watch;

pub use address::{Address, AddressError};
pub use connect::{Connection, open};
pub use error::SourceError;
pub use record::{Bounds, Output, RecordError, Recorded, record};
pub use recording::{Frame, Reader, RecordingError, Writer};
pub use replay::Pace;
pub use watch::{Request, watch};

/// What a live source tells the dashboard or a report. All data is decoded and cleaned.
#[derive(Debug, Clone)]
pub enum Event {
    /// An attempt to connect begins; the first is number 1, and the count starts again after a success.
    Connecting {
        /// Number of the attempt.
        attempt: u32,
    },
    /// The target answered. `Target::instance` differs from the last one's after a restart of the target: what was
    /// known of it no longer holds.
    Connected(Box<Target>),
    /// The target's state has changed.
    Update(Box<Batch>),
    /// What was asked about one task. `None` when the target does not know it any more.
    TaskDetails {
        /// The task.
        task: TaskId,
        /// The answer.
        details: Option<TaskDetails>,
    },
    /// A recording is over, or cannot be read any further.
    Ended {
        /// Which of the two.
        error: SourceError,
    },
    /// The stream ended or could not be opened; the source reconnects by itself.
    Lost {
        /// Why.
        error: SourceError,
        /// Until the next attempt.
        retry_in: Duration,
    },
}
