//! A renderer. The faulty one takes in every order at once, and computes more than its workers can; the healthy one refuses
//! what it has no room for.
use std::{io, sync::Arc, time::Duration};

use tokio::{
    sync::Semaphore,
    task::{JoinSet, yield_now},
    time::interval,
};

use crate::{Program, work::compute};

pub(super) const PROGRAM: Program = Program {
    name: "runtime-saturated",
    rule: Some("runtime-saturated"),
    about: "a renderer that takes in 600 orders a second, 8 ms of computing each, on two workers",
    source: include_str!("runtime_saturated.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

const PER_TICK: u64 = 30;
const TICK: Duration = Duration::from_millis(50);
/// The faulty one stops here, so that a forgotten demo does not eat the machine.
const FORGOTTEN: usize = 4_000;

async fn render(order: u64) -> u64 {
    let mut image = order;
    for _ in 0..4 {
        image ^= compute(Duration::from_millis(2));
        yield_now().await;
    }
    image
}

async fn faulty() -> io::Result<()> {
    let mut orders = JoinSet::new();
    let mut clock = interval(TICK);
    for tick in 0.. {
        clock.tick().await;
        while orders.try_join_next().is_some() {}
        for n in 0..PER_TICK {
            if orders.len() < FORGOTTEN {
                orders.spawn(render(tick * PER_TICK + n)); // <- fault: runtime-saturated
            }
        }
    }
    Ok(())
}

async fn healthy() -> io::Result<()> {
    let mut orders = JoinSet::new();
    let mut clock = interval(TICK);
    let room = Arc::new(Semaphore::new(2));
    let mut refused = 0_u64;
    for tick in 0.. {
        clock.tick().await;
        while orders.try_join_next().is_some() {}
        for n in 0..PER_TICK {
            if let Ok(permit) = Arc::clone(&room).try_acquire_owned() {
                orders.spawn(async move {
                    let image = render(tick * PER_TICK + n).await;
                    drop(permit);
                    image
                });
            } else {
                refused += 1;
            }
        }
        std::hint::black_box(refused);
    }
    Ok(())
}
