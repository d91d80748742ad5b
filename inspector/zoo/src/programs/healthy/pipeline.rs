//! A three-stage pipeline over bounded channels whose input comes in bursts: each burst fills the first channel for a
//! moment, which is what a bound is for.
use std::{io, time::Duration};

use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    time::interval,
};

use crate::{Program, work::compute};

pub(in crate::programs) const PROGRAM: Program = Program {
    name: "healthy/pipeline",
    rule: None,
    about: "a bounded pipeline (parse, price, store) fed in bursts of 400",
    source: include_str!("pipeline.rs"),
    file: file!(),
    faulty: None,
    healthy: || Box::pin(healthy()),
};

async fn source(lines: Sender<u64>) {
    let mut bursts = interval(Duration::from_millis(500));
    loop {
        bursts.tick().await;
        for line in 0..400 {
            if lines.send(line).await.is_err() {
                return;
            }
        }
    }
}

async fn stage(mut from: Receiver<u64>, to: Sender<u64>, work: Duration) {
    while let Some(item) = from.recv().await {
        if to.send(item ^ compute(work)).await.is_err() {
            return;
        }
    }
}

async fn healthy() -> io::Result<()> {
    let (lines, to_parse) = mpsc::channel(64);
    let (parsed, to_price) = mpsc::channel(64);
    let (priced, mut to_store) = mpsc::channel(64);
    let source = tokio::spawn(source(lines));
    let parse = tokio::spawn(stage(to_parse, parsed, Duration::from_micros(20)));
    let price = tokio::spawn(stage(to_price, priced, Duration::from_micros(60)));
    let mut stored = 0_u64;
    while let Some(item) = to_store.recv().await {
        stored = stored.wrapping_add(item);
    }
    source.await?;
    parse.await?;
    price.await?;
    Ok(())
}
