//! Names for what has none.

/// Gives a name to a lock, a channel, a task, a token or a tracker; inspectors and findings then call it by that.
///
/// ```
/// use async_inspect_probe::{Named, tokio};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let limit = tokio::sync::Semaphore::new(10).named("uploads");
/// let (orders, inbox) = tokio::sync::mpsc::channel::<u64>(64).named("orders");
/// let mailer = tokio::spawn(async {}).named("mailer");
/// # drop((limit, orders, inbox));
/// # mailer.await.unwrap();
/// # }
/// ```
///
/// tokio's own types have it too, and do nothing with it: code that names its things compiles with plain tokio, or where a
/// feature leaves them unwatched, and costs nothing there.
///
/// Of oneshot channels, all that are made on one line have one name: there are as many as there are requests. Where such a
/// line gives several names, they go by their type.
///
/// A name is kept up to 64 bytes, and 4096 different ones in a process: they are for kinds of things, not for each request.
/// What is one too many is counted in what inspectors say was not kept.
pub trait Named: Sized {
    /// Itself, named.
    #[allow(clippy::return_self_not_must_use, reason = "the handle of a task is often let go")]
    fn named(self, name: &str) -> Self;
}

/// Both sides of a channel.
impl<Sender: Named, Receiver> Named for (Sender, Receiver) {
    fn named(self, name: &str) -> Self {
        (self.0.named(name), self.1)
    }
}

/// For a lock with a field `watch`.
#[cfg(feature = "watch-locks")]
macro_rules! names_lock {
    ([$($generics:tt)*] for $Lock:ty) => {
        impl<$($generics)*> $crate::Named for $Lock {
            fn named(mut self, name: &str) -> Self {
                self.watch.set_name(name);
                self
            }
        }
    };
}

/// For a handle with a channel in `place`, if it is recorded.
#[cfg(feature = "watch-channels")]
macro_rules! names_slot {
    ($($Handle:ident: $($place:tt).+;)*) => {
        $(impl<T> $crate::Named for $Handle<T> {
            fn named(self, name: &str) -> Self {
                if let Some(of) = &self.$($place).+ {
                    of.slot().set_name(name);
                }
                self
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
            fn named(self, _: &str) -> Self {
                self
            }
        })*
    };
}

nameless! {
    [T] ::tokio::sync::Mutex<T>;
    [T] ::tokio::sync::RwLock<T>;
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
}

#[cfg(feature = "tokio-util")]
nameless! {
    [] ::tokio_util::sync::CancellationToken;
}

#[cfg(feature = "tokio-util-rt")]
nameless! {
    [] ::tokio_util::task::TaskTracker;
}
