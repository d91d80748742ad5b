//! The wrappers are `Send`, `Sync`, `Unpin` and unwind-safe exactly when tokio's own types are.
use std::{
    cell::Cell,
    marker::{PhantomData, PhantomPinned},
    panic::{RefUnwindSafe, UnwindSafe},
    rc::Rc,
    sync::Arc,
};

use async_inspect_probe::tokio;

/// Whether a type implements a trait: an inherent constant comes before a trait's, where its bound holds.
macro_rules! implements {
    ($type:ty: $trait:path) => {{
        #[allow(dead_code)]
        struct Of<T: ?Sized>(PhantomData<T>);
        #[allow(dead_code)]
        trait Otherwise {
            const YES: bool = false;
        }
        impl<T: ?Sized> Otherwise for Of<T> {}
        #[allow(dead_code)]
        impl<T: ?Sized + $trait> Of<T> {
            const YES: bool = true;
        }
        <Of<$type>>::YES
    }};
}

macro_rules! same {
    ($($path:ident)::+ [$($parameters:tt)*]) => {
        same!(
            tokio::$($path)::+<$($parameters)*>, tokio::raw::$($path)::+<$($parameters)*>;
            Send Sync Unpin UnwindSafe RefUnwindSafe
        )
    };
    ($($path:ident)::+ [$($parameters:tt)*] $($more:tt)+) => {
        same!($($path)::+ [$($parameters)*]);
        same!($($path)::+ $($more)+);
    };
    ($ours:ty, $tokios:ty; $($trait:ident)*) => {
        $(assert_eq!(
            implements!($ours: $trait),
            implements!($tokios: $trait),
            "{} of {}", stringify!($trait), std::any::type_name::<$ours>()
        );)*
    };
}

