//! A telemetry collector. The faulty one writes every reading by itself and cannot keep up with its sensors; the
//! healthy one writes what has gathered in one go.
use std::{io, time::Duration};

use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{interval, sleep},
};

use crate::Program;

pub(super) const PROGRAM: Program = Program {
    name: "channel-saturated",
    rule: Some("channel-saturated"),
    about: "a telemetry collector that writes one reading at a time (6 ms) while 400 arrive in a second",
    source: include_str!("channel_saturated.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

struct Reading {
    sensor: u64,
    celsius: f64,
}

/// One write to disk takes the same time for one reading as for a hundred.
async fn write(readings: &[Reading]) {
    let warmest = readings.iter().map(|reading| reading.celsius).fold(f64::MIN, f64::max);
    let sensors = readings.iter().map(|reading| reading.sensor).max();
    std::hint::black_box((warmest, sensors));
    sleep(Duration::from_millis(6)).await;
}

/// Four sensors with 100 readings a second each, as far as the collector lets them.
fn sensors(readings: &mpsc::Sender<Reading>) -> JoinSet<()> {
    let mut sensors = JoinSet::new();
    for sensor in 0..4 {
        let readings = readings.clone();
        sensors.spawn(async move {
            let mut clock = interval(Duration::from_millis(10));
            for second in 0_u32.. {
                clock.tick().await;
                let celsius = 20.0 + f64::from(second % 100) / 10.0;
                if readings.send(Reading { sensor, celsius }).await.is_err() {
                    break;
                }
            }
        });
    }
    sensors
}

async fn faulty() -> io::Result<()> {
    let (readings, mut arriving) = mpsc::channel(64); // <- fault: channel-saturated
    let sensors = sensors(&readings);
    let collector = tokio::spawn(async move {
        while let Some(reading) = arriving.recv().await {
            write(&[reading]).await;
        }
    });
    sensors.join_all().await;
    Ok(collector.await?)
}

async fn healthy() -> io::Result<()> {
    let (readings, mut arriving) = mpsc::channel(64);
    let sensors = sensors(&readings);
    let collector = tokio::spawn(async move {
        let mut batch = Vec::with_capacity(64);
        while arriving.recv_many(&mut batch, 64).await > 0 {
            write(&batch).await;
            batch.clear();
        }
    });
    sensors.join_all().await;
    Ok(collector.await?)
}
