// A small real service, included like `scenarios.rs`, of which a request does what requests do; and a denser one.
use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::{Router, extract::State, routing::get};

use super::tokio::{
    self,
    sync::{Mutex, RwLock, Semaphore, broadcast, mpsc, oneshot},
};

struct Shop {
    permits: Semaphore,
    prices: RwLock<HashMap<u64, u64>>,
    visits: Mutex<HashMap<u64, u64>>,
    jobs: mpsc::Sender<(u64, oneshot::Sender<u64>)>,
    orders: broadcast::Sender<u64>,
}

/// Takes a lock, asks an actor over mpsc and oneshot, and spawns.
async fn order(State(shop): State<Arc<Shop>>) -> String {
    let visit = {
        let mut visits = shop.visits.lock().await;
        let count = visits.entry(1).or_default();
        *count += 1;
        *count
    };
    let (reply, answer) = oneshot::channel();
    shop.jobs.send((visit, reply)).await.unwrap();
    let answer = answer.await.unwrap();
    tokio::spawn(async move { answer * 2 }).await.unwrap().to_string()
}

/// The same, and waits for a permit, reads a shared table, has a time limit and tells listeners.
async fn dense_order(State(shop): State<Arc<Shop>>) -> String {
    let _permit = shop.permits.acquire().await.unwrap();
    let price = *shop.prices.read().await.get(&1).unwrap();
    let visit = {
        let mut visits = shop.visits.lock().await;
        let count = visits.entry(1).or_default();
        *count += price;
        *count
    };
    let (reply, answer) = oneshot::channel();
    shop.jobs.send((visit, reply)).await.unwrap();
    let answer = tokio::time::timeout(Duration::from_secs(10), answer).await.unwrap().unwrap();
    let _ = shop.orders.send(answer);
    tokio::spawn(async move { answer * 2 }).await.unwrap().to_string()
}

/// Serves `listener` on one worker, for as long as the process lives.
pub(crate) fn serve(listener: std::net::TcpListener, is_dense: bool) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let (jobs, mut inbox) = mpsc::channel::<(u64, oneshot::Sender<u64>)>(256);
        let actor = tokio::spawn(async move {
            while let Some((n, reply)) = inbox.recv().await {
                let _ = reply.send(n + 1);
            }
        });
        let (orders, mut told) = broadcast::channel(1024);
        let listening = tokio::spawn(async move {
            while !matches!(told.recv().await, Err(broadcast::error::RecvError::Closed)) {}
        });
        listener.set_nonblocking(true).unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let shop = Arc::new(Shop {
            permits: Semaphore::new(64),
            prices: RwLock::new(HashMap::from([(1, 1)])),
            visits: Mutex::default(),
            jobs,
            orders,
        });
        let handler = if is_dense { get(dense_order) } else { get(order) };
        axum::serve(listener, Router::new().route("/", handler).with_state(shop)).await.unwrap();
        actor.await.unwrap();
        listening.await.unwrap();
    });
}
