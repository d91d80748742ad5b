//! What is wrong with a config file.
use std::io;
use std::path::{Path, PathBuf};

use crate::app::KeyError;

/// What is wrong in a text, and in which line of it, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub(crate) line: usize,
    pub(crate) what: String,
}

/// Why a config file was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("{}: {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// It says something that is not understood.
    #[error("{}:{line}: {what}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong there.
        what: String,
    },
    /// It binds keys as they cannot be bound.
    #[error("{}: [keys]: {what}", path.display())]
    Keys {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}

impl ConfigError {
    pub(super) fn file(path: &Path, error: &io::Error) -> Self {
        Self::File { path: path.to_owned(), why: error.to_string() }
    }

    pub(super) fn content(path: &Path, problem: Problem) -> Self {
        Self::Content { path: path.to_owned(), line: problem.line, what: problem.what }
    }

    pub(super) fn keys(path: &Path, error: &KeyError) -> Self {
        Self::Keys { path: path.to_owned(), what: error.to_string() }
    }
}
