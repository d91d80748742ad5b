//! Synchronization primitives: tokio's [`sync`](raw::sync) module, with locks and channels watched.
#[cfg(doc)]
use crate::tokio::raw;

#[cfg(feature = "watch-locks")]
mod barrier;
#[cfg(feature = "watch-channels")]
pub mod broadcast;
#[cfg(any(feature = "watch-locks", feature = "watch-channels"))]
#[cfg(any(feature = "watch-locks", feature = "watch-channels"))]
mod coop;
#[cfg(feature = "watch-locks")]
mod lock_watch;
#[cfg(feature = "watch-channels")]
pub mod mpsc;
#[cfg(feature = "watch-locks")]
mod mutex;
#[cfg(feature = "watch-locks")]
mod notify;
#[cfg(feature = "watch-locks")]
mod once_cell;
#[cfg(feature = "watch-channels")]
pub mod oneshot;
#[cfg(feature = "watch-locks")]
mod rwlock;
#[cfg(feature = "watch-locks")]
mod semaphore;
#[cfg(feature = "watch-locks")]
mod set_once;
#[cfg(feature = "watch-channels")]
pub mod watch;

pub use ::tokio::sync::*;
#[cfg(feature = "watch-locks")]
pub use barrier::Barrier;
#[cfg(feature = "watch-locks")]
pub use mutex::{MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard};
#[cfg(feature = "watch-locks")]
pub use notify::Notify;
#[cfg(feature = "watch-locks")]
pub use once_cell::OnceCell;
#[cfg(feature = "watch-locks")]
pub use rwlock::{
    OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock, RwLockMappedWriteGuard,
    RwLockReadGuard, RwLockWriteGuard,
};
#[cfg(feature = "watch-locks")]
pub use semaphore::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
#[cfg(feature = "watch-locks")]
pub use set_once::SetOnce;

/// Named futures: tokio's [`sync::futures`](raw::sync::futures) module, watched.
#[cfg(feature = "watch-locks")]
pub mod futures {
    pub use super::notify::{Notified, OwnedNotified};
}
