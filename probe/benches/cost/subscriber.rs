//! Somebody who watches: reads the probe's stream as fast as it comes, like an inspector.
use async_inspect_proto::{
    PROTOCOL,
    v1::{WatchRequest, inspect_client::InspectClient},
};
use tonic::transport::Endpoint;

/// Attaches to `target`, says `ready` when it has the whole snapshot and the first update after it, and reads on.
pub(crate) fn run(target: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let channel = Endpoint::from_shared(target.to_owned()).unwrap().connect().await.unwrap();
        let mut client = InspectClient::new(channel);
        let mut stream = client.watch(WatchRequest { protocol: PROTOCOL }).await.unwrap().into_inner();
        let (mut complete, mut ready) = (false, false);
        // Until the probe goes with its process.
        while let Ok(Some(update)) = stream.message().await {
            if complete && !ready {
                ready = true;
                println!("ready");
            }
            complete |= update.snapshot_end;
        }
    });
}
