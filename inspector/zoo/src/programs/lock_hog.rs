//! A shop whose catalog is repriced now and then. The faulty one asks the supplier while it holds the catalog's lock,
//! the healthy one before it takes it.
use std::{collections::HashMap, io, sync::Arc, time::Duration};

use tokio::{net::TcpListener, sync::Mutex, task::JoinSet, time::sleep};

use crate::{Program, loopback};

pub(super) const PROGRAM: Program = Program {
    name: "lock-hog",
    rule: Some("lock-hog"),
    about: "a shop that keeps the lock of its catalog while it asks the supplier for a hundred prices (4 s)",
    source: include_str!("lock_hog.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

const ARTICLES: u64 = 100;

type Catalog = Arc<Mutex<HashMap<u64, u64>>>;

/// One answer of the supplier.
async fn ask(article: u64, round: u64) -> u64 {
    sleep(Duration::from_millis(40)).await;
    900 + article % 50 + round
}

async fn reprice_under_lock(catalog: Catalog) {
    for round in 0.. {
        let mut prices = catalog.lock().await; // <- fault: lock-hog
        for article in 0..ARTICLES {
            let price = ask(article, round).await;
            prices.insert(article, price);
        }
        drop(prices);
        sleep(Duration::from_millis(300)).await;
    }
}

async fn reprice(catalog: Catalog) {
    for round in 0.. {
        let mut fresh = HashMap::new();
        for article in 0..ARTICLES {
            fresh.insert(article, ask(article, round).await);
        }
        *catalog.lock().await = fresh;
        sleep(Duration::from_millis(300)).await;
    }
}

async fn price(catalog: Catalog, article: String) -> String {
    let article = article.len() as u64 % ARTICLES;
    format!("{:?}", catalog.lock().await.get(&article))
}

async fn customers() -> io::Result<(TcpListener, JoinSet<io::Result<()>>)> {
    let (listener, address) = loopback::listen().await?;
    let customers = loopback::clients(6, address, Duration::from_millis(30), |customer, number| {
        format!("PRICE {customer}{number}")
    });
    Ok((listener, customers))
}

async fn serve<R: Future<Output = ()> + Send + 'static>(reprice: fn(Catalog) -> R) -> io::Result<()> {
    let (listener, _customers) = customers().await?;
    let catalog = Catalog::default();
    let mut tasks = JoinSet::new();
    let repricing = tokio::spawn(reprice(Arc::clone(&catalog)));
    while !repricing.is_finished() {
        let (stream, _) = listener.accept().await?;
        let catalog = Arc::clone(&catalog);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(loopback::answer(stream, move |article| price(Arc::clone(&catalog), article)));
    }
    Ok(repricing.await?)
}

async fn faulty() -> io::Result<()> {
    serve(reprice_under_lock).await
}

async fn healthy() -> io::Result<()> {
    serve(reprice).await
}
