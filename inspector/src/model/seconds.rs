//! What is done once a second of the target's time: the points of every series, and forgetting what is old.
use std::time::Duration;

use super::{Channel, Histogram, Lock, Model, Oneshots, Series, Site, Stamp};

/// How long stacks are kept.
const RECENT: Duration = Duration::from_mins(1);
/// How far back the histogram windows of a lock look.
const WINDOW: Duration = Duration::from_secs(10);

/// The clock of the series: seconds since the first snapshot was complete.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seconds {
    /// The second that is being filled began here.
    began: Option<Stamp>,
    /// When the last points were taken, which may be a little later.
    taken_at: Stamp,
    /// Counters of the whole at that moment.
    polls: u64,
    wakes: u64,
    contended: u64,
}

/// One taking of points.
#[derive(Clone, Copy)]
struct Taking {
    at: Stamp,
    /// Seconds since the last one that need a point; more than one when updates were late or the link was gone.
    points: u64,
    /// Time since the last one.
    span: Duration,
}

impl Taking {
    /// A counter's rise: an even share of it for each second.
    fn rate(self, series: &mut Series, rise: f64) {
        let per_second = rise / self.span.as_secs_f64();
        for _ in 0..self.points {
            series.push(per_second);
        }
    }

    /// A time of each second, in seconds, from the first on that is not zero: a hundred thousand locks need no lines of
    /// nothing.
    fn begin_with_something(self, series: &mut Series, time: Duration) {
        if !time.is_zero() || series.last().is_some() {
            for _ in 0..self.points {
                series.push(time.as_secs_f64());
            }
        }
    }

    /// A figure of the moment: seconds without a reading repeat the last one.
    fn gauge(self, series: &mut Series, value: f64) {
        let before = series.last().unwrap_or(value);
        for _ in 1..self.points {
            series.push(before);
        }
        series.push(value);
    }
}

impl Model {
    /// Adds points to every series when a second or more has gone by.
    pub(super) fn take_seconds(&mut self) {
        let now = self.now;
        let seconds = &mut self.track.seconds;
        let Some(began) = seconds.began else {
            seconds.began = Some(now);
            seconds.taken_at = now;
            seconds.polls = self.track.polls;
            seconds.wakes = self.track.wakes;
            seconds.contended = self.track.contended;
            // What growth in the first second is measured from.
            for channel in self.channels.values_mut() {
                channel.depth_s.push(channel.depth() as f64);
            }
            for site in self.sites.values_mut().filter(|site| site.has_totals()) {
                site.begin_series();
            }
            return;
        };
        let whole = now.since(began).as_secs();
        if whole == 0 {
            return;
        }
        seconds.began = Some(began.after(Duration::from_secs(whole)));
        let span = now.since(seconds.taken_at);
        seconds.taken_at = now;
        let taking = Taking { at: now, points: whole.min(Series::POINTS as u64), span };

        let rise = |now: u64, before: &mut u64| now.wrapping_sub(std::mem::replace(before, now)) as f64;
        let polls = rise(self.track.polls, &mut seconds.polls);
        let wakes = rise(self.track.wakes, &mut seconds.wakes);
        let contended = rise(self.track.contended, &mut seconds.contended);
        taking.rate(&mut self.totals.polls, polls);
        taking.rate(&mut self.totals.wakes, wakes);
        taking.rate(&mut self.totals.lock_waits, contended);
        let tasks = self.live_tasks();
        taking.gauge(&mut self.totals.tasks, tasks as f64);
        let depth = self.channels.values().map(Channel::depth).fold(0, u64::saturating_add);
        taking.gauge(&mut self.totals.channel_depth, depth as f64);

        for lock in self.locks.values_mut() {
            lock.take_seconds(taking);
        }
        for channel in self.channels.values_mut() {
            channel.take_seconds(taking);
        }
        for oneshots in self.oneshots.values_mut() {
            oneshots.take_seconds(taking);
        }
        let old = now.before(RECENT);
        self.stacks.retain(|stack| stack.at >= old);
        for site in self.sites.values_mut() {
            if site.has_totals() {
                site.take_seconds(taking);
            }
            site.recent_slow.age(now);
        }
    }

    /// Tasks that have not ended, those that are not shown one by one included.
    pub fn live_tasks(&self) -> u64 {
        let by_site = self.sites.values().map(super::Site::live).fold(0, u64::saturating_add);
        by_site.max(self.states.live())
    }
}

impl Site {
    /// Growth is measured from now on.
    pub(super) fn begin_series(&mut self) {
        self.counted = Some(self.counts());
        for series in [&mut self.spawned_s, &mut self.finished_s, &mut self.finished_busy_s, &mut self.aborted_s] {
            series.clear();
        }
        self.live_s.begin(self.live() as f64);
        self.unjoined_s.begin(self.unjoined as f64);
    }

    /// What rises from one second to the next.
    fn counts(&self) -> [u64; 4] {
        let busy = u64::try_from(self.finished_busy.as_nanos()).unwrap_or(u64::MAX);
        [self.spawned, self.finished, self.aborted, busy]
    }

