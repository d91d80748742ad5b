//! What findings leave open, and a look at one task would tell.
use std::collections::HashMap;
use std::time::Duration;

use super::Finding;
use crate::model::{Model, Stamp, TaskId, TaskState};

/// Who is accused of keeping others waiting while it waits for what is not visible itself: a look at such a task tells
/// where it is suspended, and the finding says so from then on. And who seems to be stuck for good: it tells whether there is
/// anything else that it waits for.
#[derive(Debug, Default)]
pub struct Wonder {
    asked: HashMap<TaskId, Asked>,
}

/// How often a task was asked about; when the last time was, and how many polls it had by then.
#[derive(Debug)]
struct Asked {
    times: u32,
    at: Stamp,
    polls: u64,
}

impl Wonder {
    /// The next task to ask about, of those that rules doubt and those that findings accuse. Not every question is answered,
    /// so one is put again as long as it is open.
    pub fn next(&mut self, doubted: &[TaskId], findings: &[Finding], model: &Model) -> Option<TaskId> {
        /// The task goes on from time to time, or cannot be looked at.
        const OFTEN: u32 = 5;
        /// After so long there will be no answer any more.
        const PATIENCE: Duration = Duration::from_secs(5);
        if !model.target.sees("stacks") {
            return None;
        }
        let accused = findings.iter().filter(|finding| finding.active()).filter_map(|finding| finding.culprit);
        let accused = accused.filter(|id| {
            model.tasks.get(id).is_some_and(|task| task.waits.is_empty() && model.suspensions(task).is_empty())
        });
        for id in doubted.iter().copied().chain(accused) {
            let Some(task) = model.tasks.get(&id).filter(|task| task.state == TaskState::Idle) else { continue };
            let times = match self.asked.get(&id) {
                None => 0,
                Some(last) if last.polls != task.polls || model.now.since(last.at) >= PATIENCE => last.times,
                Some(_) => continue,
            };
            if times < OFTEN {
                self.asked.insert(id, Asked { times: times + 1, at: model.now, polls: task.polls });
                return Some(id);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lints::tests::*;

    #[test]
    fn a_question_that_is_not_answered_is_put_again_after_a_while_and_not_for_ever() {
        let mut judged = Judged::new();
        judged.target.model.target.capabilities.push("stacks".into());
        let task = hogged_lock(&mut judged);
        judged.run(ms(1500));
        let mut wonder = Wonder::default();
        let mut asked = Vec::new();
        for second in 0..40 {
            let finding = judged.only("lock-hog").clone();
            asked.extend(wonder.next(&[], &[finding], &judged.target.model).map(|of| (second, of)));
            judged.run(ms(1000));
        }
        assert_eq!(asked, [0, 5, 10, 15, 20].map(|second| (second, task)));
    }
}
