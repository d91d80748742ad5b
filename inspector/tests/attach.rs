//! `check` on targets that answer as no probe of this version does: what it says, and the exit code.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::net::SocketAddr;
use std::pin::Pin;
use std::process::Output;
use std::time::Duration;

use async_inspect_proto::v1::inspect_server::{Inspect, InspectServer};
use async_inspect_proto::v1::{
    HelloRequest, HelloResponse, Strings, TaskDetailsRequest, TaskDetailsResponse, Update, WatchRequest,
};
use async_inspect_proto::{EncodedUpdate, PROTOCOL};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status};

/// A real gRPC server that greets as `hello` says, and then sends `updates` and no more.
#[derive(Clone)]
struct Peer {
    hello: Result<HelloResponse, Status>,
    updates: Vec<Update>,
    /// Whether the stream stays open after that.
    stays: bool,
}

#[tonic::async_trait]
impl Inspect for Peer {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<EncodedUpdate, Status>> + Send>>;

    async fn hello(&self, _: Request<HelloRequest>) -> Result<Response<HelloResponse>, Status> {
        self.hello.clone().map(Response::new)
    }

    async fn watch(&self, _: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let updates = tokio_stream::iter(self.updates.iter().map(EncodedUpdate::from).map(Ok).collect::<Vec<_>>());
        Ok(Response::new(if self.stays { Box::pin(updates.chain(tokio_stream::pending())) } else { Box::pin(updates) }))
    }

    async fn task_details(&self, _: Request<TaskDetailsRequest>) -> Result<Response<TaskDetailsResponse>, Status> {
        Ok(Response::new(TaskDetailsResponse::default()))
    }
}

fn greeting() -> HelloResponse {
    HelloResponse { protocol: PROTOCOL, instance_id: 7, pid: 1, app: "peer".into(), tick_ms: 100, ..Default::default() }
}

fn whole() -> Update {
    Update { seq: 1, now_ns: 1, snapshot_begin: true, snapshot_end: true, ..Default::default() }
}

async fn serve(peer: Peer) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tonic::transport::Server::builder().add_service(InspectServer::new(peer));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    address
}

/// Runs `check` on it and asserts the exit code and words of the message.
async fn check(address: SocketAddr, span: &str, code: i32, words: &[&str]) -> Output {
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_async-inspect"))
        .args(["check", &address.to_string(), "--for", span])
        .output();
    let output = tokio::time::timeout(Duration::from_secs(30), output).await.expect("it never hangs").unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for word in words {
        assert!(said.contains(word), "{word:?} is not in:\n{said}");
    }
    output
}

#[tokio::test]
async fn another_protocol_is_code_4_and_says_which_side_is_older() {
    let refusal = |protocol: u32| {
        let probe = "this probe (async-inspect-probe 0.9.1)";
        let message = format!("{probe} speaks protocol {protocol}, the inspector asked for {PROTOCOL}");
        Peer { hello: Err(Status::failed_precondition(message)), updates: Vec::new(), stays: false }
    };
    check(
        serve(refusal(PROTOCOL + 1)).await,
        "1s",
        4,
        &["is newer", "cargo install async-inspect-cli --version 0.9.1"],
    )
    .await;

    let hello = Ok(HelloResponse { protocol: PROTOCOL - 1, ..greeting() });
    let peer = Peer { hello, updates: Vec::new(), stays: false };
    check(serve(peer).await, "1s", 4, &["is older", "Cargo.toml"]).await;
}

#[tokio::test]
async fn another_grpc_server_is_code_4() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        // A server with no services at all.
        let routes = tonic::service::Routes::default();
        tonic::transport::Server::builder()
            .add_routes(routes)
            .serve_with_incoming(TcpListenerStream::new(listener))
            .await
    });
    check(address, "1s", 4, &["not an async-inspect probe", "what to do"]).await;
}

#[tokio::test]
async fn data_that_makes_no_sense_is_code_4() {
    let bad = Update { strings: Some(Strings { first: 99, values: vec!["x".into()] }), ..whole() };
    let peer = Peer { hello: Ok(greeting()), updates: vec![bad], stays: true };
    check(serve(peer).await, "1s", 4, &["cannot read"]).await;
}

#[tokio::test]
async fn a_stream_that_ends_is_code_5_and_what_was_seen_is_printed() {
    let peer = Peer { hello: Ok(greeting()), updates: vec![whole()], stays: false };
    let output = check(serve(peer).await, "9s", 5, &["lost the connection", "what to do"]).await;
    assert!(String::from_utf8_lossy(&output.stdout).contains("peer (pid 1)"), "{output:?}");
}

#[tokio::test]
async fn a_target_that_falls_silent_is_not_called_healthy() {
    let peer = Peer { hello: Ok(greeting()), updates: vec![whole()], stays: true };
    check(serve(peer).await, "5s", 5, &["has sent nothing"]).await;
}

#[tokio::test]
async fn a_target_that_accepts_and_says_nothing_is_code_3() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    check(address, "1s", 3, &["does not answer", "what to do"]).await;
    drop(listener);
}