/// With contents that are `Send` and `Sync`, only one of them, or neither; and that must not be moved.
macro_rules! same_with_contents {
    ($($($path:ident)::+),* $(,)?) => {
        $(same!($($path)::+ [u8] [Cell<u8>] [OnlySync] [Rc<u8>] [PhantomPinned] [&'static mut u8]);)*
    };
}

macro_rules! same_with_borrowed_contents {
    ($($($path:ident)::+),* $(,)?) => {
        $(same!(
            $($path)::+ ['static, u8] ['static, Cell<u8>] ['static, OnlySync] ['static, Rc<u8>] ['static, PhantomPinned]
        );)*
    };
}

type OnlySync = std::sync::MutexGuard<'static, u8>;

#[test]
fn tasks() {
    same_with_contents!(task::JoinHandle, task::JoinSet);
    same!(task::AbortHandle []);
    same!(task::LocalSet []);
}

#[test]
fn runtimes() {
    same!(runtime::Runtime []);
    same!(runtime::LocalRuntime []);
    same!(runtime::Handle []);
    same!(runtime::Builder []);
}

#[test]
fn locks() {
    same_with_contents!(sync::Mutex, sync::OwnedMutexGuard);
    same_with_borrowed_contents!(sync::MutexGuard, sync::MappedMutexGuard);
    same_with_contents!(sync::RwLock, sync::OwnedRwLockReadGuard, sync::OwnedRwLockWriteGuard);
    same_with_borrowed_contents!(sync::RwLockReadGuard, sync::RwLockWriteGuard, sync::RwLockMappedWriteGuard);
    same!(
        sync::OwnedRwLockMappedWriteGuard [u8, u8] [Cell<u8>, u8] [u8, Cell<u8>] [Rc<u8>, u8] [u8, Rc<u8>] [OnlySync, u8]
    );
    same!(sync::OwnedRwLockReadGuard [u8, Cell<u8>] [u8, OnlySync] [OnlySync, u8] [u8, Rc<u8>]);
    same!(sync::Semaphore []);
    same!(sync::SemaphorePermit ['static]);
    same!(sync::OwnedSemaphorePermit []);
    same!(sync::OwnedMappedMutexGuard [u8, u8] [Cell<u8>, u8] [u8, Cell<u8>] [Rc<u8>, u8] [u8, Rc<u8>] [OnlySync, u8]);
}

#[test]
fn events() {
    same!(sync::Notify []);
    same!(sync::futures::Notified ['static]);
    same!(sync::futures::OwnedNotified []);
    same!(sync::Barrier []);
    same_with_contents!(sync::OnceCell, sync::SetOnce);
}

#[test]
fn timers() {
    same!(time::Sleep []);
    same!(time::Interval []);
    same_with_contents!(time::Timeout);
}

#[test]
fn channels() {
    same_with_contents!(
        sync::oneshot::Sender,
        sync::oneshot::Receiver,
        sync::broadcast::Sender,
        sync::broadcast::WeakSender,
        sync::broadcast::Receiver,
        sync::watch::Sender,
        sync::watch::Receiver,
    );
    same_with_contents!(
        sync::mpsc::Sender,
        sync::mpsc::WeakSender,
        sync::mpsc::Receiver,
        sync::mpsc::OwnedPermit,
        sync::mpsc::UnboundedSender,
        sync::mpsc::WeakUnboundedSender,
        sync::mpsc::UnboundedReceiver,
    );
    same_with_borrowed_contents!(sync::mpsc::Permit, sync::mpsc::PermitIterator);
}

#[test]
fn futures() {
    fn send<T: Send>(_: &T) {}
    fn send_sync<T: Send + Sync>(_: &T) {}
    fn lasting<T: 'static>(_: &T) {}

    let lock = Arc::new(tokio::sync::Mutex::new(Cell::new(0)));
    send_sync(&lock.lock());
    let owned = lock.lock_owned();
    send_sync(&owned);
    lasting(&owned);

    let lock = Arc::new(tokio::sync::RwLock::new(0));
    send_sync(&lock.read());
    send_sync(&lock.write());
    let owned = lock.clone().read_owned();
    send_sync(&owned);
    lasting(&owned);
    let owned = lock.write_owned();
    send_sync(&owned);
    lasting(&owned);
    let permits = Arc::new(tokio::sync::Semaphore::new(1));
    send_sync(&permits.acquire());
    let owned = permits.acquire_many_owned(1);
    send_sync(&owned);
    lasting(&owned);

    let notify = tokio::sync::Notify::new();
    send_sync(&notify.notified());
    let barrier = tokio::sync::Barrier::new(1);
    send_sync(&barrier.wait());
    let cell = tokio::sync::OnceCell::new();
    send_sync(&cell.get_or_init(|| async { 1 }));
    let value = tokio::sync::SetOnce::<u8>::new();
    send_sync(&value.wait());
    let (tx, mut rx) = tokio::sync::broadcast::channel::<u8>(1);
    send_sync(&tx.closed());
    send_sync(&rx.recv());
    let (tx, mut rx) = tokio::sync::watch::channel(0);
    send_sync(&tx.closed());
    send_sync(&rx.changed());
    send(&rx.wait_for(|_| true));
    let (mut tx, _rx) = tokio::sync::oneshot::channel::<u8>();
    send_sync(&tx.closed());

    let (tx, mut rx) = tokio::sync::mpsc::channel::<Cell<u8>>(1);
    send(&tx.send(Cell::new(1)));
    send_sync(&tx.reserve());
    send_sync(&tx.reserve_many(1));
    send_sync(&tx.closed());
    send_sync(&rx.recv());
    let mut buffer = Vec::new();
    send(&rx.recv_many(&mut buffer, 1));
    let reserve = tx.reserve_owned();
    send_sync(&reserve);
    lasting(&reserve);

    let mut set = tokio::task::JoinSet::<Cell<u8>>::new();
    send(&set.join_next());
    send(&set.shutdown());
    send(&set.join_all());
}

#[test]
fn the_question_itself_can_be_answered_either_way() {
    assert!(implements!(u8: Send) && !implements!(Rc<u8>: Send));
    assert!(implements!(Rc<u8>: Unpin) && !implements!(PhantomPinned: Unpin));
}
