//! What console-api's own client is told of a watched program.
#![cfg(feature = "console")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod mirror;

use std::{
    future::pending,
    sync::{Arc, OnceLock},
    time::{Duration, Instant, SystemTime},
};

use async_inspect_probe::{Named, tokio as watched};
use console_api::{
    instrument::{PauseRequest, ResumeRequest, StateRequest, TaskDetailsRequest, Temporality},
    resources,
    tasks::{self, task_details::PollTimesHistogram},
};
use mirror::{Client, Mirror, attribute, time, value};
use tonic::Code;

/// Where the probe of this process listens.
fn target() -> &'static str {
    static TARGET: OnceLock<String> = OnceLock::new();
    TARGET.get_or_init(|| {
        let probe = async_inspect_probe::Builder::new().listen("127.0.0.1:0").unwrap().start().unwrap();
        probe.target().to_owned()
    })
}

/// A watched program, on threads of its own; ended when dropped, wherever that is.
struct App(Option<watched::runtime::Runtime>);

impl App {
    #[track_caller]
    fn spawn<F: Future<Output: Send> + Send + 'static>(&self, future: F) -> watched::task::JoinHandle<F::Output> {
        self.0.as_ref().unwrap().spawn(future)
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.0.take().unwrap().shutdown_background();
    }
}

fn app() -> App {
    target();
    App(Some(watched::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()))
}

/// The same program seen by a client on a runtime that nobody watches.
fn with_client<F: Future>(test: impl FnOnce(Client) -> F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { test(Client::connect(target()).await.unwrap()).await })
}

async fn sleeper() {
    loop {
        watched::time::sleep(Duration::from_millis(5)).await;
    }
}

#[test]
fn a_task_has_its_name_its_line_and_its_figures() {
    let app = app();
    let line = line!() + 1;
    let task = app.spawn(sleeper());
    with_client(|mut client| async move {
        let mut mirror = Mirror::attach(&mut client).await;
        mirror
            .until("a task that is polled", |mirror| {
                mirror.tasks_named("sleeper").any(|(_, stats)| stats.poll_stats.as_ref().unwrap().polls > 3)
            })
            .await;
        let (told, stats) = mirror.tasks_named("sleeper").next().unwrap();
        let location = told.location.as_ref().unwrap();
        assert_eq!((location.file.as_deref(), location.line), (Some(file!()), Some(line)));
        assert_eq!(value(&told.fields, "task.id").unwrap().to_string(), task.id().to_string());
        assert_eq!(value(&told.fields, "kind").unwrap().to_string(), "task");
        assert_ne!(value(&told.fields, "size.bytes").unwrap().to_string(), "0");
        let polls = stats.poll_stats.as_ref().unwrap();
        assert!(stats.wakes > 2 && stats.wakes >= polls.polls - 2, "{stats:?}");
        assert!(stats.waker_clones > stats.waker_drops, "its timer has its waker");
        assert!(Duration::try_from(polls.busy_time.unwrap()).unwrap() > Duration::ZERO);
        assert!(time(polls.last_poll_ended) > time(stats.created_at));
    });
}

#[test]
fn names_are_told_those_that_are_given_late_too() {
    struct Till;
    async fn nameless() {
        pending::<()>().await;
    }
    let app = app();
    let till = watched::sync::Mutex::new(Till).named("till");
    drop(till.try_lock());
    let task = app.spawn(nameless());
    with_client(|mut client| async move {
        let mut mirror = Mirror::attach(&mut client).await;
        mirror.until("the task", |mirror| mirror.alive("nameless") == 1).await;
        let till_is_named = |mirror: &Mirror| mirror.attribute("Mutex<Till>", "name").as_deref() == Some("till");
        mirror.until("the lock's name", till_is_named).await;
        let task = task.named("cashier");
        mirror.until("its name", |mirror| mirror.alive("cashier") == 1 && mirror.alive("nameless") == 0).await;
        task.abort();
        mirror.until("its end", |mirror| mirror.alive("cashier") == 0).await;
        drop(till);
    });
}

