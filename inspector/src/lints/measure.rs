//! What measures are called where people read them: the stable names are for programs.
use std::borrow::Cow;

use super::Evidence;

/// Names that do not say it all by themselves, in words.
const WORDS: &[(&str, &str)] = &[
    ("aborted", "aborted so far"),
    ("abort_location", "aborted at"),
    ("aborted_age_ns", "aborted after"),
    ("aborted_share", "given up"),
    ("acquires_per_s", "acquired"),
    ("acquires_since", "times that this one was locked since"),
    ("alike_from_this_line", "others of this line that it holds for"),
    ("apart_ns", "first and last drop apart by"),
    ("blocked_for_ns", "blocked for"),
    ("blocked_function", "in function"),
    ("blocked_mean_ns", "a poll blocks for about"),
    ("blocked_workers", "workers blocked now"),
    ("blocking_task", "the longest in task"),
    ("contended_share", "acquisitions that wait"),
    ("created_location", "made at"),
    ("cut_short_1m", "such drops in 60 s"),
    ("deadlocked_for_ns", "deadlocked for"),
    ("detached_live", "still running"),
    ("errors_lost", "errors that nobody saw"),
    ("finished_per_s", "ended"),
    ("first_created_location", "the first of them made at"),
    ("first_location", "its first lock at"),
    ("full_in_ns", "full in about"),
    ("future_bytes", "size"),
    ("handles_dropped", "handles dropped"),
    ("held_across_await_ns", "held across an await for"),
    ("hold_max_location", "the longest hold locked at"),
    ("hold_max_ns", "longest hold"),
    ("hold_mean_ns", "a hold takes"),
    ("hold_p99_ns", "99 % of holds"),
    ("holder_waits", "the holder waits"),
    ("holder_waits_location", "the holder waits at"),
    ("holds_across_await_10s", "such holds in 10 s"),
    ("idle_for_ns", "pending for"),
    ("idle_tasks", "of them idle"),
    ("innermost_function", "inside"),
    ("job_cpu_share", "CPU use of its jobs"),
    ("kept_bytes", "they take about"),
    ("kept_results", "results kept"),
    ("lagged", "Lagged errors"),
    ("last_lag_ago_ns", "last lost"),
    ("last_look_ago_ns", "a receiver last looked"),
    ("last_look_location", "a receiver last looked at"),
    ("last_receive_ago_ns", "last received"),
    ("live_bytes", "all alive take"),
    ("live_tasks", "tasks alive"),
    ("long_polls_total_10s_ns", "time in long polls in 10 s"),
    ("longest_hold_ns", "oldest permit held for"),
    ("longest_waiting_location", "the longest was spawned at"),
    ("lost_notifies", "calls that found nobody"),
    ("lost_notify_ago_ns", "called"),
    ("max_poll_ns", "longest poll ever"),
    ("may_be_held_by", "that may be, since"),
    ("mean_job_ns", "a job takes"),
    ("mean_poll_ns", "a poll takes"),
    ("mean_waiters", "waiting on average"),
    ("message_delay_ns", "one sent now is received in about"),
    ("message_takes_ns", "a message takes"),
    ("most_wait", "most of them wait"),
    ("never_received_either", "never received either"),
    ("no_room_for_ns", "no room for"),
    ("nothing_acquired_for_ns", "no permit came back for"),
    ("orders", "seen"),
    ("output", "a task returns"),
    ("panicked_ago_ns", "last panic"),
    ("panics_lost", "panics that nobody saw"),
    ("permits_available", "permits free"),
    ("permits_total", "permits in all"),
    ("poll_running_ns", "blocked for"),
    ("queued_for_ns", "oldest job waits"),
    ("read_held_for_ns", "read guard held for"),
    ("readers", "readers that hold it"),
    ("receiver_is", "the receiver"),
    ("receiver_silent_ns", "no recv for"),
    ("receiver_suspended_location", "the receiver waits at"),
    ("running_for_ns", "longest job runs for"),
    ("running_location", "the busy ones are spawned at"),
    ("running_task", "longest job"),
    ("saturated_for_ns", "full for"),
    ("saturated_share", "full in the last 4 s"),
    ("schedule_delay_ns", "woken, and not run for"),
    ("self_wake_share", "woken by itself"),
    ("send_wait_ns", "a send waits about"),
    ("sender_location", "sent at"),
    ("suspended_holds", "held over an await"),
    ("tasks_in_cycle", "tasks in the cycle"),
    ("threads_busy", "threads in all"),
    ("threads_taken", "threads taken"),
    ("unanswered_10s", "dropped unsent in 10 s"),
    ("unanswered_share", "dropped unsent"),
    ("unheard", "sent to nobody"),
    ("unpolled_for_ns", "not run for"),
    ("unpolled_tasks", "tasks never run"),
    ("unreceived", "never received"),
    ("unreceived_share", "never received"),
    ("unseen_values", "values not seen"),
    ("wait_mean_ns", "a wait takes"),
    ("wait_p99_ns", "99 % of waits"),
    ("waiting_task", "one that waits"),
    ("wakers", "wakers left"),
];

