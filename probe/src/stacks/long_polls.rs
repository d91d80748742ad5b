//! What polls are in that last for some hundredths of a second: too short for the watchdog's ticks, and known only once
//! they are over. So where a site has had such polls lately, the next ones are looked at while they last.
//!
//! One look tells little: the poll may have been about to end, and a computation is at another line each time. What is told
//! is the line of the innermost `async fn` or block that most looks agree on, which is the one that calls what takes long.
use std::collections::{HashMap, VecDeque};

use super::{Cause, Frame, Sight, SightKind, cause};
use crate::recorder::{
    Recorder, clock,
    task::SLOW_POLL_NS,
    thread::{WorkerKind, WorkerReading},
};

/// A poll that has lasted for so long may become a slow one, in nanoseconds.
const LASTED_NS: u64 = SLOW_POLL_NS / 10 * 7;
/// A site whose last slow poll is older is left alone, in nanoseconds.
const LATELY_NS: u64 = 3_000_000_000;
/// Looks that are kept of a site, and those that it takes to tell a line.
const LOOKS: usize = 8;
const LEAST: usize = 3;
/// Between two looks at a site of which there are that many, in nanoseconds.
const PAUSE_NS: u64 = 2_000_000_000;
/// What a look tells holds for so long, in nanoseconds: later polls may be other ones.
const HOLDS_NS: u64 = 10_000_000_000;

/// By site, what was seen so far.
#[derive(Default)]
pub(super) struct LongPolls {
    sites: HashMap<u32, Looks>,
    /// Of these another look is wanted.
    wanted: Vec<u32>,
    /// By worker, the start of the poll that was looked at last, in ticks.
    looked_at: HashMap<u64, u64>,
}

#[derive(Default)]
struct Looks {
    /// When the last one was begun, in ticks.
    at: u64,
    looks: VecDeque<Look>,
}

/// The app's own frames, outermost first, from the task's own future on.
struct Look {
    /// In ticks.
    at: u64,
    frames: Vec<Frame>,
    cause: Cause,
}

impl LongPolls {
    /// Which sites are worth a look until the next tick.
    pub(super) fn tick(&mut self, recorder: &'static Recorder, now: u64) {
        let since = |at: u64| clock::duration_ns(now.saturating_sub(at));
        self.sites.retain(|_, known| since(known.at) <= HOLDS_NS);
        self.wanted.clear();
        for site in recorder.sites.all() {
            let last = site.last_slow_poll_at.load(std::sync::atomic::Ordering::Relaxed);
            if last == 0 || since(last) > LATELY_NS {
                continue;
            }
            let known = self.sites.get(&site.id);
            if known.is_none_or(|known| known.looks.len() < LOOKS || since(known.at) >= PAUSE_NS) {
                self.wanted.push(site.id);
            }
        }
    }

