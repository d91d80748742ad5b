//! A target that is watched without a dashboard: its connection, what is known of it, and what the rules say of that.
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::lints::{Engine, Settings, Wonder};
use crate::model::{Model, TaskDetails, TaskId};
use crate::source::{Connection, SourceError};

/// A target, judged after each of its updates.
pub struct Watch {
    connection: Connection,
    /// What is known of it.
    pub model: Model,
    /// What the rules say of that.
    pub engine: Engine,
    wonder: Wonder,
    /// The answer about a task that a rule or a finding asks about.
    answer: Option<BoxFuture<'static, (TaskId, Option<TaskDetails>)>>,
}

impl Watch {
    /// Of a target of which nothing was read yet.
    pub fn new(connection: Connection, settings: Settings) -> Self {
        let model = Model::new(connection.target.clone());
        Self { connection, model, engine: Engine::new(settings), wonder: Wonder::default(), answer: None }
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
                        self.model.learn(task, &details);
                    }
                }
            }
        };
        self.model.apply(batch);
        self.engine.evaluate(&self.model);
        if self.answer.is_none()
            && let Some(task) = self.wonder.next(self.engine.doubted(), self.engine.findings(), &self.model)
        {
            let answer = self.connection.task_details(task);
            self.answer = Some(async move { (task, answer.await) }.boxed());
        }
        Ok(())
    }
}
