//! What is told of locks that several hold at the ceiling of the memory: who holds may be missing, and no number is wrong.
#![allow(clippy::unwrap_used, reason = "a test may fail")]
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_inspect_probe::{
    Builder,
    tokio::sync::{RwLock, Semaphore},
};
use async_inspect_proto::{
    PROTOCOL,
    v1::{LockKind, LockStates, Update, WatchRequest, inspect_client::InspectClient},
};
use tonic::{Streaming, transport::Endpoint};

const LIMIT_BYTES: u64 = 4 * 1024 * 1024;
/// More locks than have room, so many that not all of them that are shown have room for who holds them.
const OTHERS: usize = 40_000;
const OTHERS_PERMITS: u64 = 2;

/// What is told of one lock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Lock {
    total: u64,
    available: u64,
    holders: u32,
    listed: u32,
    acquires: u64,
}

struct Told {
    /// The subscriber is plain tokio, as an inspector is.
    reader: ::tokio::runtime::Runtime,
    updates: Streaming<Update>,
    /// Of the `RwLock`.
    id: i64,
    read_write: Lock,
    semaphore: Lock,
    shed: u64,
}

const PERMITS: u64 = 10;

impl Told {
    fn begin(target: String) -> Self {
        let reader = ::tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let updates = reader.block_on(async {
            let channel = Endpoint::from_shared(target).unwrap().connect().await.unwrap();
            InspectClient::new(channel).watch(WatchRequest { protocol: PROTOCOL }).await.unwrap().into_inner()
        });
        Self { reader, updates, id: 0, read_write: Lock::default(), semaphore: Lock::default(), shed: 0 }
    }

    fn next(&mut self) {
        let mut update = self.reader.block_on(self.updates.message()).unwrap().unwrap();
        update.unpack().unwrap();
        if let Some(births) = &update.lock_births
            && let Some(row) = births.kind.iter().position(|&kind| kind == i32::from(LockKind::RwLock))
        {
            self.id = births.id[row];
        }
        if let Some(loss) = &update.loss {
            self.shed = loss.shed_details;
        }
        if let Some(states) = &update.lock_states {
            for (row, id) in states.id.iter().enumerate() {
                let lock = Lock::of(states, row);
                if *id == self.id {
                    self.read_write = lock;
                } else if lock.total > OTHERS_PERMITS {
                    self.semaphore = lock;
                }
            }
        }
    }

    /// Waits until this is told of both; what else is told of them for as long is wrong.
    fn expect(&mut self, read_write: Lock, semaphore: Lock) {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(20) && (self.read_write, self.semaphore) != (read_write, semaphore)
        {
            self.next();
        }
        assert_eq!((self.read_write, self.semaphore), (read_write, semaphore));
    }
}

impl Lock {
    fn of(states: &LockStates, row: usize) -> Self {
        Self {
            total: states.permits_total[row],
            available: states.permits_available[row],
            holders: states.holders[row],
            listed: states.holds[row],
            acquires: states.acquires[row],
        }
    }
}

#[test]
fn what_several_hold_at_the_ceiling_is_told_right_as_far_as_it_is_told() {
    let probe = Builder::new().listen("127.0.0.1:0").unwrap().memory_limit(LIMIT_BYTES).start().unwrap();
    let (read_write, semaphore) = (RwLock::with_max_readers((), 7), Arc::new(Semaphore::new(PERMITS as usize)));
    drop(read_write.try_read().unwrap());
    let others: Vec<_> = (0..OTHERS).map(|_| Semaphore::new(OTHERS_PERMITS as usize)).collect();
    for other in &others {
        drop((other.try_acquire().unwrap(), other.try_acquire().unwrap()));
    }
    let mut told = Told::begin(probe.target().to_owned());

    let (one, two, three) = (read_write.try_read(), read_write.try_read(), read_write.try_read());
    let first = Arc::clone(&semaphore).try_acquire_many_owned(2).unwrap();
    let mut second = semaphore.try_acquire_many(5).unwrap();
    let mut rw = Lock { total: 7, available: 4, holders: 3, listed: 1, acquires: 4 };
    // How many hold what is not listed of a semaphore is not known, but at most.
    let mut sem = Lock { total: PERMITS, available: 3, holders: 6, listed: 1, acquires: 2 };
    told.expect(rw, sem);

    // Parts of what is not listed, one of which goes for good; and the hold that is listed goes first.
    let part = second.split(2).unwrap();
    let mut gone = second.split(1).unwrap();
    gone.merge(second.split(1).unwrap());
    gone.forget();
    drop((one, first));
    (rw.available, rw.holders, rw.listed) = (5, 2, 0);
    told.expect(rw, Lock { total: PERMITS - 2, available: 5, holders: 3, listed: 0, acquires: 2 });

    drop((two, three, part, second));
    (rw.available, rw.holders) = (7, 0);
    told.expect(rw, Lock { total: PERMITS - 2, available: 8, holders: 0, listed: 0, acquires: 2 });

    // One at a time has it again, and is listed.
    let again = semaphore.try_acquire_many(3).unwrap();
    let _writing = read_write.try_write().unwrap();
    sem = Lock { total: PERMITS - 2, available: 5, holders: 1, listed: 1, acquires: 3 };
    (rw.available, rw.holders, rw.listed, rw.acquires) = (0, 1, 1, 5);
    told.expect(rw, sem);
    assert!(told.shed > 0, "it is told that something is missing");
    drop(again);
}
