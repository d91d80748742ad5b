//! A crowd: as many tasks as are asked for, of which so many are polled about once a second. For readers that have to cope
//! with many.
use std::{future::pending, io, time::Duration};

use tokio::sync::{Mutex, mpsc};
use tokio::time::sleep;

/// How many tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crowd {
    /// All of them.
    pub tasks: u64,
    /// Of them, polled about once a second.
    pub polled: u64,
    /// Of these, with a lock and a channel of its own, which it uses each time.
    pub with_things: u64,
}

impl Crowd {
    /// As the program name `crowd:N` asks for, `crowd:N/POLLED` where not all are polled, and `crowd:N/POLLED/THINGS` with
    /// locks and channels.
    pub(crate) fn of_program(name: &str) -> Option<Self> {
        let mut numbers = name.strip_prefix("crowd:")?.splitn(3, '/').map(str::parse);
        let tasks = numbers.next()?.ok()?;
        let polled = numbers.next().unwrap_or(Ok(tasks)).ok()?;
        let with_things = numbers.next().unwrap_or(Ok(0)).ok()?;
        Some(Self { tasks, polled, with_things })
    }
}

/// Spawns them, and never ends.
///
/// # Errors
/// Never; as programs of the zoo have it.
pub async fn crowd(Crowd { tasks, polled, with_things }: Crowd) -> io::Result<()> {
    for number in 0..tasks.min(polled) {
        if number < with_things {
            tokio::spawn(member_with_things(number));
        } else {
            tokio::spawn(member(number));
        }
    }
    for _ in polled..tasks {
        tokio::spawn(sleep(Duration::from_hours(1)));
    }
    pending().await
}

/// About a second, so that not all are polled at the same time.
fn turn(number: u64) -> Duration {
    Duration::from_millis(900 + number % 200)
}

async fn member(number: u64) {
    loop {
        sleep(turn(number)).await;
    }
}

async fn member_with_things(number: u64) {
    let count = Mutex::new(0_u64);
    let (sender, mut receiver) = mpsc::channel(4);
    loop {
        sleep(turn(number)).await;
        *count.lock().await += 1;
        if sender.send(()).await.is_ok() {
            receiver.recv().await;
        }
    }
}
