//! What this machine takes for the few things that any record is made of, and so what each budget is at least.
use std::{
    hint::black_box,
    sync::{
        Barrier,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::Instant,
};

use crate::{child::middle, operations::number, options::Options};

const TIMES: u64 = 2_000_000;
const SLICES: usize = 9;

/// Nobody else's, as what is counted by those who contend for nothing is.
#[repr(align(128))]
struct Line<T>(T);

static OFF: Line<AtomicBool> = Line(AtomicBool::new(false));
static COUNT: Line<AtomicU64> = Line(AtomicU64::new(0));

/// What an operation needs when it is watched, more than bare: readings of the clock, and locked instructions. Counted by
/// valgrind (`--dump-instr=yes`) among the instructions that were executed, on one worker. All else is plain loads and
/// stores, by the only one who writes there.
struct Needs {
    operation: &'static str,
    clock: u32,
    locked: u32,
}

const fn needs(operation: &'static str, clock: u32, locked: u32) -> Needs {
    Needs { operation, clock, locked }
}

const NEEDS: [Needs; 9] = [
    needs("poll", 2, 0),
    needs("spawn + join, JoinHandle", 7, 7),
    needs("mutex", 2, 0),
    needs("mutex, 8 contend", 9, 4),
    needs("semaphore", 2, 1),
    needs("oneshot", 0, 0),
    needs("watch", 0, 2),
    needs("notify, two tasks", 5, 6),
    // A permit of a semaphore that many hold at once, an RwLock to read, a mutex, the turns of an actor and of a listener, a oneshot,
    // a task that is spawned and joined; a little less where a turn of the actor's answers several.
    needs("a request of the denser service", 22, 12),
];

/// Locks that live at once, as in the rows of those that are used once.
const LIVE: usize = 100_000;

/// What the drop-in's are larger than tokio's, in words: where one was made or is noted, and of an `RwLock` also how many may
/// read, which tokio's does not tell, in the half of a word.
const LARGER: [(&str, u32); 3] =
    [("a live mutex, used once", 1), ("a live semaphore, used once", 1), ("a live RwLock, used once", 2)];

/// Measures and prints it, if it is wanted.
pub(crate) fn print(options: &Options) {
    if !options.wants("floor") {
        return;
    }
    let nothing = each(|| {});
    let net = |ns: f64| (ns - nothing).max(0.0);
    let alone = net(each(|| {
        black_box(ticks());
    }));
    let work = || mixed(black_box(1));
    let clock = (each(|| {
        black_box(ticks() ^ work());
    }) - each(|| {
        black_box(work());
    }))
    .max(0.0);
    let test = net(each(|| {
        if black_box(&OFF).0.load(Relaxed) {
            black_box(());
        }
    }));
    let plain = net(each(|| {
        let count = &black_box(&COUNT).0;
        count.store(count.load(Relaxed) + 1, Relaxed);
    }));
    let locked = net(each(|| {
        black_box(&COUNT).0.fetch_add(1, Relaxed);
    }));
    let fresh_word = ((fresh::<9>() - fresh::<5>()) / 4.0).max(0.0);
    println!("\nfloor: ns each, of what any record is made of\n");
    for (what, ns) in [
        ("a relaxed load and a branch: each instrument, dormant", test),
        ("a counter with one writer", plain),
        ("a reading of the clock, right after the last one", alone),
        ("a reading of the clock, with other work beside it", clock),
        ("a locked add, on a line of its own", locked),
        ("the same, two threads on one line", net(by_two())),
        ("a word of memory that was never used", fresh_word),
    ] {
        println!("{what:56} {:>8}", number(ns, 2));
    }
    println!("\n{:36} {:>8} {:>8} {:>20}", "so at least, watched", "clock", "locked", "ns more than bare");
    for Needs { operation, clock: readings, locked: adds } in NEEDS {
        let ns = f64::from(readings) * clock + f64::from(adds) * locked;
        println!("{operation:36} {readings:>8} {adds:>8} {:>20}", number(ns, 1));
    }
    println!("\n{:36} {:>8} {:>29}", "so at least, dormant", "words", "ns more than bare");
    for (operation, words) in LARGER {
        println!("{operation:36} {words:>8} {:>29}", number(f64::from(words) * fresh_word, 1));
    }
}

/// Nanoseconds that `work` takes, in a loop.
fn each(work: impl Fn()) -> f64 {
    let slice = |_| {
        let start = Instant::now();
        for _ in 0..TIMES {
            work();
        }
        start.elapsed().as_nanos() as f64 / TIMES as f64
    };
    middle((0..SLICES).map(slice).collect())
}

/// Nanoseconds that each of many takes that are made of so many words, one behind the other, and stay, and are used once.
fn fresh<const WORDS: usize>() -> f64 {
    let slice = |_| {
        let start = Instant::now();
        let mut all: Vec<[u64; WORDS]> = (0..LIVE as u64).map(|n| black_box([n; WORDS])).collect();
        for one in &mut all {
            black_box(one)[0] += 1;
        }
        let took = start.elapsed();
        // What is given back may be had again, and is not new then.
        std::mem::forget(all);
        took.as_nanos() as f64 / LIVE as f64
    };
    middle((0..SLICES).map(slice).collect())
}

/// Nanoseconds that a locked add takes each of two threads that count at the same place.
fn by_two() -> f64 {
    let both = Barrier::new(2);
    let count = || {
        both.wait();
        each(|| {
            black_box(&COUNT).0.fetch_add(1, Relaxed);
        })
    };
    thread::scope(|scope| {
        let other = scope.spawn(count);
        count().max(other.join().unwrap())
    })
}

/// Some work, as there is between two readings of the clock: a CPU does it meanwhile.
fn mixed(mut word: u64) -> u64 {
    for _ in 0..16 {
        word = (word ^ word >> 29).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    word
}

/// As the probe reads the clock.
fn ticks() -> u64 {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86_64 CPU has the instruction.
    return unsafe { core::arch::x86_64::_rdtsc() };
    #[cfg(not(target_arch = "x86_64"))]
    {
        static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
        START.elapsed().as_nanos() as u64
    }
}
