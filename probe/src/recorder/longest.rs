//! The longest of many durations, and a moment, in four bytes each: exact up to 2^27 ticks (some hundredths of a second),
//! and to 27 significant bits beyond.
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

#[cfg(feature = "console")]
use super::clock;

/// In ticks; a number of this kind is the larger, the longer it stands for.
#[derive(Debug, Default)]
pub(crate) struct Longest(AtomicU32);

/// Bits of what is exact.
const BITS: u32 = 27;

impl Longest {
    pub(super) fn reset(&self) {
        self.0.store(0, Relaxed);
    }

    /// In ticks; not longer than it was.
    pub(super) fn get(&self) -> u64 {
        ticks(self.0.load(Relaxed))
    }

    /// Whether `ticks` is longer than all so far.
    #[inline]
    pub(super) fn is_raised_by(&self, ticks: u64) -> bool {
        code(ticks) > self.0.load(Relaxed)
    }

    /// Takes in `ticks`. One thread at a time may call this.
    #[inline]
    pub(super) fn raise(&self, ticks: u64) {
        self.0.store(code(ticks).max(self.0.load(Relaxed)), Relaxed);
    }

    /// The same from any thread; whether it is the longest now.
    #[inline]
    pub(super) fn raise_shared(&self, ticks: u64) -> bool {
        let code = code(ticks);
        code > self.0.load(Relaxed) && self.0.fetch_max(code, Relaxed) < code
    }
}

/// A moment after the probe's start: to a millisecond in the first day, to half a second after a year.
#[cfg(feature = "console")]
#[derive(Debug, Default)]
pub(crate) struct Moment(AtomicU32);

#[cfg(feature = "console")]
impl Moment {
    /// In ticks.
    pub(super) fn get(&self) -> u64 {
        clock::started_at() + ticks(self.0.load(Relaxed))
    }

    pub(super) fn set(&self, at: u64) {
        self.0.store(code(at.saturating_sub(clock::started_at())), Relaxed);
    }
}

#[inline]
fn code(ticks: u64) -> u32 {
    if ticks >> BITS == 0 { ticks as u32 } else { long_code(ticks) }
}

#[cold]
fn long_code(ticks: u64) -> u32 {
    let shift = u64::BITS - ticks.leading_zeros() - BITS;
    (shift << (BITS - 1)) + (ticks >> shift) as u32
}

/// What a code stands for, or a little less.
fn ticks(code: u32) -> u64 {
    if code >> BITS == 0 {
        return code.into();
    }
    let shift = (code >> (BITS - 1)) - 1;
    u64::from(code - (shift << (BITS - 1))) << shift
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(ticks: u64) -> u64 {
        let longest = Longest::default();
        longest.raise(ticks);
        longest.get()
    }

    #[test]
    fn what_is_kept_is_the_same_or_a_little_shorter_and_grows_with_it() {
        let mut before = 0;
        for bits in 0..64 {
            for ticks in [(1_u64 << bits) - 1, 1 << bits, (1 << bits) + (1 << bits) / 3] {
                let kept = kept(ticks);
                let exact = ticks < 1 << BITS;
                assert!(
                    kept <= ticks && (!exact || kept == ticks) && ticks - kept <= ticks >> (BITS - 1),
                    "{ticks} {kept}"
                );
                assert!(kept >= before || ticks < before, "{ticks}");
                before = kept;
            }
        }
        assert_eq!(kept(u64::MAX) >> 37, u64::MAX >> 37);
    }

    #[cfg(feature = "console")]
    #[test]
    fn a_moment_is_kept_to_a_millisecond_in_the_first_day() {
        clock::start();
        let moment = Moment::default();
        for ns in [0, 1_000_000, 1_000_000_000, 86_400_000_000_000] {
            let at = clock::started_at() + clock::ticks_in_ns(ns);
            moment.set(at);
            assert!(clock::duration_ns(at - moment.get()) < 2_000_000, "{ns}");
        }
    }

    #[test]
    fn only_what_is_longer_raises_it() {
        let longest = Longest::default();
        longest.raise(900);
        assert!(!longest.is_raised_by(900) && longest.is_raised_by(901));
        assert!(longest.raise_shared(1 << 40) && !longest.raise_shared(1 << 39));
        longest.raise(5);
        assert_eq!(longest.get(), 1 << 40);
    }
}
