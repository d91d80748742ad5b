//! How long frames and turns took: said when the operator leaves, if the environment asks for it. The benchmark does, since
//! nobody outside can tell how long a frame was in the making.
use std::fmt;
use std::time::{Duration, Instant};

/// Asks for it, by being set.
const VARIABLE: &str = "ASYNC_INSPECT_TIMINGS";
/// Times that are kept, the newest; ten minutes of frames.
const KEPT: usize = 4096;

/// Of one run; keeps nothing where nobody asked.
pub(super) struct Timings(Option<Both>);

#[derive(Default)]
struct Both {
    frames: Times,
    turns: Times,
}

/// The newest, in no order, and how many there were.
#[derive(Default)]
struct Times {
    newest: Vec<Duration>,
    count: usize,
}

impl Timings {
    pub(super) fn asked() -> Self {
        Self(std::env::var_os(VARIABLE).map(|_| Both::default()))
    }

    /// Times a frame, from the model to the terminal's last byte.
    pub(super) fn frame<T>(&mut self, draw: impl FnOnce() -> T) -> T {
        let Some(both) = &mut self.0 else { return draw() };
        let began = Instant::now();
        let drawn = draw();
        both.frames.add(began.elapsed());
        drawn
    }

    /// A turn of the loop began then, in which it took in what there was; a frame may be in it.
    pub(super) fn turn(&mut self, began: Instant) {
        if let Some(both) = &mut self.0 {
            both.turns.add(began.elapsed());
        }
    }

    /// On stderr, once the terminal is given back.
    pub(super) fn say(&self) {
        if let Some(Both { frames, turns }) = &self.0 {
            eprintln!("frames: {frames}\nturns: {turns}");
        }
    }
}

impl Times {
    fn add(&mut self, time: Duration) {
        if self.newest.len() < KEPT {
            self.newest.push(time);
        } else {
            self.newest[self.count % KEPT] = time;
        }
        self.count += 1;
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sorted = self.newest.clone();
        sorted.sort_unstable();
        let at = |share: usize| sorted.get((sorted.len() * share / 100).min(sorted.len().saturating_sub(1)));
        let ms = |share| at(share).map_or(0.0, |time: &Duration| time.as_secs_f64() * 1e3);
        write!(f, "{}, p50 {:.2} ms, p99 {:.2} ms, longest {:.2} ms", self.count, ms(50), ms(99), ms(100))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_told_by_their_order() {
        let mut times = Times::default();
        assert_eq!(times.to_string(), "0, p50 0.00 ms, p99 0.00 ms, longest 0.00 ms");
        times.add(Duration::from_secs(9));
        for ms in 1..=KEPT as u64 {
            times.add(Duration::from_millis(ms));
        }
        assert_eq!(times.to_string(), "4097, p50 2049.00 ms, p99 4056.00 ms, longest 4096.00 ms");
    }
}
