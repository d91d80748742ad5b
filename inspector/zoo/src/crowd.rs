//! A crowd: as many tasks as are asked for, each polled about once a second. For readers that have to cope with many.
use std::{future::pending, io, time::Duration};

use tokio::time::sleep;

/// How many the program name `crowd:N` asks for.
pub(crate) fn of_program(name: &str) -> Option<u64> {
    name.strip_prefix("crowd:")?.parse().ok()
}

/// Spawns them, and never ends.
///
/// # Errors
/// Never; as programs of the zoo have it.
pub async fn crowd(tasks: u64) -> io::Result<()> {
    for number in 0..tasks {
        tokio::spawn(member(number));
    }
    pending().await
}

async fn member(number: u64) {
    loop {
        sleep(Duration::from_millis(900 + number % 200)).await;
    }
}
