//! Numbers of threads, by which each finds its part of what is written once an operation. The first few are one thread's at a
//! time, so that it is the only one who writes there; who comes when these are gone shares one with some others.
use super::sync::atomic::{
    AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
};

/// Numbers that there are: so many threads share no line.
pub(crate) const NUMBERS: usize = 16;
/// Of these, the first ones are one thread's at a time.
const OWN: usize = NUMBERS / 2;

/// That of a thread that has asked for none: it shares it.
pub(crate) const UNNUMBERED: usize = OWN;

/// Whether nobody else has that number.
#[inline]
pub(super) fn is_own(number: usize) -> bool {
    number < OWN
}

/// Which numbers are taken.
pub(crate) struct Numbers {
    /// A bit for each that is one thread's.
    taken: AtomicU32,
    /// Threads that came when these were gone.
    further: AtomicU32,
}

impl Numbers {
    /// With the bits of what is taken, and how many came since.
    pub(crate) const fn of(taken: AtomicU32, further: AtomicU32) -> Self {
        Self { taken, further }
    }

    /// A number for a thread that will [give it back](Numbers::give_back). Who had it before has written all it will.
    pub(crate) fn take(&self) -> usize {
        let free = |taken: u32| (!taken).trailing_zeros();
        let take = |taken| is_own(free(taken) as usize).then(|| taken | 1 << free(taken));
        match self.taken.fetch_update(Acquire, Acquire, take) {
            Ok(taken) => free(taken) as usize,
            Err(_) => OWN + self.further.fetch_add(1, Relaxed) as usize % (NUMBERS - OWN),
        }
    }

    /// The thread of that number is over, or will not use it any more.
    pub(crate) fn give_back(&self, number: usize) {
        if is_own(number) {
            self.taken.fetch_and(!(1 << number), Release);
        }
    }
}
