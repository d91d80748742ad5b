//! An axum service with shared state and HTTP clients that come, ask a few hundred times, and go.
use std::{collections::HashMap, io, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::{get, post},
};
use tokio::{sync::Mutex, task::JoinSet, time::sleep};

use crate::{Program, loopback, shop::Client};

pub(in crate::programs) const PROGRAM: Program = Program {
    name: "healthy/axum",
    rule: None,
    about: "an axum key-value service under HTTP load",
    source: include_str!("axum.rs"),
    file: file!(),
    faulty: None,
    healthy: || Box::pin(healthy()),
};

type Store = Arc<Mutex<HashMap<String, u64>>>;

async fn read(State(store): State<Store>, Path(key): Path<String>) -> Json<Option<u64>> {
    Json(store.lock().await.get(&key).copied())
}

async fn bump(State(store): State<Store>, Path(key): Path<String>) -> Json<u64> {
    let value = {
        let mut store = store.lock().await;
        let value = store.entry(key).or_default();
        *value += 1;
        *value
    };
    // The replica is told after the lock is free again.
    sleep(Duration::from_millis(2)).await;
    Json(value)
}

async fn healthy() -> io::Result<()> {
    let (listener, address) = loopback::listen().await?;
    let store: Store = Arc::new(Mutex::new(HashMap::new()));
    let service = Router::new().route("/{key}", get(read)).route("/{key}", post(bump)).with_state(store);
    let mut visitors = JoinSet::new();
    for visitor in 0..12_u64 {
        visitors.spawn(async move {
            loop {
                let client = Client::new(address);
                for number in 0..300 + visitor * 20 {
                    let key = (visitor + number) % 50;
                    let answered = if number % 5 == 0 {
                        client.post(&format!("/{key}")).await
                    } else {
                        client.get(&format!("/{key}")).await
                    };
                    if answered.is_err() {
                        sleep(Duration::from_millis(50)).await;
                    }
                    sleep(Duration::from_millis(5)).await;
                }
            }
        });
    }
    axum::serve(listener, service).await
}