#[test]
fn a_poll_in_progress_runs_and_blocking_work_is_told_as_such() {
    async fn blocker(end: std::sync::mpsc::Receiver<()>) {
        watched::task::yield_now().await;
        let _ = end.recv();
    }
    let app = app();
    let (end_task, ends) = std::sync::mpsc::channel();
    let task = app.spawn(blocker(ends));
    let (end_work, ends) = std::sync::mpsc::channel::<()>();
    let work = app.0.as_ref().unwrap().spawn_blocking(move || ends.recv());
    let work_id = work.id().to_string();
    with_client(|mut client| async move {
        let mut mirror = Mirror::attach(&mut client).await;
        let runs = |stats: &tasks::Stats| {
            let polls = stats.poll_stats.as_ref().unwrap();
            time(polls.last_poll_started) > time(polls.last_poll_ended)
        };
        let kind = |task: &tasks::Task| value(&task.fields, "kind").unwrap().to_string();
        mirror.until("the blocked poll", |mirror| mirror.tasks_named("blocker").any(|(_, stats)| runs(stats))).await;
        assert_eq!(kind(mirror.tasks_named("blocker").next().unwrap().0), "task");
        let is_work = |task: &tasks::Task| value(&task.fields, "task.id").is_some_and(|id| id.to_string() == work_id);
        mirror
            .until("the work", |mirror| mirror.tasks.values().any(|(task, stats)| is_work(task) && runs(stats)))
            .await;
        let (told, _) = mirror.tasks.values().find(|(task, _)| is_work(task)).unwrap();
        assert_eq!((kind(told).as_str(), told.kind()), ("blocking", tasks::task::Kind::Blocking));

        drop((end_task, end_work));
        task.await.unwrap();
        let _ = work.await.unwrap();
        mirror
            .until("their end", |mirror| {
                mirror.alive("blocker") == 0
                    && mirror
                        .tasks
                        .values()
                        .any(|(task, stats)| is_work(task) && stats.dropped_at.is_some() && !runs(stats))
            })
            .await;
    });
}

#[test]
fn a_task_that_nothing_can_wake_is_told_so_once_that_is_certain() {
    async fn forsaken() {
        pending::<()>().await;
    }
    let app = app();
    with_client(|mut client| async move {
        let mut mirror = Mirror::attach(&mut client).await;
        let spawned = Instant::now();
        let task = app.spawn(forsaken());
        let wakers = |stats: &tasks::Stats| stats.waker_clones - stats.waker_drops;
        mirror.until("the task", |mirror| mirror.alive("forsaken") == 1).await;
        mirror.until("no waker", |mirror| mirror.tasks_named("forsaken").all(|(_, stats)| wakers(stats) == 0)).await;
        assert!(spawned.elapsed() >= Duration::from_secs(1), "a wake on its way looks the same for a moment");
        drop(task);
    });
}

#[test]
fn births_and_deaths_are_counted_exactly() {
    async fn short_lived() {
        pending::<()>().await;
    }
    let app = app();
    with_client(|mut client| async move {
        let mut mirror = Mirror::attach(&mut client).await;
        let first: Vec<_> = (0..500).map(|_| app.spawn(short_lived())).collect();
        mirror.until("500 tasks", |mirror| mirror.alive("short_lived") == 500).await;
        first.iter().take(200).for_each(watched::task::JoinHandle::abort);
        mirror.until("300 tasks", |mirror| mirror.alive("short_lived") == 300).await;
        // Their slots go to new tasks at once.
        drop(first);
        let _second: Vec<_> = (0..200).map(|_| app.spawn(short_lived())).collect();
        mirror
            .until("all 700 and 500", |mirror| {
                mirror.tasks_named("short_lived").count() == 700 && mirror.alive("short_lived") == 500
            })
            .await;
        drop(app);
        mirror.until("none", |mirror| mirror.alive("short_lived") == 0).await;
    });
}

