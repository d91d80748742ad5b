// Included twice: with the drop-in as `tokio`, and with tokio itself.
use std::{cell::Cell, future::ready, marker::PhantomData, rc::Rc, sync::Arc, time::Duration};

use tokio::{
    runtime::Builder,
    sync::{Barrier, Mutex, Notify, OnceCell, RwLock, Semaphore, SetOnce, broadcast, mpsc, oneshot, watch},
    task::{self, JoinSet, LocalSet},
    time,
};

/// Contents that can be shared, and not sent.
#[derive(Clone, Debug)]
struct OnlySync(PhantomData<std::sync::MutexGuard<'static, u8>>);

/// The future, and what it is.
pub(super) fn answers() -> Vec<(String, Vec<(&'static str, bool)>)> {
    let mut all = Vec::new();
    macro_rules! ask {
        ($with:literal $($future:expr;)*) => {
            $({
                let what = super::ask_all(&$future);
                all.push((format!("{} of {}", stringify!($future), $with), what));
            })*
        };
    }
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let _entered = runtime.enter();

    macro_rules! with {
        ($name:literal, $value:expr) => {
            let lock = Arc::new(Mutex::new($value));
            ask!($name lock.lock(); lock.clone().lock_owned(););
            let lock = Arc::new(RwLock::new($value));
            ask!($name lock.read(); lock.write(); lock.clone().read_owned(); lock.clone().write_owned(););
            let cell = OnceCell::new();
            ask!($name
                cell.get_or_init(|| ready($value));
                cell.get_or_init(|| async { $value });
                cell.get_or_try_init(|| async { Ok::<_, u8>($value) });
            );
            let once = SetOnce::new();
            ask!($name once.wait(););
            let _ = once.set($value);

            let (tx, mut rx) = broadcast::channel(1);
            ask!($name tx.closed(); rx.recv(););
            let _ = tx.send($value);
            let (tx, mut rx) = watch::channel($value);
            ask!($name tx.closed(); rx.changed(); rx.wait_for(|_| true););
            let (mut tx, rx) = oneshot::channel();
            ask!($name tx.closed(); rx;);
            let _ = tx.send($value);
            let (tx, mut rx) = mpsc::channel(1);
            let mut buffer = Vec::new();
            ask!($name
                tx.send($value);
                tx.send_timeout($value, Duration::ZERO);
                tx.reserve();
                tx.reserve_many(1);
                tx.clone().reserve_owned();
                tx.closed();
                rx.recv();
                rx.recv_many(&mut buffer, 1);
            );
            let (tx, mut rx) = mpsc::unbounded_channel();
            ask!($name tx.closed(); rx.recv(); rx.recv_many(&mut buffer, 1););
            let _ = tx.send($value);

            ask!($name
                time::timeout(Duration::ZERO, ready($value));
                LocalSet::new().run_until(ready($value));
                task::unconstrained(ready($value));
                task::spawn_local(ready($value));
            );
            let mut set = JoinSet::new();
            ask!($name set.join_next(); set.join_next_with_id(); set.shutdown(););
            let local = LocalSet::new();
            set.spawn_local_on(ready($value), &local);
            ask!($name set.join_all(););
        };
    }
    // Where the futures of `spawn_local` above are spawned.
    let local = LocalSet::new();
    let _within = local.enter();
    with!("u8", 1_u8);
    with!("Cell", Cell::new(1_u8));
    with!("Rc", Rc::new(1_u8));
    with!("OnlySync", OnlySync(PhantomData));

    let permits = Arc::new(Semaphore::new(1));
    let notify = Arc::new(Notify::new());
    let barrier = Barrier::new(1);
    let mut interval = time::interval(Duration::from_secs(1));
    ask!("itself"
        permits.acquire();
        permits.acquire_many(1);
        permits.clone().acquire_owned();
        permits.clone().acquire_many_owned(1);
        notify.notified();
        notify.clone().notified_owned();
        barrier.wait();
        interval.tick();
        time::sleep(Duration::ZERO);
        task::yield_now();
        task::consume_budget();
        task::spawn(async {});
        task::spawn_blocking(|| {});
    );
    all
}
