//! The layer among others, as an app may have them: what each of them is told, and which callsites it is asked about.
use std::{
    collections::HashMap,
    future::pending,
    io::{self, Write},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{sync::mpsc, task::yield_now, time::interval};
use tracing::{
    Dispatch, Event, Metadata, Subscriber,
    callsite::Identifier,
    dispatcher,
    level_filters::LevelFilter,
    span::{Attributes, Id, Record},
    subscriber::Interest,
};
use tracing_subscriber::{EnvFilter, Registry, fmt, layer::Layer, prelude::*, reload};

/// With the layer alone: what it answers for each callsite, and how often it is asked again about what it refused.
pub(crate) fn asked() {
    let asked = Asked::default();
    let answers = Arc::clone(&asked.answers);
    let again = Arc::clone(&asked.again);
    dispatcher::set_global_default(Dispatch::new(asked)).expect("it is the first");
    // The probe starts on a thread of its own; until then, nothing is wanted.
    while LevelFilter::current() < LevelFilter::TRACE {
        std::thread::sleep(Duration::from_millis(1));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let (tx, mut rx) = mpsc::channel(1);
        tx.send(1).await.unwrap();
        let sender = tokio::spawn(async move { tx.send(2).await.unwrap() });
        for _ in 0..10 {
            tracing::trace!(target: "composed", "of the app's own");
            yield_now().await;
        }
        interval(Duration::from_millis(1)).tick().await;
        while rx.recv().await.is_some() {}
        sender.await.unwrap();
    });
    let answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
    let of = |is: fn(&Metadata<'_>) -> bool| {
        let mut found: Vec<&str> = answers.values().filter(|(of, _)| is(of)).map(|(_, answer)| *answer).collect();
        found.sort_unstable();
        found.dedup();
        found.join(" and ")
    };
    println!("interest in the app's own: {}", of(|of| of.target() == "composed"));
    println!("interest in a spawn: {}", of(|of| of.name() == "runtime.spawn"));
    println!(
        "interest in a send: {}",
        of(|of| of.name() == "runtime.resource.async_op" && of.module_path() == Some("tokio::sync::batch_semaphore"))
    );
    println!("interest in an interval: {}", of(|of| of.module_path() == Some("tokio::time::interval")));
    println!("asked again about what was refused: {}", again.load(Relaxed));
    println!("listening on 127.0.0.1:1");
}

/// Beside a layer with a filter that changes, and a second one of ours, which has to do nothing.
pub(crate) fn among_others() {
    let (filter, handle) = reload::Layer::new(EnvFilter::new("composed=info"));
    let written = Written::default();
    let writer = written.clone();
    let own = fmt::layer().with_ansi(false).without_time().with_writer(move || writer.clone()).with_filter(filter);
    let boxed: Box<dyn Layer<Registry> + Send + Sync> = Box::new(own);
    let (level, of_locks) = reload::Layer::new(LevelFilter::OFF);
    let locked = Locked::default();
    tracing_subscriber::registry()
        .with(boxed)
        .with(locked.clone().with_filter(level))
        .with(async_inspect_probe::layer())
        .with(async_inspect_probe::layer())
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime needs threads").block_on(async {
        tracing::info_span!(target: "composed", "order", id = 7).in_scope(|| {
            tracing::info!(target: "composed", "an order came");
            tracing::debug!(target: "composed", "below its level");
        });
        handle.reload(EnvFilter::new("composed=debug")).expect("the layer is there");
        tracing::debug!(target: "composed", "after reload");
        for _ in 0..3 {
            tokio::spawn(pending::<()>()); // <- exhibit: composed
        }
        yield_now().await;
        let mutex = tokio::sync::Mutex::new(());
        // Until the probe has found that nobody else wants these spans, and for a while after.
        for _ in 0..100 {
            drop(mutex.lock().await);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let before = locked.0.load(Relaxed);
        of_locks.modify(|level| *level = LevelFilter::TRACE).expect("the layer is there");
        drop(mutex.lock().await);
        println!("locks seen by another: {before}, then {}", locked.0.load(Relaxed));
        for line in written.text().lines() {
            println!("fmt: {line}");
        }
        println!("listening on 127.0.0.1:1");
        pending::<()>().await;
    });
}

/// A layer of the app's that counts what is locked.
#[derive(Clone, Default)]
struct Locked(Arc<AtomicU64>);

impl<S: Subscriber> Layer<S> for Locked {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: tracing_subscriber::layer::Context<'_, S>) {
        // Of the lock, and of the semaphore within.
        if attributes.metadata().name() == "runtime.resource.async_op" {
            self.0.fetch_add(1, Relaxed);
        }
    }
}

/// What a layer of the app's writes.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

type Answers = Arc<Mutex<HashMap<Identifier, (&'static Metadata<'static>, &'static str)>>>;

/// Passes everything on to a registry with the layer, and keeps what is answered.
struct Asked {
    to: Box<dyn Subscriber + Send + Sync>,
    answers: Answers,
    again: Arc<AtomicU64>,
}

impl Default for Asked {
    fn default() -> Self {
        let to = Box::new(tracing_subscriber::registry().with(async_inspect_probe::layer()));
        Self { to, answers: Arc::default(), again: Arc::default() }
    }
}

impl Subscriber for Asked {
    fn on_register_dispatch(&self, subscriber: &Dispatch) {
        // The box's own, which passes nothing on: the layer has to do without.
        self.to.on_register_dispatch(subscriber);
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        let interest = self.to.register_callsite(metadata);
        let answer = match (interest.is_never(), interest.is_always()) {
            (true, _) => "never",
            (_, true) => "always",
            _ => "sometimes",
        };
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.insert(metadata.callsite(), (metadata, answer));
        interest
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.get(&metadata.callsite()).is_some_and(|(_, answer)| *answer == "never") {
            self.again.fetch_add(1, Relaxed);
        }
        drop(answers);
        self.to.enabled(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.to.max_level_hint()
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.to.new_span(span)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        self.to.record(span, values);
    }

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        self.to.record_follows_from(span, follows);
    }

    fn event_enabled(&self, event: &Event<'_>) -> bool {
        self.to.event_enabled(event)
    }

    fn event(&self, event: &Event<'_>) {
        self.to.event(event);
    }

    fn enter(&self, span: &Id) {
        self.to.enter(span);
    }

    fn exit(&self, span: &Id) {
        self.to.exit(span);
    }

    fn clone_span(&self, id: &Id) -> Id {
        self.to.clone_span(id)
    }

    fn try_close(&self, id: Id) -> bool {
        self.to.try_close(id)
    }
}
