//! The load: as many requests as the service answers, over 32 connections that stay, from one thread.
use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use http_body_util::{BodyExt, Empty};
use hyper::{Request, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

const CONNECTIONS: usize = 32;
const WARM_UP: Duration = Duration::from_millis(300);

/// Loads the service at `port` for `seconds`, after a warm-up, and prints `REQUESTS PER_SECOND P50_US P99_US`; the first
/// with the warm-up's, the others without.
pub(crate) fn run(port: u16, seconds: f64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let times = runtime.block_on(async move {
        let start = Instant::now() + WARM_UP;
        let end = start + Duration::from_secs_f64(seconds);
        let connections: Vec<_> = (0..CONNECTIONS).map(|_| tokio::spawn(one_connection(port, start, end))).collect();
        let mut all = Times::new();
        for connection in connections {
            let times = connection.await.unwrap();
            all.nanos.add(&times.nanos).unwrap();
            all.warm_up += times.warm_up;
        }
        all
    });
    let counted = times.nanos.len();
    println!(
        "{} {} {} {}",
        counted + times.warm_up,
        counted as f64 / seconds,
        times.nanos.value_at_quantile(0.5) as f64 / 1000.0,
        times.nanos.value_at_quantile(0.99) as f64 / 1000.0
    );
}

struct Times {
    /// In nanoseconds.
    nanos: Histogram<u64>,
    /// Requests before the measured time.
    warm_up: u64,
}

impl Times {
    fn new() -> Self {
        Self { nanos: Histogram::new(3).unwrap(), warm_up: 0 }
    }
}

async fn one_connection(port: u16, start: Instant, end: Instant) -> Times {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut times = Times::new();
    loop {
        let asked = Instant::now();
        if asked >= end {
            return times;
        }
        let request = Request::get("/").header("host", "localhost").body(Empty::<Bytes>::new()).unwrap();
        let response = sender.send_request(request).await.unwrap();
        assert!(response.status().is_success());
        response.into_body().collect().await.unwrap();
        if asked < start {
            times.warm_up += 1;
        } else {
            times.nanos.record(u64::try_from(asked.elapsed().as_nanos()).unwrap()).unwrap();
        }
    }
}
