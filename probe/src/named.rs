//! Names for what has none.

/// Gives a name to a lock, a channel, a task, the tasks of a set, a token or a tracker; inspectors and findings then call it by
/// that.
///
/// ```
/// use async_inspect_probe::{Named, tokio};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let limit = tokio::sync::Semaphore::new(10).named("uploads");
/// let (orders, inbox) = tokio::sync::mpsc::channel::<u64>(64).named("orders");
/// let mailer = tokio::spawn(async {}).named("mailer");
///
/// let mut connections = tokio::task::JoinSet::new().named("connections");
/// connections.spawn(async {}); // one of the connections
/// connections.spawn(async {}).named("pings");
/// # drop((limit, orders, inbox));
/// # mailer.await.unwrap();
/// # connections.join_all().await;
/// # }
/// ```
///
/// What is there already, a `static` above all, is named by [`set_name`](Named::set_name), at any time:
///
/// ```
/// use async_inspect_probe::{Named, tokio};
/// use tokio::sync::Mutex;
///
/// static PRICES: Mutex<Vec<u64>> = Mutex::const_new(Vec::new());
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// PRICES.set_name("prices");
/// PRICES.lock().await.push(42);
/// # }
/// ```
///
/// tokio's own types have it too, and do nothing with it: code that names its things compiles with plain tokio, or where a
/// feature leaves them unwatched, and costs nothing there.
///
/// The name of a `JoinSet`, a `JoinMap` or a `JoinQueue` is that of its tasks, as far as they are given none of their own: of
/// those that are spawned into it from then on, and of a `JoinSet`'s that are in it.
///
/// Of oneshot channels, all that are made on one line have one name: there are as many as there are requests. Where such a
/// line gives several names, they go by their type.
///
/// A name is kept up to 64 bytes, and 4096 different ones in a process: they are for kinds of things, not for each request.
/// What is one too many is counted in what inspectors say was not kept.
pub trait Named {
    /// Itself, named.
    #[allow(clippy::return_self_not_must_use, reason = "the handle of a task is often let go")]
    fn named(self, name: &str) -> Self
    where
        Self: Sized,
    {
        self.set_name(name);
        self
    }

    /// Names what is there already, or names it anew; the empty name takes its name away.
    fn set_name(&self, name: &str);
}

/// Both sides of a channel.
impl<Sender: Named, Receiver> Named for (Sender, Receiver) {
    fn set_name(&self, name: &str) {
        self.0.set_name(name);
    }
}

/// For a lock with a field `watch`.
#[cfg(feature = "watch-locks")]
macro_rules! names_lock {
    ([$($generics:tt)*] for $Lock:ty) => {
        impl<$($generics)*> $crate::Named for $Lock {
            fn set_name(&self, name: &str) {
                self.watch.set_name(name);
            }
        }
    };
}

/// For a handle with a channel in `place`, if it is recorded.
#[cfg(feature = "watch-channels")]
macro_rules! names_slot {
    ($($Handle:ident: $($place:tt).+;)*) => {
        $(impl<T> $crate::Named for $Handle<T> {
            fn set_name(&self, name: &str) {
                if let Some(of) = &self.$($place).+ {
                    of.slot().set_name(name);
                }
            }
        })*
    };
}

#[cfg(feature = "watch-locks")]
pub(crate) use names_lock;
#[cfg(feature = "watch-channels")]
pub(crate) use names_slot;

macro_rules! nameless {
    ($([$($generics:tt)*] $Type:ty;)*) => {
        $(/// Of tokio's own: it stays nameless.
        impl<$($generics)*> Named for $Type {
            fn set_name(&self, _: &str) {}
        })*
    };
}

nameless! {
    [T: ?Sized] ::tokio::sync::Mutex<T>;
    [T: ?Sized] ::tokio::sync::RwLock<T>;
    [] ::tokio::sync::Semaphore;
    [] ::tokio::sync::Notify;
    [] ::tokio::sync::Barrier;
    [T] ::tokio::sync::OnceCell<T>;
    [T] ::tokio::sync::SetOnce<T>;
    [T] ::tokio::sync::mpsc::Sender<T>;
    [T] ::tokio::sync::mpsc::Receiver<T>;
    [T] ::tokio::sync::mpsc::UnboundedSender<T>;
    [T] ::tokio::sync::mpsc::UnboundedReceiver<T>;
    [T] ::tokio::sync::broadcast::Sender<T>;
    [T] ::tokio::sync::broadcast::Receiver<T>;
    [T] ::tokio::sync::watch::Sender<T>;
    [T] ::tokio::sync::watch::Receiver<T>;
    [T] ::tokio::sync::oneshot::Sender<T>;
    [T] ::tokio::sync::oneshot::Receiver<T>;
    [T] ::tokio::task::JoinHandle<T>;
    [] ::tokio::task::AbortHandle;
    [T] ::tokio::task::JoinSet<T>;
}

#[cfg(feature = "tokio-util")]
nameless! {
    [] ::tokio_util::sync::CancellationToken;
}

#[cfg(feature = "tokio-util-rt")]
nameless! {
    [] ::tokio_util::task::TaskTracker;
    [T] ::tokio_util::task::JoinQueue<T>;
}

#[cfg(feature = "tokio-util-join-map")]
nameless! {
    [K, V, S] ::tokio_util::task::JoinMap<K, V, S>;
}