    fn take_seconds(&mut self, taking: Taking) {
        let now = self.counts();
        // What was before attach has no rate.
        let before = self.counted.replace(now).unwrap_or(now);
        let rise = |n: usize| now[n].saturating_sub(before[n]) as f64;
        taking.rate(&mut self.spawned_s, rise(0));
        taking.rate(&mut self.finished_s, rise(1));
        taking.rate(&mut self.aborted_s, rise(2));
        taking.rate(&mut self.finished_busy_s, rise(3) / 1e9);
        let (live, unjoined) = (self.live(), self.unjoined);
        taking.gauge(&mut self.live_s, live as f64);
        taking.gauge(&mut self.unjoined_s, unjoined as f64);
    }
}

impl Lock {
    /// What was before now is history.
    pub(super) fn begin_windows(&mut self) {
        for series in [
            &mut self.acquires_s,
            &mut self.contended_s,
            &mut self.wait_ns_s,
            &mut self.waiters_s,
            &mut self.wait_p99_s,
            &mut self.hold_p99_s,
        ] {
            series.clear();
        }
        self.track.acquires = self.acquires;
        self.track.contended = self.contended;
        self.track.wait_total = self.wait_total;
        self.track.history.clear();
        self.wait_hist_window = self.wait_hist;
        self.hold_hist_window = self.hold_hist;
        self.recent_suspended.clear();
        self.awaited = None;
        self.recent_cut_short.clear();
    }

    fn take_seconds(&mut self, taking: Taking) {
        taking.rate(&mut self.acquires_s, self.acquires.saturating_sub(self.track.acquires) as f64);
        taking.rate(&mut self.contended_s, self.contended.saturating_sub(self.track.contended) as f64);
        let waited = self.wait_total.saturating_sub(self.track.wait_total);
        taking.rate(&mut self.wait_ns_s, waited.as_nanos() as f64);
        taking.gauge(&mut self.waiters_s, f64::from(self.waiters));
        self.track.acquires = self.acquires;
        self.track.contended = self.contended;
        self.track.wait_total = self.wait_total;

        let newest: (Histogram, Histogram) = match self.track.history.back() {
            Some(&(_, wait, hold)) => (wait, hold),
            None => (self.wait_hist_window, self.hold_hist_window),
        };
        let p99 = |now: &Histogram, before: &Histogram, longest| {
            now.since(before).quantile(0.99, longest).unwrap_or_default()
        };
        let held = self.held_since.map_or(Duration::ZERO, |since| taking.at.since(since));
        taking.begin_with_something(&mut self.wait_p99_s, p99(&self.wait_hist, &newest.0, self.wait_max));
        taking.begin_with_something(&mut self.hold_p99_s, p99(&self.hold_hist, &newest.1, self.hold_max).max(held));
        if newest != (self.wait_hist, self.hold_hist) {
            self.track.history.push_back((taking.at, self.wait_hist, self.hold_hist));
        }
        let edge = taking.at.before(WINDOW);
        while let Some(&(at, wait, hold)) = self.track.history.front()
            && at <= edge
        {
            self.wait_hist_window = wait;
            self.hold_hist_window = hold;
            self.track.history.pop_front();
        }
        self.recent_suspended.age(taking.at);
        self.recent_cut_short.age(taking.at);
    }
}

impl Oneshots {
    /// What was before now is history.
    pub(super) fn begin_series(&mut self) {
        self.track.counted = self.counts();
        for series in [&mut self.made_s, &mut self.unsent_s, &mut self.unsent_awaited_s, &mut self.unreceived_s] {
            series.clear();
        }
    }

    fn take_seconds(&mut self, taking: Taking) {
        let now = self.counts();
        let before = std::mem::replace(&mut self.track.counted, now);
        let rise = |n: usize| now[n].saturating_sub(before[n]) as f64;
        taking.rate(&mut self.made_s, rise(0));
        taking.rate(&mut self.unsent_s, rise(1));
        taking.rate(&mut self.unsent_awaited_s, rise(2));
        taking.rate(&mut self.unreceived_s, rise(3));
    }
}

impl Channel {
    /// What was before `now` is history.
    pub(super) fn begin_windows(&mut self, now: Stamp) {
        for series in [&mut self.sent_s, &mut self.received_s, &mut self.saturated_s] {
            series.clear();
        }
        self.track.sent = self.sent;
        self.track.received = self.received;
        self.depth_s.clear();
        self.track.saturated = Duration::ZERO;
        self.track.saturated_mark = self.saturated().then_some(now);
        self.saturated_since = self.track.saturated_mark;
    }

    fn take_seconds(&mut self, taking: Taking) {
        taking.rate(&mut self.sent_s, self.sent.saturating_sub(self.track.sent) as f64);
        taking.rate(&mut self.received_s, self.received.saturating_sub(self.track.received) as f64);
        self.track.sent = self.sent;
        self.track.received = self.received;
        let depth = self.depth();
        taking.gauge(&mut self.depth_s, depth as f64);
        self.count_saturated(taking.at);
        let share = std::mem::take(&mut self.track.saturated).as_secs_f64() / taking.span.as_secs_f64();
        for _ in 0..taking.points {
            self.saturated_s.push(share.min(1.0));
        }
    }
}
