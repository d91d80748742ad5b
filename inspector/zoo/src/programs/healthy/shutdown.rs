//! A service that starts, serves, and shuts down gracefully, over and over: a watch tells all to stop, connections finish
//! what they have begun, and the next instance takes over.
use std::{io, time::Duration};

use tokio::{
    net::TcpListener,
    sync::{oneshot, watch},
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{Program, loopback};

pub(in crate::programs) const PROGRAM: Program = Program {
    name: "healthy/shutdown",
    rule: None,
    about: "a service that is started and gracefully shut down every three seconds, under load",
    source: include_str!("shutdown.rs"),
    file: file!(),
    faulty: None,
    healthy: || Box::pin(healthy()),
};

async fn answer(request: String) -> String {
    sleep(Duration::from_millis(8)).await;
    request
}

/// Serves until it is told to stop, then lets every connection finish.
async fn serve(listener: TcpListener, mut stop: watch::Receiver<bool>, drained: oneshot::Sender<usize>) {
    let mut connections = JoinSet::new();
    let mut served = 0;
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                let mut stop = stop.clone();
                connections.spawn(async move {
                    tokio::select! {
                        ended = loopback::answer(stream, answer) => ended,
                        _ = stop.wait_for(|&stop| stop) => Ok(()),
                    }
                });
            },
            Some(_) = connections.join_next() => served += 1,
            _ = stop.changed() => break,
        }
    }
    while connections.join_next().await.is_some() {
        served += 1;
    }
    let _ = drained.send(served);
}

async fn healthy() -> io::Result<()> {
    loop {
        let (listener, address) = loopback::listen().await?;
        let (stop, told) = watch::channel(false);
        let (drained, all_drained) = oneshot::channel();
        let server = tokio::spawn(serve(listener, told, drained));
        let clients =
            loopback::clients(10, address, Duration::from_millis(10), |client, number| format!("{client} {number}"));
        sleep(Duration::from_secs(3)).await;
        stop.send_replace(true);
        let in_time = timeout(Duration::from_secs(2), all_drained).await;
        std::hint::black_box(in_time.is_ok());
        server.await?;
        drop(clients);
    }
}
