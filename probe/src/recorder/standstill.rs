//! When the whole process stood still: it was stopped (`SIGSTOP`, a debugger), its cgroup frozen (`docker pause`), or the
//! virtual machine got no CPU. A poll that this happens to takes long, and no line of the app is to blame for it.
//!
//! No system tells of it. So while somebody is attached, a thread of the probe's own beats: it sleeps for a moment, and where
//! it comes back late, and did not wait for a CPU meanwhile, nobody ran. It costs about two thousandths of a core's time.
use std::{
    sync::{
        Arc,
        atomic::{
            AtomicBool, AtomicU64, AtomicUsize,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
    thread,
    time::Duration,
};

use super::{clock, cpu_wait, own_thread};

/// Between two beats. What is shorter is not noticed, unless it falls on one.
const BEAT: Duration = Duration::from_millis(20);
/// A beat that is later than this, in nanoseconds: a thread is woken within some hundredths of that.
const LATE_NS: u64 = 8_000_000;
/// Beats between two looks at how long the thread has waited for a CPU, which cost more than all the rest. What it waits between
/// is taken for a wait of the next beat that is late: less is noticed then, and nothing that is not so.
const LOOK_EVERY: u64 = 10;
/// The last so many are known: a poll that ends now was in few of them.
const KEPT: usize = 16;

/// From the beat before the process stood still until it ran again, in ticks.
struct Stood {
    from: AtomicU64,
    until: AtomicU64,
}

struct Beats {
    /// When the last one was, in ticks; 0 while there are none.
    last: AtomicU64,
    stood: [Stood; KEPT],
    /// How many there were.
    count: AtomicUsize,
    /// CPU time of the threads that beat so far, in nanoseconds.
    cpu_ns: AtomicU64,
}

static BEATS: Beats = Beats::new();

/// A thread that beats for as long as this lives.
pub(crate) struct Beating {
    ended: Arc<AtomicBool>,
    thread: thread::Thread,
}

impl Drop for Beating {
    fn drop(&mut self) {
        self.ended.store(true, Release);
        self.thread.unpark();
    }
}

/// Begins to beat; `None` where the system gives no thread, or does not tell whether one waits for a CPU: then nothing is known,
/// since on a full machine a beat is late too.
pub(crate) fn beat() -> Option<Beating> {
    if cpu_wait::of_this_thread().ran == 0 {
        return None;
    }
    let ended = Arc::new(AtomicBool::new(false));
    let until = Arc::clone(&ended);
    let thread = thread::Builder::new().name("async-inspect-beat".to_owned()).spawn(move || {
        own_thread::begin();
        let (mut waited, before) = (cpu_waited(), cpu_ns());
        for beat in 0_u64.. {
            if until.load(Acquire) {
                break;
            }
            let is_late = BEATS.one(waited);
            if is_late || beat % LOOK_EVERY == 0 {
                waited = cpu_waited();
                BEATS.cpu_ns.store(before + clock::thread_cpu_ns(), Relaxed);
            }
        }
        BEATS.last.store(0, Relaxed);
    });
    thread.ok().map(|thread| Beating { ended, thread: thread.thread().clone() })
}

/// For how much of the time between the two, in ticks, the process may have stood still. Where the next beat is due and has
/// not come, it is not known yet: then it may have, ever since the last.
pub(crate) fn within(from: u64, until: u64) -> u64 {
    BEATS.within(from, until)
}

/// CPU time that all beats took so far, in nanoseconds.
pub(crate) fn cpu_ns() -> u64 {
    BEATS.cpu_ns.load(Relaxed)
}

impl Beats {
    const fn new() -> Self {
        Self {
            last: AtomicU64::new(0),
            stood: [const { Stood { from: AtomicU64::new(0), until: AtomicU64::new(0) } }; KEPT],
            count: AtomicUsize::new(0),
            cpu_ns: AtomicU64::new(0),
        }
    }

    /// One beat, of a thread that had waited for a CPU for so long before, in ticks. Whether it came late.
    fn one(&self, before: u64) -> bool {
        let began = clock::ticks();
        self.last.store(began, Relaxed);
        thread::park_timeout(BEAT);
        let now = clock::ticks();
        let is_late = now > due(began);
        if is_late {
            self.came(began, now, cpu_waited().saturating_sub(before));
        }
        is_late
    }

    /// The beat after that of `began` came late, and had waited for a CPU for some of that time. It did so at its end: who is
    /// stopped is not ready to run.
    fn came(&self, began: u64, now: u64, waited: u64) {
        let runs_since = now.saturating_sub(waited);
        if runs_since > due(began) {
            let stood = &self.stood[self.count.fetch_add(1, Relaxed) % KEPT];
            stood.until.store(0, Relaxed);
            stood.from.store(began, Release);
            stood.until.store(runs_since, Release);
        }
    }

    fn within(&self, from: u64, until: u64) -> u64 {
        let of = |began: u64, ended: u64| ended.min(until).saturating_sub(began.max(from));
        let last = self.last.load(Relaxed);
        let going_on = if last != 0 && until > due(last) { of(last, until) } else { 0 };
        let over = self.stood.iter().map(|stood| {
            let ended = stood.until.load(Acquire);
            of(stood.from.load(Acquire), ended)
        });
        over.fold(going_on, u64::saturating_add).min(until.saturating_sub(from))
    }
}

/// For how long this thread has waited for a CPU so far, in ticks.
fn cpu_waited() -> u64 {
    clock::ticks_in_ns(cpu_wait::of_this_thread().waited)
}

/// Until when the beat after that of then has to come, in ticks.
fn due(began: u64) -> u64 {
    began + clock::ticks_in_ns(BEAT.as_nanos() as u64 + LATE_NS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beats() -> Beats {
        clock::start();
        Beats::new()
    }

    fn ms(ms: u64) -> u64 {
        clock::ticks_in_ns(ms * 1_000_000)
    }

    #[test]
    fn where_a_beat_is_late_the_process_may_have_stood_still_since_the_one_before() {
        let beats = beats();
        beats.came(ms(1000), ms(1300), 0);
        assert_eq!(beats.within(ms(1010), ms(1301)), ms(1300) - ms(1010));
        assert_eq!(beats.within(ms(900), ms(1100)), ms(1100) - ms(1000));
        assert_eq!(beats.within(ms(1300), ms(1400)), 0);
        assert_eq!(beats.within(ms(100), ms(1000)), 0);
    }

    #[test]
    fn a_beat_that_waited_for_a_cpu_was_not_stopped() {
        let beats = beats();
        beats.came(ms(1000), ms(1300), ms(280));
        assert_eq!(beats.within(ms(1000), ms(1300)), 0);
        beats.came(ms(2000), ms(2300), ms(100));
        assert_eq!(beats.within(ms(2000), ms(2300)), ms(2300) - ms(100) - ms(2000));
    }

    #[test]
    fn a_beat_that_is_due_and_has_not_come_may_be_one() {
        let beats = beats();
        assert_eq!(beats.within(ms(900), ms(2000)), 0, "nobody beats");
        beats.last.store(ms(1000), Relaxed);
        assert_eq!(beats.within(ms(900), ms(1025)), 0, "it may come yet");
        assert_eq!(beats.within(ms(900), ms(1200)), ms(1200) - ms(1000));
        assert_eq!(beats.within(ms(1100), ms(1200)), ms(1200) - ms(1100));
    }

    #[test]
    fn the_last_ones_are_known_and_never_more_than_all_of_it() {
        let beats = beats();
        for n in 1..=2 * KEPT as u64 {
            beats.came(ms(1000 * n), ms(1000 * n + 100), 0);
        }
        let all = beats.within(0, ms(1_000_000));
        assert!(all.abs_diff(ms(100) * KEPT as u64) < ms(1), "{all}");
        beats.came(ms(1), ms(1000), 0);
        beats.came(ms(1), ms(1000), 0);
        assert_eq!(beats.within(ms(100), ms(1000)), ms(1000) - ms(100));
    }
}
