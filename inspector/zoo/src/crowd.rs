//! A crowd: as many tasks as are asked for, of which so many are polled about once a second. For readers that have to cope
//! with many.
use std::{future::pending, io, time::Duration};

use tokio::time::sleep;

/// How many there are and are polled, as the program name `crowd:N` asks for, or `crowd:N/POLLED` where not all are.
pub(crate) fn of_program(name: &str) -> Option<(u64, u64)> {
    let numbers = name.strip_prefix("crowd:")?;
    let (tasks, polled) = numbers.split_once('/').unwrap_or((numbers, numbers));
    Some((tasks.parse().ok()?, polled.parse().ok()?))
}

/// Spawns them, and never ends.
///
/// # Errors
/// Never; as programs of the zoo have it.
pub async fn crowd(tasks: u64, polled: u64) -> io::Result<()> {
    for number in 0..tasks.min(polled) {
        tokio::spawn(member(number));
    }
    for _ in polled..tasks {
        tokio::spawn(sleep(Duration::from_hours(1)));
    }
    pending().await
}

async fn member(number: u64) {
    loop {
        sleep(Duration::from_millis(900 + number % 200)).await;
    }
}
