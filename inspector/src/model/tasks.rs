//! The tasks of a target, as many as a million: found by id, walked page by page, and shared page by page with copies of
//! the model, so that a view can be frozen without copying what it shows.
use std::collections::HashMap;
use std::ops::Index;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::{Task, TaskId};

/// Tasks in one page: a task that changes while a copy of the model is kept has its page copied, once.
const PAGE: usize = 16;

type Page = [Option<Task>; PAGE];

/// Tasks by id. A clone shares all pages and costs no more than a few of them.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    /// Where each is. Ids are the target's to choose: the hash has a seed that it cannot know.
    places: Arc<HashMap<TaskId, u32, RandomState>>,
    pages: Vec<Arc<Page>>,
    /// Places without a task.
    free: Vec<u32>,
}

impl Tasks {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Whether there is one of that id.
    pub fn contains_key(&self, id: &TaskId) -> bool {
        self.places.contains_key(id)
    }

    /// The task of that id.
    pub fn get(&self, id: &TaskId) -> Option<&Task> {
        let place = *self.places.get(id)? as usize;
        self.pages.get(place / PAGE)?[place % PAGE].as_ref()
    }

    /// The same, to change it. Its id stays.
    pub fn get_mut(&mut self, id: &TaskId) -> Option<&mut Task> {
        let place = *self.places.get(id)? as usize;
        Arc::make_mut(self.pages.get_mut(place / PAGE)?)[place % PAGE].as_mut()
    }

    /// Adds a task; one of the same id makes room for it and is returned.
    pub fn insert(&mut self, task: Task) -> Option<Task> {
        if let Some(known) = self.get_mut(&task.id) {
            return Some(std::mem::replace(known, task));
        }
        if self.free.is_empty() {
            let first = (self.pages.len() * PAGE) as u32;
            self.pages.push(Arc::new(std::array::from_fn(|_| None)));
            self.free.extend((first..first + PAGE as u32).rev());
        }
        let place = self.free.pop()?;
        Arc::make_mut(&mut self.places).insert(task.id, place);
        let place = place as usize;
        Arc::make_mut(&mut self.pages[place / PAGE])[place % PAGE] = Some(task);
        None
    }

    /// Takes the task of that id out.
    pub fn remove(&mut self, id: &TaskId) -> Option<Task> {
        if !self.places.contains_key(id) {
            return None;
        }
        let place = Arc::make_mut(&mut self.places).remove(id)?;
        self.free.push(place);
        let place = place as usize;
        Arc::make_mut(self.pages.get_mut(place / PAGE)?)[place % PAGE].take()
    }

    /// Makes room for so many more.
    pub fn reserve(&mut self, more: usize) {
        Arc::make_mut(&mut self.places).reserve(more);
        self.pages.reserve(more.saturating_sub(self.free.len()).div_ceil(PAGE));
    }

    /// Takes all out.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// All of them, in no order that means anything.
    pub fn values(&self) -> impl Iterator<Item = &Task> {
        self.pages.iter().flat_map(|page| page.iter().flatten())
    }

    /// The same, to change them. Their ids stay.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Task> {
        self.pages.iter_mut().flat_map(|page| Arc::make_mut(page).iter_mut().flatten())
    }

    /// Their ids.
    pub fn keys(&self) -> impl Iterator<Item = TaskId> + '_ {
        self.values().map(|task| task.id)
    }

    /// How many parts [`Tasks::part`] has, for whoever walks all tasks a few at a time.
    pub fn parts(&self) -> usize {
        self.pages.len()
    }

    /// A few of them. A task stays in its part for as long as it lives.
    pub fn part(&self, part: usize) -> impl Iterator<Item = &Task> {
        self.pages.get(part).into_iter().flat_map(|page| page.iter().flatten())
    }
}

impl Index<&TaskId> for Tasks {
    type Output = Task;

    /// # Panics
    /// When there is no such task.
    fn index(&self, id: &TaskId) -> &Task {
        self.get(id).expect("a task of that id")
    }
}

impl FromIterator<Task> for Tasks {
    fn from_iter<I: IntoIterator<Item = Task>>(tasks: I) -> Self {
        let mut all = Self::default();
        for task in tasks {
            all.insert(task);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(id: u64) -> Task {
        Task { id: TaskId(id), polls: id, ..Task::default() }
    }

    #[test]
    fn tasks_come_and_go_and_are_found_by_id() {
        let mut tasks = Tasks::default();
        for id in 1..=100 {
            assert!(tasks.insert(task(id)).is_none());
        }
        for id in 20..=60 {
            assert_eq!(tasks.remove(&TaskId(id)).map(|t| t.polls), Some(id));
        }
        assert!(tasks.remove(&TaskId(20)).is_none() && tasks.get(&TaskId(20)).is_none());
        for id in 200..=230 {
            tasks.insert(task(id));
        }
        assert_eq!(tasks.len(), 100 - 41 + 31);
        assert_eq!(tasks.parts(), 100usize.div_ceil(PAGE), "what is free is used again");
        let mut ids: Vec<u64> = tasks.keys().map(|id| id.0).collect();
        let parts: usize = (0..tasks.parts()).map(|part| tasks.part(part).count()).sum();
        ids.sort_unstable();
        assert_eq!(ids, (1..20).chain(61..=100).chain(200..=230).collect::<Vec<_>>());
        assert_eq!(parts, tasks.len());
        assert_eq!(tasks.insert(Task { polls: 7, ..task(1) }).map(|t| t.polls), Some(1));
        assert_eq!(tasks[&TaskId(1)].polls, 7);
    }

    #[test]
    fn a_copy_keeps_what_it_shows_while_the_original_goes_on() {
        let mut tasks = Tasks::default();
        for id in 1..=1000 {
            tasks.insert(task(id));
        }
        let frozen = tasks.clone();
        tasks.get_mut(&TaskId(5)).unwrap().polls = 0;
        tasks.remove(&TaskId(6));
        tasks.insert(task(2000));
        assert_eq!((frozen[&TaskId(5)].polls, frozen[&TaskId(6)].polls, frozen.len()), (5, 6, 1000));
        assert!(!frozen.contains_key(&TaskId(2000)));
        let shared = frozen.pages.iter().zip(&tasks.pages).filter(|(a, b)| Arc::ptr_eq(a, b)).count();
        assert!(shared >= frozen.pages.len() - 2, "only what changed is copied: {shared}");
    }
}
