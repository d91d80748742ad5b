//! A service whose settings are reloaded through a watch; some parts look at every change, some only when they need them.
use std::{io, time::Duration};

use tokio::{
    net::TcpListener,
    sync::watch,
    task::JoinSet,
    time::{interval, sleep},
};

use crate::{Program, loopback};

pub(in crate::programs) const PROGRAM: Program = Program {
    name: "healthy/reload",
    rule: None,
    about: "settings reloaded once a second through a watch, followed by twenty tasks and read by each request",
    source: include_str!("reload.rs"),
    file: file!(),
    faulty: None,
    healthy: || Box::pin(healthy()),
};

#[derive(Clone, Debug)]
struct Settings {
    greeting: String,
    pause: Duration,
}

fn load(version: u64) -> Settings {
    Settings { greeting: format!("hello {version}"), pause: Duration::from_millis(20 + version % 10) }
}

async fn follow(mut settings: watch::Receiver<Settings>) {
    loop {
        let pause = settings.borrow_and_update().pause;
        tokio::select! {
            () = sleep(pause) => {}
            changed = settings.changed() => if changed.is_err() { return },
        }
    }
}

async fn reload(settings: watch::Sender<Settings>) {
    let mut clock = interval(Duration::from_secs(1));
    for version in 0.. {
        clock.tick().await;
        settings.send_replace(load(version));
    }
}

async fn healthy() -> io::Result<()> {
    let (settings, current) = watch::channel(load(0));
    let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let _clients =
        loopback::clients(4, address, Duration::from_millis(15), |client, number| format!("{client} {number}"));
    let mut tasks = JoinSet::new();
    for _ in 0..20 {
        tasks.spawn(follow(current.clone()));
    }
    tasks.spawn(reload(settings));
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        let current = current.clone();
        while connections.try_join_next().is_some() {}
        connections.spawn(loopback::answer(stream, move |name| {
            std::future::ready(format!("{} {name}", current.borrow().greeting))
        }));
    }
}
