//! Sign-ins whose passwords are hashed on the blocking pool, as many at a time as there are cores.
use std::{io, sync::Arc, time::Duration};

use tokio::{
    sync::{Mutex, Semaphore},
    task::{JoinSet, spawn_blocking},
};

use crate::{Program, loopback, work::compute};

pub(in crate::programs) const PROGRAM: Program = Program {
    name: "healthy/hashing",
    rule: None,
    about: "sign-ins whose passwords are hashed in spawn_blocking (25 ms), two at a time",
    source: include_str!("hashing.rs"),
    file: file!(),
    faulty: None,
    healthy: || Box::pin(healthy()),
};

async fn sign_in(hashing: Arc<Semaphore>, signed_in: Arc<Mutex<u64>>, form: String) -> String {
    let Ok(permit) = hashing.acquire_owned().await else { return "CLOSED".to_owned() };
    let hashed = spawn_blocking(move || {
        let _permit = permit;
        compute(Duration::from_millis(25)) ^ form.len() as u64
    });
    let Ok(hash) = hashed.await else { return "FAILED".to_owned() };
    *signed_in.lock().await += 1;
    format!("WELCOME {hash}")
}

async fn healthy() -> io::Result<()> {
    let (listener, address) = loopback::listen().await?;
    let _people = loopback::clients(6, address, Duration::from_millis(150), |one, number| format!("{one}:{number}"));
    let hashing = Arc::new(Semaphore::new(2));
    let signed_in = Arc::<Mutex<u64>>::default();
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        let (hashing, signed_in) = (Arc::clone(&hashing), Arc::clone(&signed_in));
        while connections.try_join_next().is_some() {}
        connections
            .spawn(loopback::answer(stream, move |form| sign_in(Arc::clone(&hashing), Arc::clone(&signed_in), form)));
    }
}
