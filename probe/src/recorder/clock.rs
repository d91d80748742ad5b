//! The clock of the hot path: CPU ticks, made nanoseconds by the collector only.
//!
//! Two `Instant::now()` a poll measured 35 ns on the machines we looked at, two `rdtsc` 5 ns. `quanta` finds out whether
//! the TSC is invariant and how long a tick is; where there is none it falls back on the monotonic clock, and a tick is
//! a nanosecond.
use std::sync::{
    OnceLock,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use quanta::Clock;

struct Epoch {
    clock: Clock,
    /// Ticks at the probe's start.
    start: u64,
}

static EPOCH: OnceLock<Epoch> = OnceLock::new();
/// Whether a tick is one of the TSC: then the hot path reads it without asking `quanta`.
static TSC: AtomicBool = AtomicBool::new(false);

/// Calibrates the clock, which takes some milliseconds. Ticks before this mean nothing.
pub(crate) fn start() {
    EPOCH.get_or_init(|| {
        let clock = Clock::new();
        let start = clock.raw();
        TSC.store(counts_tsc(&clock), Relaxed);
        Epoch { clock, start }
    });
}

/// Now, in ticks; never 0 once the clock was started, so that 0 can mean "never".
#[inline]
pub(crate) fn ticks() -> u64 {
    #[cfg(target_arch = "x86_64")]
    if TSC.load(Relaxed) {
        // SAFETY: every x86_64 CPU has the instruction; user space may execute it, or `quanta` had not chosen it.
        return unsafe { core::arch::x86_64::_rdtsc() };
    }
    fallback()
}

/// How long ago that was, in ticks. A thread may have gone to a CPU whose counter is a little behind; then it was now.
#[inline]
pub(crate) fn since(at: u64) -> u64 {
    ticks().saturating_sub(at)
}

#[cold]
fn fallback() -> u64 {
    EPOCH.get().map_or(1, |epoch| epoch.clock.raw().max(1))
}

/// When the probe started, in ticks.
#[cfg(any(feature = "console", tokio_unstable))]
pub(super) fn started_at() -> u64 {
    EPOCH.get().map_or(0, |epoch| epoch.start)
}

/// Nanoseconds from the probe's start to `ticks`; 0 for 0, and at least 1 for anything else.
pub(crate) fn since_start_ns(ticks: u64) -> u64 {
    match EPOCH.get() {
        Some(epoch) if ticks != 0 => epoch.clock.delta_as_nanos(epoch.start, ticks).max(1),
        _ => 0,
    }
}

/// How long `ticks` take, in nanoseconds.
pub(crate) fn duration_ns(ticks: u64) -> u64 {
    EPOCH.get().map_or(0, |epoch| epoch.clock.delta_as_nanos(0, ticks))
}

/// How many ticks `ns` nanoseconds take, roughly; for limits that the hot path compares with.
pub(crate) fn ticks_in_ns(ns: u64) -> u64 {
    const PROBE: u64 = 1 << 40;
    let probe_ns = duration_ns(PROBE).max(1);
    (u128::from(ns) * u128::from(PROBE) / u128::from(probe_ns)) as u64
}

/// CPU time of the calling thread, in nanoseconds; 0 where the system does not tell.
pub(crate) fn thread_cpu_ns() -> u64 {
    #[cfg(unix)]
    {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the pointer is to a `timespec` of ours.
        let result = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
        if result == 0 { time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64 } else { 0 }
    }
    #[cfg(not(unix))]
    {
        0
    }
}

/// `quanta` reads the TSC exactly when its raw value lies between two readings of ours.
fn counts_tsc(clock: &Clock) -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        (0..3).all(|_| {
            // SAFETY: as in `ticks`; a process for which it is switched off has no `quanta` counter either, and the
            // kernels that switch it off do so for sandboxes that have no threads.
            let (before, raw, after) =
                unsafe { (core::arch::x86_64::_rdtsc(), clock.raw(), core::arch::x86_64::_rdtsc()) };
            // `rdtsc` is not ordered against other instructions, hence the slack.
            before.saturating_sub(10_000) <= raw && raw <= after + 10_000
        })
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        let _ = clock;
        false
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn ticks_become_the_nanoseconds_that_passed() {
        start();
        // This thread may lose its CPU between any two of these.
        let (earliest, ticks_before, before) = (Instant::now(), ticks(), Instant::now());
        std::thread::sleep(Duration::from_millis(20));
        let (after, ticks_after, latest) = (Instant::now(), ticks(), Instant::now());
        let measured = Duration::from_nanos(duration_ns(ticks_after - ticks_before));
        let (least, most) = ((after - before).mul_f64(0.95), (latest - earliest).mul_f64(1.05));
        assert!((least..=most).contains(&measured), "{measured:?} is not within {least:?} and {most:?}");
    }

    #[test]
    fn what_another_cpu_dates_into_the_future_was_now() {
        start();
        assert_eq!(since(u64::MAX), 0);
        assert!(since(ticks()) < u64::MAX / 2);
    }

    #[test]
    fn limits_in_ticks_are_the_limits_in_nanoseconds() {
        start();
        let ns = duration_ns(ticks_in_ns(10_000_000));
        assert!(ns.abs_diff(10_000_000) < 10_000, "{ns}");
    }

    #[test]
    fn zero_ticks_is_never() {
        start();
        assert_eq!(since_start_ns(0), 0);
        assert_ne!(since_start_ns(1), 0);
    }
}
