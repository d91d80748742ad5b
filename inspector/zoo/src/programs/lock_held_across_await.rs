//! A profile server with a cache behind a mutex. The faulty one loads a missing profile while it holds the lock.
use std::{collections::HashMap, io, sync::Arc, time::Duration};

use tokio::{net::TcpListener, sync::Mutex, task::JoinSet, time::sleep};

use crate::{Program, loopback};

pub(super) const PROGRAM: Program = Program {
    name: "lock-held-across-await",
    rule: Some("lock-held-across-await"),
    about: "a profile server that queries its database (80 ms) while it holds the lock of its cache",
    source: include_str!("lock_held_across_await.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

type Cache = Arc<Mutex<HashMap<String, String>>>;

/// More than this, and the cache starts anew, as it would when entries expire.
const CACHED: usize = 64;

async fn query(user: &str) -> String {
    sleep(Duration::from_millis(80)).await;
    format!("{user}, customer since 2019")
}

fn insert(cache: &mut HashMap<String, String>, user: String, profile: String) {
    if cache.len() >= CACHED {
        cache.clear();
    }
    cache.insert(user, profile);
}

/// Eight front ends; one request in four asks for a user who was not seen lately.
async fn server() -> io::Result<(TcpListener, JoinSet<io::Result<()>>)> {
    let (listener, address) = loopback::listen().await?;
    let front_ends = loopback::clients(8, address, Duration::from_millis(60), |front_end, number| {
        format!("user-{front_end}-{}", if number % 4 == 0 { number } else { 0 })
    });
    Ok((listener, front_ends))
}

async fn profile_under_lock(cache: Cache, user: String) -> String {
    let mut cache = cache.lock().await; // <- fault: lock-held-across-await
    if let Some(profile) = cache.get(&user) {
        return profile.clone();
    }
    let profile = query(&user).await;
    insert(&mut cache, user, profile.clone());
    profile
}

async fn profile(cache: Cache, user: String) -> String {
    if let Some(profile) = cache.lock().await.get(&user) {
        return profile.clone();
    }
    let profile = query(&user).await;
    insert(&mut *cache.lock().await, user, profile.clone());
    profile
}

async fn faulty() -> io::Result<()> {
    let (listener, _front_ends) = server().await?;
    let cache = Arc::new(Mutex::new(HashMap::new()));
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        let cache = Arc::clone(&cache);
        while connections.try_join_next().is_some() {}
        connections.spawn(loopback::answer(stream, move |user| profile_under_lock(Arc::clone(&cache), user)));
    }
}

async fn healthy() -> io::Result<()> {
    let (listener, _front_ends) = server().await?;
    let cache = Arc::new(Mutex::new(HashMap::new()));
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        let cache = Arc::clone(&cache);
        while connections.try_join_next().is_some() {}
        connections.spawn(loopback::answer(stream, move |user| profile(Arc::clone(&cache), user)));
    }
}