    /// Whether another look is wanted before the next tick.
    pub(super) fn wants_look(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// Forgets threads that are gone.
    pub(super) fn retain(&mut self, is_there: impl Fn(u64) -> bool) {
        self.looked_at.retain(|&worker, _| is_there(worker));
    }

    /// The site of the task in poll on a thread, if that poll is to be looked at now.
    pub(super) fn is_due(&self, worker: &WorkerReading, now: u64) -> Option<u32> {
        let poll = worker.poll.filter(|_| worker.kind != WorkerKind::Blocking as u8)?;
        let lasts = clock::duration_ns(now.saturating_sub(poll.started)) >= LASTED_NS;
        let is_new = self.looked_at.get(&worker.id) != Some(&poll.started);
        Some(poll.task.site().id).filter(|site| lasts && is_new && self.wanted.contains(site))
    }

    /// The poll that began then is looked at: one of a site is enough until the next tick.
    pub(super) fn looks_at(&mut self, worker: u64, started: u64, site: u32, now: u64) {
        self.looked_at.insert(worker, started);
        self.wanted.retain(|&wanted| wanted != site);
        self.sites.entry(site).or_default().at = now;
    }

    /// A look of then has its names; gives what the looks at the site tell together by now, as of the last that saw it.
    pub(super) fn named(&mut self, site: u32, frames: Vec<Frame>, cause: Cause, at: u64) -> Option<Sight> {
        let Looks { at: last, looks } = self.sites.entry(site).or_default();
        *last = at.max(*last);
        looks.retain(|look| clock::duration_ns(at.saturating_sub(look.at)) <= HOLDS_NS);
        let mut frames: Vec<Frame> = frames.into_iter().filter(|frame| frame.user).rev().collect();
        // A root's poll is within what calls `block_on`.
        let own = frames.iter().position(|frame| frame.body).unwrap_or(0);
        frames.drain(..own);
        if looks.len() == LOOKS {
            looks.pop_front();
        }
        looks.push_back(Look { at, frames, cause });
        let (frame, at) = line(looks)?;
        let frame = frame.clone();
        let causes: Vec<Cause> = looks.iter().map(|look| look.cause).collect();
        Some(Sight { kind: SightKind::LongPoll, of: site.into(), at, frame, cause: cause::agreed(&causes) })
    }
}

/// The innermost line of a future on which two thirds of the looks agree, and on all that leads there; and when the last of
/// them was, in ticks.
fn line(looks: &VecDeque<Look>) -> Option<(&Frame, u64)> {
    if looks.len() < LEAST {
        return None;
    }
    let mut alike: Vec<&Look> = looks.iter().collect();
    let mut found = None;
    for depth in 0.. {
        let at = |look: &&Look| look.frames.get(depth).map(|frame| (frame.file.clone(), frame.line));
        let votes = |look: &&Look| at(look).map_or(0, |place| alike.iter().filter(|l| at(l).as_ref() == Some(&place)).count());
        let Some(best) = alike.iter().copied().max_by_key(votes).filter(|best| votes(best) * 3 >= looks.len() * 2) else {
            break;
        };
        let (place, frame) = (at(&best), best.frames.get(depth)?);
        if depth > 0 && !frame.body || frame.file.is_empty() {
            break;
        }
        alike.retain(|look| at(look) == place);
        found = Some((frame, alike.iter().map(|look| look.at).max()?));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::recorder;

    fn look(lines: &[(&str, u32, bool)]) -> Look {
        let frame = |&(file, line, body): &(&str, u32, bool)| Frame {
            function: String::new(),
            file: file.to_owned(),
            line,
            column: 1,
            user: true,
            body,
        };
        Look { at: 0, frames: lines.iter().map(frame).collect(), cause: Cause::Cpu }
    }

    fn told(looks: impl IntoIterator<Item = Look>) -> Option<u32> {
        line(&looks.into_iter().collect()).map(|(frame, _)| frame.line)
    }

    #[test]
    fn the_line_is_that_of_the_innermost_async_fn_which_calls_what_takes_long() {
        let at = |line| look(&[("main.rs", 9, true), ("report.rs", 20, true), ("render.rs", line, false)]);
        assert_eq!(told([at(1), at(2), at(3)]), Some(20));
        assert_eq!(told([at(1), at(2)]), None);
    }

    #[test]
    fn where_the_looks_do_not_agree_there_is_no_line() {
        let at = |line| look(&[("report.rs", line, true)]);
        assert_eq!(told([at(1), at(2), at(3), at(4)]), None);
        assert_eq!(told([at(1), at(1), at(3)]), Some(1));
        let deeper = |line| look(&[("main.rs", 9, true), ("report.rs", line, true)]);
        assert_eq!(told([deeper(1), deeper(2), deeper(3)]), Some(9));
    }

    #[test]
    fn what_polls_of_an_hour_ago_were_in_says_nothing_of_those_of_now() {
        recorder();
        let second = clock::ticks_in_ns(1_000_000_000);
        let mut polls = LongPolls::default();
        let mut see = |line, at| {
            let Look { frames, cause, .. } = look(&[("report.rs", line, true)]);
            polls.named(1, frames, cause, at * second).map(|sight| (sight.frame.line, sight.at / second))
        };
        let old: Vec<_> = (1..=8).map(|at| see(1, at)).collect();
        assert_eq!(old[7], Some((1, 8)));
        // The line is still that of most, but none of the new ones saw it.
        assert_eq!(see(2, 9), Some((1, 8)));
        let new: Vec<_> = (0..3).map(|n| see(2, 3600 + n)).collect();
        assert_eq!(new, [None, None, Some((2, 3602))]);
    }

    #[test]
    fn one_look_at_a_site_is_enough_until_the_next_tick() {
        let mut polls = LongPolls { wanted: vec![1, 2], ..LongPolls::default() };
        polls.looks_at(7, 1, 1, 1);
        assert_eq!(polls.wanted, [2]);
        polls.looks_at(8, 1, 2, 1);
        assert!(!polls.wants_look());
    }
}