#[test]
fn a_client_that_does_not_read_is_told_the_newest_later_and_of_every_death() {
    const TASKS: usize = 40_000;
    async fn crowd() {
        pending::<()>().await;
    }
    async fn late_comer() {
        pending::<()>().await;
    }
    let app = app();
    let tasks: Vec<_> = (0..TASKS).map(|_| app.spawn(crowd())).collect();
    with_client(|mut client| async move {
        let mut mirror = Mirror::attach(&mut client).await;
        mirror.until("the first of many messages", |mirror| mirror.alive("crowd") > 0).await;
        assert!(mirror.alive("crowd") < TASKS, "the first message is short");
        tokio::time::sleep(Duration::from_millis(300)).await;
        drop(app);
        drop(tasks);
        let app = self::app();
        let _late: Vec<_> = (0..100).map(|_| app.spawn(late_comer())).collect();
        tokio::time::sleep(Duration::from_millis(1500)).await;
        mirror
            .until("the state of now", |mirror| mirror.alive("crowd") == 0 && mirror.alive("late_comer") == 100)
            .await;
        assert_eq!(mirror.dropped_tasks, 0);

        // Who comes later is not told of them at all.
        let mut mirror = Mirror::attach(&mut client).await;
        mirror.until("the living", |mirror| mirror.alive("late_comer") == 100).await;
        assert_eq!(mirror.alive("crowd"), 0);
    });
}

#[test]
fn locks_and_channels_have_their_state_and_who_waits_for_them_is_an_op() {
    struct Ledger;
    struct Order;
    let app = app();
    let ledger = Arc::new(watched::sync::Mutex::new(Ledger));
    let made = line!() - 1;
    let (orders, mut inbox) = watched::sync::mpsc::channel::<Order>(2);
    let held = ledger.clone();
    let holder = app.spawn(async move {
        let _ledger = held.lock().await;
        pending::<()>().await;
    });
    let holder_id = holder.id().to_string();
    with_client(|mut client| async move {
        let mut mirror = Mirror::attach(&mut client).await;
        mirror
            .until("the holder", |mirror| mirror.attribute("Mutex<Ledger>", "holder") == Some(holder_id.clone()))
            .await;
        let (mutex, stats) = mirror.resource("Mutex<Ledger>").unwrap();
        let location = mutex.location.as_ref().unwrap();
        assert_eq!((location.file.as_deref(), location.line), (Some(file!()), Some(made)));
        assert_eq!(attribute(&stats.attributes, "locked").as_deref(), Some("true"));
        assert_eq!(mirror.waiting("Mutex<Ledger>").len(), 0);

        let waiter = app.spawn(async move {
            let _ledger = ledger.lock().await;
        });
        let sender = app.spawn(async move {
            for _ in 0..3 {
                let _ = orders.send(Order).await;
            }
            pending::<()>().await;
        });
        mirror.until("one that waits for the lock", |mirror| mirror.waiting("Mutex<Ledger>").len() == 1).await;
        assert_eq!(mirror.attribute("Mutex<Ledger>", "waiters").as_deref(), Some("1"));
        let (source, op) = mirror.waiting("Mutex<Ledger>")[0];
        assert_eq!(source, "acquire");
        assert_eq!(op.task_id.as_ref().unwrap().id.to_string(), waiter.id().to_string());
        assert!(attribute(&op.attributes, "at").unwrap().starts_with(file!()));
        let polls = op.poll_stats.as_ref().unwrap();
        assert!(polls.polls >= 1 && polls.last_poll_ended.is_some(), "it was polled and is pending: {polls:?}");
        assert!(time(op.created_at).unwrap() <= SystemTime::now());

        mirror
            .until("a full channel", |mirror| {
                mirror.attribute("mpsc<Order>", "senders_waiting").as_deref() == Some("1")
                    && mirror.waiting("mpsc<Order>").iter().any(|(source, _)| *source == "send")
            })
            .await;
        let figures =
            ["len", "capacity", "senders", "closed"].map(|name| mirror.attribute("mpsc<Order>", name).unwrap());
        assert_eq!(figures, ["2", "2", "1", "false"]);

        // Both waits end.
        holder.abort();
        assert!(inbox.recv().await.is_some());
        mirror
            .until("nobody that waits", |mirror| {
                mirror.waiting("Mutex<Ledger>").is_empty() && mirror.waiting("mpsc<Order>").is_empty()
            })
            .await;
        sender.abort();
        drop(inbox);
        mirror
            .until("the end of the channel", |mirror| {
                mirror.resource("mpsc<Order>").is_some_and(|(_, stats)| stats.dropped_at.is_some())
            })
            .await;
    });
}

