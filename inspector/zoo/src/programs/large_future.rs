//! An upload service that reads into a buffer. The faulty one has it in the future, and so in every task; the healthy one
//! on the heap, for as long as it is needed.
use std::{io, time::Duration};

use tokio::{net::TcpListener, task::JoinSet, time::sleep};

use crate::{Program, loopback};

pub(super) const PROGRAM: Program = Program {
    name: "large-future",
    rule: Some("large-future"),
    about: "an upload service with a 48 KiB array in the future of every connection",
    source: include_str!("large_future.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

const BUFFER: usize = 48 * 1024;

#[allow(clippy::large_stack_arrays, reason = "that is the fault")]
async fn checksum_in_place(upload: String) -> String {
    let mut buffer = [0_u8; BUFFER];
    let length = upload.len().min(BUFFER);
    buffer[..length].copy_from_slice(&upload.as_bytes()[..length]);
    sleep(Duration::from_millis(5)).await;
    format!("{}", buffer.iter().map(|&byte| u64::from(byte)).sum::<u64>())
}

async fn checksum_on_the_heap(upload: String) -> String {
    let mut buffer = vec![0_u8; BUFFER];
    let length = upload.len().min(BUFFER);
    buffer[..length].copy_from_slice(&upload.as_bytes()[..length]);
    sleep(Duration::from_millis(5)).await;
    format!("{}", buffer.iter().map(|&byte| u64::from(byte)).sum::<u64>())
}

async fn uploads() -> io::Result<(TcpListener, JoinSet<io::Result<()>>)> {
    let (listener, address) = loopback::listen().await?;
    let uploads =
        loopback::clients(4, address, Duration::from_millis(20), |client, number| format!("PUT {client} {number}"));
    Ok((listener, uploads))
}

async fn faulty() -> io::Result<()> {
    let (listener, _uploads) = uploads().await?;
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        while connections.try_join_next().is_some() {}
        connections.spawn(loopback::answer(stream, checksum_in_place)); // <- fault: large-future
    }
}

async fn healthy() -> io::Result<()> {
    let (listener, _uploads) = uploads().await?;
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        while connections.try_join_next().is_some() {}
        connections.spawn(loopback::answer(stream, checksum_on_the_heap));
    }
}
