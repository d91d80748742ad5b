//! Tasks that can never go on, and the circles that they are in or wait for.
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use super::wait_graph::{Edge, Way, looked, ways};
use crate::model::{Model, TaskId};

/// Tasks that are looked at from one start; who waits for what is farther away is not said to be stuck.
const REACH: usize = 4096;

/// Which tasks of one state of a model can never go on. Each task is looked at once, from wherever it is reached and
/// whichever rule asks, so that a target that makes up a long chain of waits takes no more than its length.
#[derive(Default)]
pub(super) struct Knots {
    /// By task: whether it can never go on.
    known: RefCell<HashMap<TaskId, bool>>,
    /// Those that would be stuck if they waited for nothing but what is told, which nobody has looked at.
    doubted: RefCell<Vec<TaskId>>,
}

impl Knots {
    /// Whether `task` can never go on: everything it waits for can be ended only by tasks of which the same holds.
    pub(super) fn is_stuck(&self, model: &Model, task: TaskId) -> bool {
        let known = &mut *self.known.borrow_mut();
        if !known.contains_key(&task) {
            look_from(model, known, task);
        }
        known.get(&task).copied().unwrap_or(false)
    }

    /// Whether each task of a circle was seen to wait for nothing else. Those that nobody has looked at are kept, to be.
    pub(super) fn is_proven(&self, model: &Model, circle: &[Edge]) -> bool {
        let unknown = circle.iter().filter(|edge| model.only_waits(edge.task).is_none()).map(|edge| edge.task.id);
        let doubted = &mut *self.doubted.borrow_mut();
        let before = doubted.len();
        doubted.extend(unknown);
        doubted.len() == before
    }

    /// Who has to be looked at.
    pub(super) fn into_doubted(self) -> Vec<TaskId> {
        self.doubted.into_inner()
    }

    /// The circles that those of `starts` which are stuck are in or wait for, each once. Each begins with the task of the
    /// lowest id.
    pub(super) fn circles<'a>(&self, model: &'a Model, starts: impl Iterator<Item = TaskId>) -> Vec<Vec<Edge<'a>>> {
        let mut circles = Vec::new();
        // From all starts, one after the other, and where in it each task is.
        let mut way: Vec<Edge<'a>> = Vec::new();
        let mut walked = HashMap::new();
        for start in starts {
            let began = way.len();
            let mut at = start;
            while self.is_stuck(model, at) {
                if let Some(&place) = walked.get(&at) {
                    // What an earlier walk came by leads to a circle that is known.
                    if place >= began {
                        circles.push(from_the_lowest(way[place..].to_vec()));
                    }
                    break;
                }
                let Some(edge) = self.shut_edge(model, at) else { break };
                walked.insert(at, way.len());
                way.push(edge);
                at = edge.next;
            }
        }
        circles
    }

    /// From a task that is stuck, an edge to another one that is.
    fn shut_edge<'a>(&self, model: &'a Model, task: TaskId) -> Option<Edge<'a>> {
        let ways = ways(model, model.tasks.get(&task)?)?;
        let edges = || ways.iter().flat_map(|way| &way.edges).filter(|edge| self.is_stuck(model, edge.next));
        // Where several stand in the way, one that has some of it is not alone to blame.
        let others = || edges().find(|edge| edge.next != task);
        let alone = edges().find(|edge| edge.next == task);
        let several = ways.iter().any(|way| !way.takes_all && way.edges.len() > 1);
        if several { others().or(alone) } else { alone.or_else(others) }.copied()
    }
}

fn from_the_lowest(mut circle: Vec<Edge>) -> Vec<Edge> {
    let lowest = (0..circle.len()).min_by_key(|&n| circle[n].task.id).unwrap_or_default();
    circle.rotate_left(lowest);
    circle
}

/// Learns of `start`, and of all that are reached from it.
fn look_from(model: &Model, known: &mut HashMap<TaskId, bool>, start: TaskId) {
    let mut reached = HashSet::new();
    // Those that can go on.
    let mut free = Vec::new();
    let mut shut = Shut::default();
    let mut left = vec![start];
    while let Some(id) = left.pop() {
        if reached.contains(&id) {
            continue;
        }
        match known.get(&id) {
            Some(true) => continue,
            None if reached.len() < REACH => {}
            // One that can go on, or that is too far away to look at.
            Some(false) | None => {
                free.push(id);
                continue;
            }
        }
        reached.insert(id);
        match model.tasks.get(&id).and_then(|task| ways(model, task)) {
            Some(ways) => {
                left.extend(ways.iter().flat_map(|way| &way.edges).map(|edge| edge.next));
                for way in &ways {
                    shut.add(id, way);
                }
            }
            None => free.push(id),
        }
    }
    // Whoever waits for one that can go on, can go on.
    let mut freed = HashSet::new();
    while let Some(id) = free.pop() {
        if freed.insert(id) {
            shut.open(id, &mut free);
        }
    }
    known.extend(reached.into_iter().map(|id| (id, !freed.contains(&id))));
}

/// Ways that are shut until it shows that somebody in them goes on.
#[derive(Default)]
struct Shut {
    /// Whose each is, and how many of those in it have yet to go on.
    ways: Vec<(TaskId, usize)>,
    /// By task: the ways that it is in.
    of: HashMap<TaskId, Vec<usize>>,
}

impl Shut {
    fn add(&mut self, whose: TaskId, way: &Way) {
        for edge in &way.edges {
            self.of.entry(edge.next).or_default().push(self.ways.len());
        }
        self.ways.push((whose, if way.takes_all { way.edges.len() } else { 1 }));
    }

    /// `task` goes on; whoever goes on by that is put into `free`.
    fn open(&mut self, task: TaskId, free: &mut Vec<TaskId>) {
        for way in self.of.remove(&task).unwrap_or_default() {
            looked();
            let (whose, missing) = &mut self.ways[way];
            *missing = missing.saturating_sub(1);
            if *missing == 0 {
                free.push(*whose);
            }
        }
    }
}
