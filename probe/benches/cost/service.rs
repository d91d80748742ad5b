// A small real service, included like `scenarios.rs`: a request takes a Mutex, asks an actor over mpsc and oneshot, and
// spawns.
use std::{collections::HashMap, sync::Arc};

use axum::{Router, extract::State, routing::get};

use super::tokio::{
    self,
    sync::{Mutex, mpsc, oneshot},
};

struct Shop {
    visits: Mutex<HashMap<u64, u64>>,
    jobs: mpsc::Sender<(u64, oneshot::Sender<u64>)>,
}

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

/// Serves `listener` on one worker, for as long as the process lives.
pub(crate) fn serve(listener: std::net::TcpListener) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let (jobs, mut inbox) = mpsc::channel::<(u64, oneshot::Sender<u64>)>(256);
        let actor = tokio::spawn(async move {
            while let Some((n, reply)) = inbox.recv().await {
                let _ = reply.send(n + 1);
            }
        });
        listener.set_nonblocking(true).unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let shop = Arc::new(Shop { visits: Mutex::default(), jobs });
        axum::serve(listener, Router::new().route("/", get(order)).with_state(shop)).await.unwrap();
        actor.await.unwrap();
    });
}
