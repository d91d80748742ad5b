//! Work that takes the same time on every machine and in every build.
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

/// Computes for this long, on the CPU, without a break: what scaling an image or pricing a basket stands for here.
pub(crate) fn compute(how_long: Duration) -> u64 {
    let started = Instant::now();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    while started.elapsed() < how_long {
        for byte in 0..64_u64 {
            hash = black_box((hash ^ byte).wrapping_mul(0x0100_0000_01b3));
        }
    }
    hash
}
