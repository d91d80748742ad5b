//! The probe's own thread: a small runtime of plain tokio for the collector and the server, so that both still answer
//! when every worker of the app is blocked. Whatever goes wrong on it stays on it.
use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::mpsc,
    time::Duration,
};

use ::tokio::{
    runtime,
    time::{MissedTickBehavior, interval},
};
use futures_util::future::{Either, select};
use tonic::{service::Routes, transport::Server};

use crate::{
    collector::{Collector, Subscribers, TICK_MS},
    recorder,
    say::say,
    service::{Identity, Listener, Service, incoming},
};

/// Between two pieces of a snapshot, when the subscriber's queue was full.
const SNAPSHOT_PAUSE: Duration = Duration::from_millis(2);

/// The thread, which waits for the recorder to be started.
pub(super) struct Thread(mpsc::Sender<()>);

impl Thread {
    /// The recorder is started.
    pub(super) fn go(self) {
        // A thread that is not there any more has said why.
        let _ = self.0.send(());
    }
}

/// The thread's runtime. Where the system gives no thread, it is dropped where it was built, which may be in a task of the
/// app's: tokio panics there, unless nothing is waited for.
struct Runtime(Option<runtime::Runtime>);

impl Drop for Runtime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Starts the thread.
pub(super) fn spawn(listener: Listener, identity: Identity, stacks: bool) -> io::Result<Thread> {
    let runtime = Runtime(Some(runtime::Builder::new_current_thread().enable_io().enable_time().build()?));
    let (go, gone) = mpsc::channel();
    std::thread::Builder::new().name("async-inspect".to_owned()).spawn(move || {
        recorder::own_thread::begin();
        let (Some(runtime), Ok(())) = (&runtime.0, gone.recv()) else { return };
        let run = AssertUnwindSafe(|| runtime.block_on(run(listener, identity, stacks)));
        match catch_unwind(run) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => say(&format!("the probe stopped: {error}. The app runs on, unwatched.")),
            Err(_) => say("the probe stopped by a panic of its own. The app runs on, unwatched."),
        }
    })?;
    Ok(Thread(go))
}

async fn run(
    listener: Listener,
    identity: Identity,
    stacks: bool,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let Some(recorder) = recorder::active() else { return Ok(()) };
    let subscribers = Subscribers::default();
    let collector = Collector::new(recorder, stacks);
    #[cfg(feature = "console")]
    let subscribers = subscribers.with_consoles(collector.consoles());
    let service = Service { recorder, identity, subscribers: subscribers.clone(), no_stacks: collector.no_stacks() };
    let routes = Routes::new(service.into_server());
    #[cfg(feature = "console")]
    let routes = {
        let console = crate::console::Service::new(recorder, collector.consoles(), subscribers.clone());
        routes.add_service(console.into_server())
    };
    let collecting = collect(collector, subscribers);
    #[cfg(feature = "layer")]
    let collecting = async {
        let (never, ()) = futures_util::future::join(collecting, crate::layer::refuse_what_is_not_needed()).await;
        never
    };
    match select(pin!(serve(listener, routes)), pin!(collecting)).await {
        Either::Left((served, _)) => served,
        Either::Right((never, _)) => match never {},
    }
}

async fn serve(listener: Listener, routes: Routes) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let server = Server::builder()
        .max_concurrent_streams(Some(16))
        .max_connection_age(Duration::from_hours(24))
        .http2_keepalive_interval(Some(Duration::from_secs(10)))
        .http2_keepalive_timeout(Some(Duration::from_secs(10)))
        .add_routes(routes);
    match listener {
        Listener::Tcp(listener) => {
            let listener = ::tokio::net::TcpListener::from_std(listener)?;
            server.serve_with_incoming(incoming(listener)).await?;
        }
        #[cfg(unix)]
        Listener::Unix(listener) => {
            let listener = ::tokio::net::UnixListener::from_std(listener)?;
            server.serve_with_incoming(incoming(listener)).await?;
        }
    }
    Ok(())
}

/// Ticks while somebody is attached.
async fn collect(mut collector: Collector, subscribers: Subscribers) -> std::convert::Infallible {
    loop {
        subscribers.joined().await;
        let _beating = recorder::standstill::beat();
        let mut ticks = interval(Duration::from_millis(u64::from(TICK_MS)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while subscribers.any() {
            let next_tick = ticks.tick().await + ticks.period();
            collector.tick(&subscribers).await;
            let tick_over = ::tokio::time::Instant::now() + Duration::from_millis(u64::from(TICK_MS) / 2);
            while subscribers.wants_snapshot() && ::tokio::time::Instant::now() < tick_over {
                ::tokio::time::sleep(SNAPSHOT_PAUSE).await;
                collector.continue_snapshots(&subscribers);
            }
            let mut looks = 0;
            while let Some(pause) = collector.closer_look(looks)
                && ::tokio::time::Instant::now() + pause < next_tick
            {
                ::tokio::time::sleep(pause).await;
                collector.look_closer();
                looks += 1;
            }
            subscribers.forget_closed();
        }
        collector.stop();
    }
}
