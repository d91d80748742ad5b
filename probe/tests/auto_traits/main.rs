//! The wrappers are `Send`, `Sync`, `Unpin` and unwind-safe exactly when tokio's own types are.
use std::{
    cell::Cell,
    marker::{PhantomData, PhantomPinned},
    panic::{RefUnwindSafe, UnwindSafe},
    rc::Rc,
};

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
    (in $of:ident: $($path:ident)::+ [$($parameters:tt)*]) => {
        same!(
            async_inspect_probe::$of::$($path)::+<$($parameters)*>,
            async_inspect_probe::$of::raw::$($path)::+<$($parameters)*>;
            Send Sync Unpin UnwindSafe RefUnwindSafe
        )
    };
    (in $of:ident: $($path:ident)::+ [$($parameters:tt)*] $($more:tt)+) => {
        same!(in $of: $($path)::+ [$($parameters)*]);
        same!(in $of: $($path)::+ $($more)+)
    };
    ($($path:ident)::+ [$($parameters:tt)*] $($more:tt)*) => {
        same!(in tokio: $($path)::+ [$($parameters)*] $($more)*)
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
    (in $of:ident: $($($path:ident)::+),* $(,)?) => {
        $(same!(in $of: $($path)::+ [u8] [Cell<u8>] [OnlySync] [Rc<u8>] [PhantomPinned] [&'static mut u8]);)*
    };
    ($($($path:ident)::+),* $(,)?) => {
        same_with_contents!(in tokio: $($($path)::+),*)
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
    #[cfg(all(tokio_unstable, feature = "tracing"))]
    {
        same!(task::Builder ['static]);
        same_with_borrowed_contents!(task::join_set::Builder);
    }
}

#[test]
fn of_tokio_util() {
    same!(in tokio_util: sync::CancellationToken []);
    same!(in tokio_util: sync::DropGuard []);
    same!(in tokio_util: sync::DropGuardRef ['static]);
    same!(in tokio_util: sync::WaitForCancellationFuture ['static]);
    same!(in tokio_util: sync::WaitForCancellationFutureOwned []);
    same!(in tokio_util: sync::PollSemaphore []);
    same!(in tokio_util: sync::PollSender [u8] [Cell<u8>] [&'static mut u8]);
    same!(in tokio_util: task::TaskTracker []);
    same!(in tokio_util: task::task_tracker::TaskTrackerToken []);
    same!(in tokio_util: task::task_tracker::TaskTrackerWaitFuture ['static]);
    same!(in tokio_util: task::AbortOnDrop []);
    same!(in tokio_util: task::LocalPoolHandle []);
    same_with_contents!(in tokio_util: task::task_tracker::TrackedFuture, task::AbortOnDropHandle, task::JoinQueue);
    same_with_contents!(in tokio_util: context::TokioContext, io::SyncIoBridge);
    same!(in tokio_util: task::JoinMap [u8, u8] [Cell<u8>, u8] [u8, Cell<u8>] [Rc<u8>, u8] [u8, Rc<u8>] [OnlySync, u8]);
}

#[test]
fn of_tokio_stream() {
    same_with_contents!(
        in tokio_stream:
        wrappers::ReceiverStream,
        wrappers::UnboundedReceiverStream,
        wrappers::BroadcastStream,
        wrappers::WatchStream,
        wrappers::JoinSetStream,
    );
    same!(in tokio_stream: wrappers::IntervalStream []);
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

/// Asks a value whose type has no name whether it implements a trait: an `Rc` is equal to itself without asking what is in
/// it, if that is `Eq`.
macro_rules! asks {
    ($($asks:ident $trait:ident)*) => {
        $(fn $asks<T>(_: &T) -> bool {
            struct Of<T>(PhantomData<T>);
            impl<T> PartialEq for Of<T> {
                fn eq(&self, _: &Self) -> bool {
                    false
                }
            }
            impl<T: $trait> Eq for Of<T> {}
            let of = Rc::new(Of(PhantomData::<T>));
            Rc::eq(&of, &of)
        })*

        /// Every trait, with the answer.
        fn ask_all<T>(of: &T) -> Vec<(&'static str, bool)> {
            vec![$((stringify!($trait), $asks(of))),*]
        }
    };
}

asks!(is_send Send is_sync Sync is_unpin Unpin is_unwind_safe UnwindSafe is_ref_unwind_safe RefUnwindSafe);

/// The futures of the drop-in.
mod ours {
    use async_inspect_probe::tokio;

    include!("futures.rs");
}

/// The futures of tokio itself, made by the same lines.
mod tokios {
    use async_inspect_probe::tokio::raw as tokio;

    include!("futures.rs");
}

#[test]
fn futures() {
    let (ours, tokios) = (ours::answers(), tokios::answers());
    assert!(ours.len() > 150, "the futures are asked: {}", ours.len());
    let mut differ = Vec::new();
    for ((future, ours), (_, tokios)) in ours.iter().zip(&tokios) {
        differ.extend(ours.iter().zip(tokios).filter(|(ours, tokios)| ours != tokios).map(|of| (future, of.0)));
    }
    assert!(differ.is_empty(), "only ours is, or only ours is not: {differ:#?}");
}

#[test]
fn the_question_itself_can_be_answered_either_way() {
    assert!(implements!(u8: Send) && !implements!(Rc<u8>: Send));
    assert!(implements!(Rc<u8>: Unpin) && !implements!(PhantomPinned: Unpin));
    let local = async {
        let kept = Rc::new(1);
        std::future::ready(()).await;
        drop(kept);
    };
    assert!(is_send(&async {}) && !is_send(&local));
}
