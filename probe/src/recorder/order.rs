//! In which order locks are taken: which lock a task held when it took another one. Two tasks that take the same locks in
//! opposite orders stop for ever when they do it at the same moment; here both orders are known long before that.
//!
//! A task's slot names the lock that it took last and still holds, that lock's slot the one before it; of a task that is not
//! watched, its thread does, until something else is polled there. Guards that can be given away, and holds to read, are not
//! listed, so that a chain is the task's own; and what is listed is believed only where the lock says that this task holds
//! it. A lock that is not taken within another one costs two loads and two stores for this.
//!
//! Orders are kept in two tables: by the places where the locks were made, and, of locks made at one place, by the locks
//! themselves. The first keeps what it has and counts what finds no room; in the second the newest find room, and what they
//! replace is counted.
use std::{
    panic::Location,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use super::{arena::Arena, clock, lock::LockSlot, site::Site, started, thread};

type CallSite = &'static Location<'static>;

/// Pairs in each table.
const PAIRS: usize = 256;
/// Places that are looked at for one pair.
const PROBES: usize = 16;
/// How far up a chain a common lock is looked for.
const DEEP: usize = 8;

/// Two places, or two locks of one place.
struct Pair {
    /// Tells what it is of; 0 while it is free.
    tag: AtomicU64,
    /// Ticks.
    last_at: AtomicU64,
    /// Nobody ever waits for it: who finds it taken goes without.
    facts: Mutex<Facts>,
}

/// The lower key comes first.
#[derive(Clone, Copy)]
struct Facts {
    keys: [u64; 2],
    made: [Option<&'static Site>; 2],
    /// The lower taken first, and the higher taken first.
    ways: [Way; 2],
}

/// One order.
#[derive(Clone, Copy)]
struct Way {
    times: u64,
    last_at: u64,
    /// Where the first lock was taken, and where the second.
    sites: [Option<CallSite>; 2],
    /// A lock that was held around it every time, so that nobody else can be in it meanwhile; 0 when there is none.
    around: u64,
}

/// All that is known.
pub(crate) struct Orders {
    of_places: [Pair; PAIRS],
    of_locks: [Pair; PAIRS],
    /// Pairs in use.
    used: AtomicU64,
    /// What found no room, and what was replaced.
    shed: AtomicU64,
}

/// One order in which two locks, or locks of two places, were taken. Ticks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OrderReading {
    pub(crate) first: &'static Site,
    pub(crate) second: &'static Site,
    /// The locks, where both were made at one place; else 0.
    pub(crate) first_lock: u64,
    pub(crate) second_lock: u64,
    pub(crate) first_site: Option<CallSite>,
    pub(crate) second_site: Option<CallSite>,
    /// At least.
    pub(crate) times: u64,
    pub(crate) last_at: u64,
    pub(crate) around: u64,
}

impl LockSlot {
    /// The task in poll took it at `site`, as the last of those that it holds.
    #[inline]
    pub(super) fn taken(&'static self, site: CallSite) {
        let before = thread::innermost();
        self.outer.store(before, Relaxed);
        thread::set_innermost(Arena::index(self) + 1);
        if before != 0 {
            inner(before, self, site);
        }
    }

    /// The same, but it is not listed as held.
    #[inline]
    pub(super) fn taken_within(&'static self, site: CallSite) {
        let before = thread::innermost();
        if before != 0 {
            inner(before, self, site);
        }
    }

    /// The task in poll holds it no longer, or may give it away.
    #[inline]
    pub(super) fn let_go(&'static self) {
        if thread::innermost() == Arena::index(self) + 1 {
            thread::set_innermost(self.outer.load(Relaxed));
        }
    }
}

/// `lock` was taken at `site` while the lock of index `outer`, less one, was held, if that still is.
#[cold]
fn inner(outer: u32, lock: &'static LockSlot, site: CallSite) {
    let mut chain = Chain { task: thread::holder().task, next: outer };
    let Some(first) = chain.next() else {
        // Guards may go in any order, and slots change hands.
        lock.outer.store(0, Relaxed);
        return;
    };
    let around = chain.take(DEEP).last().map_or(0, LockSlot::id);
    started().orders.note(first, lock, [first.held_at(), Some(site)], around);
}

impl Orders {
    #[allow(clippy::large_stack_arrays, reason = "made in constants only")]
    pub(crate) const fn new() -> Self {
        Self {
            of_places: [const { Pair::new() }; PAIRS],
            of_locks: [const { Pair::new() }; PAIRS],
            used: AtomicU64::new(0),
            shed: AtomicU64::new(0),
        }
    }

    fn note(&self, first: &LockSlot, second: &LockSlot, sites: [Option<CallSite>; 2], around: u64) {
        let (Some(made_first), Some(made_second)) = (first.site(), second.site()) else { return };
        let same = std::ptr::eq(made_first, made_second);
        let key = |lock: &LockSlot, made: &Site| if same { lock.id() } else { u64::from(made.id) };
        let (a, b) = (key(first, made_first), key(second, made_second));
        if a == b {
            return;
        }
        let turned = a > b;
        let of = |first, second| if turned { [second, first] } else { [first, second] };
        let (keys, made) = (if turned { [b, a] } else { [a, b] }, of(Some(made_first), Some(made_second)));
        let table = if same { &self.of_locks } else { &self.of_places };
        let now = clock::ticks();
        let count = |facts: &mut Facts| facts.ways[usize::from(turned)].count(sites, around, now);

        let tag = hash(keys);
        let probed = || (0..PROBES).map(|n| &table[(tag as usize).wrapping_add(n) % PAIRS]);
        for pair in probed() {
            let found = pair.tag.load(Relaxed);
            if found != tag && found != 0 {
                continue;
            }
            // Whoever has it may be about to make it this very pair: then this time is not counted.
            let Some(mut facts) = pair.lock() else { return };
            if pair.tag.load(Relaxed) == 0 {
                pair.begin(&mut facts, tag, keys, made);
                self.used.fetch_add(1, Relaxed);
            } else if facts.keys != keys {
                continue;
            }
            pair.last_at.store(now, Relaxed);
            return count(&mut facts);
        }
        self.shed.fetch_add(1, Relaxed);
        if same
            && let Some(pair) = probed().min_by_key(|pair| pair.last_at.load(Relaxed))
            && let Some(mut facts) = pair.lock()
        {
            pair.begin(&mut facts, tag, keys, made);
            pair.last_at.store(now, Relaxed);
            count(&mut facts);
        }
    }

    /// Everything that is known, and that nobody is writing to now.
    pub(crate) fn all(&self) -> impl Iterator<Item = (u32, OrderReading)> {
        let pairs = self.of_places.iter().chain(&self.of_locks).enumerate();
        let known = pairs.filter(|(_, pair)| pair.tag.load(Relaxed) != 0);
        let facts = known.filter_map(|(n, pair)| Some((2 * n as u32, *pair.lock()?)));
        let ways = facts.flat_map(|(id, facts)| [(id, facts.read(false)), (id + 1, facts.read(true))]);
        ways.filter_map(|(id, reading)| Some((id, reading?)))
    }

    /// How often an order found no room, or took another one's.
    pub(crate) fn shed(&self) -> u64 {
        self.shed.load(Relaxed)
    }

    /// Bytes of what is in use. At the ceiling, whoever asks for a slot asks for this.
    pub(super) fn memory_bytes(&self) -> u64 {
        self.used.load(Relaxed) * size_of::<Pair>() as u64
    }
}

fn hash(keys: [u64; 2]) -> u64 {
    let mixed = (keys[0].wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ keys[1]).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    (mixed ^ mixed >> 32).max(1)
}

impl Pair {
    const fn new() -> Self {
        const NONE: Way = Way { times: 0, last_at: 0, sites: [None; 2], around: 0 };
        let facts = Facts { keys: [0; 2], made: [None; 2], ways: [NONE; 2] };
        Self { tag: AtomicU64::new(0), last_at: AtomicU64::new(0), facts: Mutex::new(facts) }
    }

    fn lock(&self) -> Option<MutexGuard<'_, Facts>> {
        self.facts.try_lock().ok()
    }

    /// It is of these from now on.
    fn begin(&self, facts: &mut Facts, tag: u64, keys: [u64; 2], made: [Option<&'static Site>; 2]) {
        let none = Way { times: 0, last_at: 0, sites: [None; 2], around: 0 };
        *facts = Facts { keys, made, ways: [none; 2] };
        self.tag.store(tag, Relaxed);
    }
}

impl Way {
    fn count(&mut self, sites: [Option<CallSite>; 2], around: u64, now: u64) {
        self.around = if self.times == 0 || self.around == around { around } else { 0 };
        self.times += 1;
        self.last_at = now;
        self.sites = sites;
    }
}

impl Facts {
    /// The order of lower and higher, or, turned, of higher and lower.
    fn read(&self, turned: bool) -> Option<OrderReading> {
        let way = &self.ways[usize::from(turned)];
        let (first, second) = if turned { (1, 0) } else { (0, 1) };
        let made = (self.made[first]?, self.made[second]?);
        let lock = |n: usize| if std::ptr::eq(made.0, made.1) { self.keys[n] } else { 0 };
        (way.times > 0).then(|| OrderReading {
            first: made.0,
            second: made.1,
            first_lock: lock(first),
            second_lock: lock(second),
            first_site: way.sites[0],
            second_site: way.sites[1],
            times: way.times,
            last_at: way.last_at,
            around: way.around,
        })
    }
}

/// Locks that a task holds, from the last taken to the first.
struct Chain {
    /// Its id.
    task: u64,
    /// Index plus one.
    next: u32,
}

impl Iterator for Chain {
    type Item = &'static LockSlot;

    fn next(&mut self) -> Option<&'static LockSlot> {
        let lock = started().locks.at(self.next.checked_sub(1)?)?;
        if !lock.is_held_by(self.task) {
            return None;
        }
        self.next = lock.outer.load(Relaxed);
        Some(lock)
    }
}
