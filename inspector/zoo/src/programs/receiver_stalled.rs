//! An alarm centre that passes alarms on. The faulty one waits for the control room for as long as that takes, and reads
//! no further alarm meanwhile; the healthy one gives each a task and a limit of time.
use std::{io, time::Duration};

use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{interval, sleep, timeout},
};

use crate::Program;

pub(super) const PROGRAM: Program = Program {
    name: "receiver-stalled",
    rule: Some("receiver-stalled"),
    about: "an alarm centre that stops to read alarms while the control room does not answer",
    source: include_str!("receiver_stalled.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

struct Alarm {
    sensor: u64,
}

/// The control room answers at once, except that it does not for sensor 9.
async fn pass_on(alarm: &Alarm) {
    let answer = if alarm.sensor == 9 { Duration::from_mins(10) } else { Duration::from_millis(2) };
    sleep(answer).await;
}

/// Sensors report in turn, forty times a second.
fn sensors(alarms: mpsc::Sender<Alarm>) -> JoinSet<()> {
    let mut sensors = JoinSet::new();
    sensors.spawn(async move {
        let mut clock = interval(Duration::from_millis(25));
        for number in 0.. {
            clock.tick().await;
            if alarms.send(Alarm { sensor: number % 10 }).await.is_err() {
                return;
            }
        }
    });
    sensors
}

async fn faulty() -> io::Result<()> {
    let (alarms, mut arriving) = mpsc::channel(4_096); // <- fault: receiver-stalled
    let _sensors = sensors(alarms);
    while let Some(alarm) = arriving.recv().await {
        pass_on(&alarm).await;
    }
    Ok(())
}

async fn healthy() -> io::Result<()> {
    let (alarms, mut arriving) = mpsc::channel(4_096);
    let _sensors = sensors(alarms);
    let mut passing = JoinSet::new();
    let mut unanswered = 0_u64;
    while let Some(alarm) = arriving.recv().await {
        passing.spawn(async move { timeout(Duration::from_millis(200), pass_on(&alarm)).await });
        while let Some(passed) = passing.try_join_next() {
            unanswered += u64::from(!matches!(passed, Ok(Ok(()))));
        }
        std::hint::black_box(unanswered);
    }
    Ok(())
}
