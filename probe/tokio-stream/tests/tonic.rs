//! A gRPC service whose answers are streams of the drop-in's channels: tonic takes them as it takes tokio-stream's own.
#![allow(clippy::unwrap_used, reason = "a test helper may fail the test")]
extern crate async_inspect_tokio as tokio;
extern crate async_inspect_tokio_stream as tokio_stream;

use async_inspect_proto::{
    EncodedUpdate,
    v1::{
        HelloRequest, HelloResponse, TaskDetailsRequest, TaskDetailsResponse, Update, WatchRequest,
        inspect_client::InspectClient,
        inspect_server::{Inspect, InspectServer},
    },
};
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
};
use tokio_stream::{
    StreamExt,
    wrappers::{ReceiverStream, TcpListenerStream},
};
use tonic::{Request, Response, Status, transport::Server};

struct Numbers;

#[tonic::async_trait]
impl Inspect for Numbers {
    type WatchStream = ReceiverStream<Result<EncodedUpdate, Status>>;

    async fn hello(&self, _: Request<HelloRequest>) -> Result<Response<HelloResponse>, Status> {
        let answer = tokio::spawn(async { 7 }).await.map_err(|error| Status::internal(error.to_string()))?;
        Ok(Response::new(HelloResponse { pid: answer, ..HelloResponse::default() }))
    }

    async fn watch(&self, _: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let (tx, rx) = mpsc::channel(1);
        tokio::spawn(async move {
            for seq in 1..=3 {
                if tx.send(Ok((&Update { seq, ..Update::default() }).into())).await.is_err() {
                    return;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(rx)))
    }

    async fn task_details(&self, _: Request<TaskDetailsRequest>) -> Result<Response<TaskDetailsResponse>, Status> {
        Err(Status::unimplemented("numbers only"))
    }
}

#[tokio::test]
async fn tonic_serves_streams_of_watched_channels() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (stop, stopped) = oneshot::channel::<()>();
    let served = tokio::spawn(
        Server::builder()
            .add_service(InspectServer::new(Numbers))
            .serve_with_incoming_shutdown(TcpListenerStream::new(listener), async { drop(stopped.await) }),
    );
    let channel = tonic::transport::Endpoint::from_shared(address).unwrap().connect().await.unwrap();
    let mut client = InspectClient::new(channel);
    assert_eq!(client.hello(HelloRequest::default()).await.unwrap().into_inner().pid, 7);
    let updates = client.watch(WatchRequest::default()).await.unwrap().into_inner();
    assert_eq!(updates.map(|update| update.unwrap().seq).collect::<Vec<_>>().await, [1, 2, 3]);
    assert_eq!(
        client.task_details(TaskDetailsRequest::default()).await.unwrap_err().code(),
        tonic::Code::Unimplemented
    );
    drop(client);
    stop.send(()).unwrap();
    served.await.unwrap().unwrap();
}
