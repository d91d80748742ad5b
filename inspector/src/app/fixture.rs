//! A shop on a bad night: one model with every kind of entity and findings of every severity, for the tests of the
//! screens. The findings are written out, so that the wording of a rule can change without redrawing every screen.
mod channels;
mod deadlock;
mod findings;
mod hostile;
mod locks;
mod sites;
mod tasks;
mod workers;

pub(crate) use deadlock::deadlock;
pub(crate) use findings::findings;
pub(crate) use hostile::hostile;
use sites::{HYPER, MAIL, ORDERS, REPORT, SERVE};

use std::time::Duration;

use crate::model::{
    Blind, Cost, Frame, Loss, Model, Panic, RuntimeId, Series, Stack, StackCause, Stamp, Target, TaskId, WorkerId,
};

const SECOND: u64 = 1_000_000_000;

/// The target's clock in the fixture: ten minutes after its start.
pub(crate) const NOW: Stamp = Stamp(600 * SECOND);

fn ago(millis: u64) -> Stamp {
    Stamp(NOW.0 - millis * 1_000_000)
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn series(of: impl Fn(u32) -> f64) -> Series {
    let mut series = Series::default();
    (0..60).for_each(|second| series.push(of(second)));
    series
}

fn blind(about: &str, what: &str, why: &str, remedy: &str) -> Blind {
    Blind { about: about.into(), what: what.into(), why: why.into(), remedy: remedy.into() }
}

/// The target of the fixture.
pub(crate) fn target() -> Target {
    Target {
        address: "http://127.0.0.1:6670".into(),
        instance: 7,
        pid: 4242,
        app: "shop".into(),
        probe_version: "0.1.0".into(),
        capabilities: ["tasks", "handles", "locks", "holders", "channels", "wakes", "panics", "workers"]
            .map(String::from)
            .to_vec(),
        blind: vec![
            blind(
                "tasks",
                "tasks of dependencies",
                "hyper and others spawn through their own tokio, which only the runtime's hooks see",
                "build the service with RUSTFLAGS=\"--cfg tokio_unstable\"",
            ),
            blind("locks", "std and parking_lot locks", "only tokio's are watched", "use tokio::sync"),
            blind("channels", "channels of other crates", "only tokio's are watched", "use tokio::sync"),
        ],
        slow_poll: ms(10),
        tick: ms(200),
        cpus: 2,
    }
}

fn frame(function: &str, location: &str, user: bool) -> Frame {
    Frame { function: function.into(), location: location.into(), user }
}

/// The model of the fixture.
pub(crate) fn model() -> Model {
    let mut model = Model {
        now: NOW,
        target: target(),
        sites: sites::sites().into_iter().map(|s| (s.id, s)).collect(),
        tasks: tasks::tasks().into_iter().collect(),
        locks: locks::locks().into_iter().map(|l| (l.id, l)).collect(),
        channels: channels::channels().into_iter().map(|c| (c.id, c)).collect(),
        workers: workers::workers().into_iter().map(|w| (w.id, w)).collect(),
        runtimes: [(RuntimeId(1), workers::runtime())].into(),
        panics: vec![Panic {
            task: TaskId(3),
            site: MAIL,
            at: ago(95_000),
            message: "called `Result::unwrap()` on an `Err` value: Closed".into(),
            location: "src/mail.rs:33:14".into(),
        }],
        stacks: vec![Stack {
            worker: WorkerId(1),
            task: TaskId(17),
            poll_started: ago(2310),
            at: ago(110),
            cause: StackCause::Cpu,
            samples: 22,
            frames: vec![
                frame("core::slice::sort::stable::quicksort::quicksort", "", false),
                frame("shop::report::sort_orders", "src/report.rs:71:14", true),
                frame("shop::report::nightly::{{closure}}", "src/report.rs:55:9", true),
            ],
            beside: Vec::new(),
            told: Stamp::default(),
        }],
        loss: Loss::default(),
        cost: Cost {
            cpu: ms(1800),
            cpu_share: 0.004,
            memory_bytes: 3_250_000,
            memory_limit_bytes: 64 << 20,
            subscribers: 1,
        },
        complete: true,
        ..Model::default()
    };
    model.totals.tasks = series(|s| 40.0 + f64::from(s % 7));
    model.totals.polls = series(|s| if s < 40 { 900.0 } else { 240.0 });
    model.totals.wakes = series(|s| if s < 40 { 910.0 } else { 260.0 });
    model.totals.lock_waits = series(|s| if s < 40 { 1.0 } else { 11.0 });
    model.totals.channel_depth = series(|s| f64::from(s) * 203.0);
    model
}
