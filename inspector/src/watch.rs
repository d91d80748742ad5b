//! A target that is watched without a dashboard: its connection, what is known of it, and what the rules say of that.
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::lints::{Engine, Settings, Wonder};
use crate::model::{Batch, Model, Target, TaskDetails, TaskId};
use crate::source::{Connection, SourceError};

/// What is known of a target, and judged after each of its updates.
pub struct Judged {
    /// What is known of it.
    pub model: Model,
    /// What the rules say of that.
    pub engine: Engine,
    wonder: Wonder,
}

impl Judged {
    /// Of a target of which nothing was read yet.
    pub fn new(target: Target, settings: Settings) -> Self {
        Self { model: Model::new(target), engine: Engine::new(settings), wonder: Wonder::default() }
    }

    /// Takes the next update.
    pub fn take(&mut self, batch: Batch) {
        self.model.apply(batch);
        self.engine.evaluate(&self.model);
    }

    /// The task to be asked about next, since a rule doubts it or a finding accuses it.
    pub fn question(&mut self) -> Option<TaskId> {
        self.wonder.next(self.engine.doubted(), self.engine.findings(), &self.model)
    }
}

/// A target that is attached to, and judged.
pub struct Watch {
    connection: Connection,
    /// What is known of it.
    pub judged: Judged,
    /// The answer about a task that was asked about.
    answer: Option<BoxFuture<'static, (TaskId, Option<TaskDetails>)>>,
}

impl Watch {
    /// Of a target of which nothing was read yet.
    pub fn new(connection: Connection, settings: Settings) -> Self {
        let judged = Judged::new(connection.target.clone(), settings);
        Self { connection, judged, answer: None }
    }

    /// Takes the next update, and asks about a task where that would tell more. Nothing is lost when this is dropped.
    ///
    /// # Errors
    ///
    /// When the connection is lost, or what is recorded ends.
    pub async fn step(&mut self) -> Result<(), SourceError> {
        let batch = loop {
            tokio::select! {
                batch = self.connection.next() => break batch?,
                Some((task, details)) = async { Some(self.answer.as_mut()?.await) } => {
                    self.answer = None;
                    if let Some(details) = details {
                        self.judged.model.learn(task, &details);
                    }
                }
            }
        };
        self.judged.take(batch);
        if self.answer.is_none()
            && let Some(task) = self.judged.question()
        {
            let answer = self.connection.task_details(task);
            self.answer = Some(async move { (task, answer.await) }.boxed());
        }
        Ok(())
    }
}
