//! The connection to the target, as the first line tells it.
use std::time::Duration;

use crate::source::SourceError;

/// Times are on the dashboard's own clock: time since it started.
#[derive(Debug, Clone)]
pub(crate) enum Link {
    /// Nothing has been heard yet.
    Connecting { attempt: u32 },
    /// Data comes.
    Live {
        /// When the newest came.
        data_at: Duration,
    },
    /// No connection; the source tries again by itself.
    Lost {
        error: SourceError,
        /// When the newest data came, if any ever did.
        data_at: Option<Duration>,
        retry_at: Duration,
        attempts: u32,
    },
    /// A recording is over, or cannot be read any further.
    Ended {
        error: SourceError,
        /// When the newest data came, if any ever did.
        data_at: Option<Duration>,
    },
}

impl Default for Link {
    fn default() -> Self {
        Self::Connecting { attempt: 1 }
    }
}

impl Link {
    pub(crate) fn live(&self) -> bool {
        matches!(self, Self::Live { .. })
    }

    /// When the newest data came.
    pub(crate) fn data_at(&self) -> Option<Duration> {
        match self {
            Self::Connecting { .. } => None,
            Self::Live { data_at } => Some(*data_at),
            Self::Lost { data_at, .. } | Self::Ended { data_at, .. } => *data_at,
        }
    }
}