#[test]
fn a_loop_that_sleeps_is_one_op_on_the_line_that_sleeps() {
    const LINE: u32 = line!() + 3;
    async fn napper() {
        loop {
            watched::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let app = app();
    let _task = app.spawn(napper());
    with_client(|mut client| async move {
        let mut mirror = Mirror::attach(&mut client).await;
        let naps = |mirror: &Mirror| {
            let line = |(line, _): &&(resources::Resource, _)| {
                let location = line.location.as_ref().unwrap();
                line.concrete_type == "timers" && (location.file(), location.line()) == (file!(), LINE)
            };
            let line = mirror.resources.values().find(line).and_then(|(line, _)| line.id);
            mirror.ops.values().filter(|(op, _)| op.resource_id == line).count()
        };
        mirror.until("the timer", |mirror| naps(mirror) > 0).await;
        let messages = mirror.messages;
        mirror.until("two rounds more", |mirror| mirror.messages > messages + 1).await;
        // Of a hundred naps. One that is read between two of them ends the op.
        assert!(naps(&mirror) < 5, "{}", naps(&mirror));
    });
}

#[test]
fn a_closer_look_at_a_task_tells_how_long_its_polls_take() {
    async fn slow_poller() {
        loop {
            std::thread::sleep(Duration::from_millis(3));
            watched::time::sleep(Duration::from_millis(1)).await;
        }
    }
    let app = app();
    let task = app.spawn(slow_poller());
    with_client(|mut client| async move {
        let mut mirror = Mirror::attach(&mut client).await;
        mirror.until("the task", |mirror| mirror.alive("slow_poller") == 1).await;
        let id = mirror.tasks_named("slow_poller").next().unwrap().0.id;
        let request = TaskDetailsRequest { id };
        let mut details = client.watch_task_details(request).await.unwrap().into_inner();
        let mut polls = 0;
        while polls < 20 {
            let details = details.message().await.unwrap().expect("it goes on while the task lives");
            assert_eq!(details.task_id, id);
            let Some(PollTimesHistogram::Histogram(told)) = details.poll_times_histogram else {
                panic!("no histogram")
            };
            let histogram: hdrhistogram::Histogram<u64> = hdrhistogram::serialization::Deserializer::new()
                .deserialize(&mut told.raw_histogram.as_slice())
                .unwrap();
            polls = histogram.len();
            assert!(Duration::from_nanos(histogram.max()) >= Duration::from_millis(3));
            assert_eq!(told.high_outliers, 0);
            assert!(details.scheduled_times_histogram.is_some(), "how long after a wake they come");
        }
        task.abort();
        drop(task);
        while details.message().await.unwrap().is_some() {}
        let unknown = client.watch_task_details(request).await.unwrap_err();
        assert_eq!(unknown.code(), Code::NotFound);
    });
}

#[test]
fn a_client_that_pauses_is_told_nothing_and_others_everything() {
    async fn newcomer() {
        pending::<()>().await;
    }
    let app = app();
    with_client(|mut client| async move {
        let mut other = Client::connect(target()).await.unwrap();
        let (mut paused, mut live) = (Mirror::attach(&mut client).await, Mirror::attach(&mut other).await);
        let mut state = client.watch_state(StateRequest {}).await.unwrap().into_inner();
        let mut others_state = other.watch_state(StateRequest {}).await.unwrap().into_inner();
        for state in [&mut state, &mut others_state] {
            assert_eq!(state.message().await.unwrap().unwrap().temporality(), Temporality::Live);
        }
        client.pause(PauseRequest {}).await.unwrap();
        assert_eq!(state.message().await.unwrap().unwrap().temporality(), Temporality::Paused);
        // What was on the way comes through, twice as late as a round if need be.
        while paused.within(Duration::from_secs(2)).await {}

        let _task = app.spawn(newcomer());
        live.until("the newcomer", |mirror| mirror.alive("newcomer") == 1).await;
        assert!(!paused.within(Duration::from_millis(100)).await);
        client.resume(ResumeRequest {}).await.unwrap();
        assert_eq!(state.message().await.unwrap().unwrap().temporality(), Temporality::Live);
        paused.until("the newcomer", |mirror| mirror.alive("newcomer") == 1).await;

        let mut third = Client::connect(target()).await.unwrap();
        let nothing_to_pause = third.pause(PauseRequest {}).await.unwrap_err();
        assert_eq!(nothing_to_pause.code(), Code::FailedPrecondition);
    });
}