/// The stable name of a measure, in words; its unit stands in the figure.
pub(crate) fn in_words(name: &'static str) -> Cow<'static, str> {
    if let Some((_, words)) = WORDS.iter().find(|(known, _)| *known == name) {
        return (*words).into();
    }
    let name = ["_ns", "_per_s", "_share", "_bytes"].iter().find_map(|unit| name.strip_suffix(unit)).unwrap_or(name);
    let name = name.strip_suffix("_ago").unwrap_or(name);
    let times = [("_10s", "in 10 s"), ("_1m", "in 60 s"), ("_location", "at")];
    match times.iter().find_map(|(suffix, words)| Some((name.strip_suffix(suffix)?, words))) {
        Some((name, words)) => format!("{} {words}", name.replace('_', " ")).into(),
        None if name.contains('_') => name.replace('_', " ").into(),
        None => name.into(),
    }
}

impl Evidence {
    /// Name and value in words: `held for 412 ms`.
    pub(crate) fn phrase(&self) -> String {
        let (words, value) = (in_words(self.name), self.value_text());
        // Two figures beside each other would read as one.
        let sign = if words.ends_with(" in 10 s") || words.ends_with(" in 60 s") { ":" } else { "" };
        format!("{words}{sign} {value}")
    }

    /// The value in words: `412 ms`, `9.04 ms ago`.
    pub(crate) fn value_text(&self) -> Cow<'_, str> {
        if self.name.ends_with("_ago_ns") { format!("{} ago", self.text).into() } else { self.text.as_str().into() }
    }

    /// From what on a rule speaks, as people read it: `warns over 10.0 ms`, `warns from 3`. It is the tool's, and no limit
    /// of the program. `None` where it says nothing: any at all is too much, or it is context.
    pub(crate) fn warns(&self) -> Option<String> {
        let (word, limit) = match self.limit.strip_prefix("≥ ") {
            Some(limit) => ("from", limit),
            None => ("over", self.limit.trim_start_matches("> ")),
        };
        (!limit.is_empty() && limit != "0" && limit != "0/s").then(|| format!("warns {word} {limit}"))
    }

    /// A measure beside what a rule allows: `99 % of waits within 66 ms (warns over 10.0 ms)`.
    pub(crate) fn sentence(&self) -> String {
        let warns = self.warns().map_or_else(String::new, |warns| format!(" ({warns})"));
        format!("{}{warns}", self.phrase())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_measure_is_read_without_knowing_its_name() {
        let phrase = |evidence: Evidence| evidence.phrase();
        assert_eq!(phrase(Evidence::rate("sent_per_s", 4500.0)), "sent 4500/s");
        assert_eq!(phrase(Evidence::count("blocked_polls_10s", 14)), "blocked polls in 10 s: 14");
        assert_eq!(phrase(Evidence::count("cut_short_1m", 33)), "such drops in 60 s: 33");
        assert_eq!(phrase(Evidence::mean("mean_waiters", 2.44)), "waiting on average 2.4");
        assert_eq!(phrase(Evidence::words("panic_location", "a.rs:3:1")), "panic at a.rs:3:1");
        assert_eq!(phrase(Evidence::share("busy_share", 0.5)), "busy 50 %");
        let wait = Evidence::percentile("wait_p99_ns", Duration::from_micros(65_536)).over("10.0 ms");
        assert_eq!(wait.sentence(), "99 % of waits within 66 ms (warns over 10.0 ms)");
        assert_eq!(phrase(Evidence::count("detached_live", 2)), "still running 2");
        assert_eq!(phrase(Evidence::span("cancelled_ago_ns", Duration::from_secs(5))), "cancelled 5.00 s ago");
    }

    #[test]
    fn a_limit_is_named_where_there_is_one() {
        assert_eq!(Evidence::count("waiters", 3).over("2").warns().as_deref(), Some("warns over 2"));
        assert_eq!(Evidence::count("waiters", 3).at_least("3").warns().as_deref(), Some("warns from 3"));
        assert_eq!(Evidence::count("handles_dropped", 3).over("0").warns(), None);
        assert_eq!(Evidence::count("waiters", 3).warns(), None);
    }

    #[test]
    fn each_measure_has_one_name() {
        let mut names: Vec<_> = WORDS.iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), WORDS.len());
    }
}
