//! What findings leave open, and a look at one task would tell.
use std::collections::HashMap;

use super::Finding;
use crate::model::{Model, TaskId, TaskState};

/// Who is accused of keeping others waiting while it waits for what is not visible itself: a look at such a task tells
/// where it is suspended, and the finding says so from then on.
#[derive(Debug, Default)]
pub struct Wonder {
    /// How often each task was asked about, and how many polls it had at the last time.
    asked: HashMap<TaskId, (u32, u64)>,
}

impl Wonder {
    /// The next task to ask about.
    pub fn next(&mut self, findings: &[Finding], model: &Model) -> Option<TaskId> {
        /// The task goes on from time to time, or cannot be looked at.
        const OFTEN: u32 = 5;
        if !model.target.sees("stacks") {
            return None;
        }
        let accused = findings.iter().filter(|finding| finding.active()).filter_map(|finding| finding.culprit);
        for id in accused {
            let Some(task) = model.tasks.get(&id).filter(|task| task.state == TaskState::Idle) else { continue };
            if !task.waits.is_empty() || !model.suspensions(task).is_empty() {
                continue;
            }
            let (times, polls) = self.asked.get(&id).copied().unwrap_or_default();
            if times < OFTEN && (times == 0 || polls != task.polls) {
                self.asked.insert(id, (times + 1, task.polls));
                return Some(id);
            }
        }
        None
    }
}
