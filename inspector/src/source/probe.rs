//! A probe.
use async_inspect_proto::v1::inspect_client::InspectClient;
use async_inspect_proto::v1::{
    HelloRequest, HelloResponse, TaskDetailsRequest, TaskDetailsResponse, Update, WatchRequest,
};
use async_inspect_proto::{MAX_MESSAGE_BYTES, PROTOCOL};
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};

use super::connect::{PATIENCE, broken, message_of, misunderstanding, patiently};
use super::{Address, SourceError, console};
use crate::decode::{self, Decoder};
use crate::model::{Batch, Target, TaskDetails, TaskId};

/// A probe's messages end at [`MAX_MESSAGE_BYTES`]; a little more is let through to be decoded, or refused, as data.
pub(super) const MAX_DECODED_BYTES: usize = MAX_MESSAGE_BYTES + 64 * 1024;

/// Updates of a probe.
#[derive(Debug)]
pub(super) struct Feed {
    address: String,
    client: InspectClient<Channel>,
    updates: Streaming<Update>,
    decoder: Decoder,
    /// Its greeting as it came.
    hello: HelloResponse,
}

/// Greets the probe and asks it for updates.
pub(super) async fn open(address: &Address, channel: Channel) -> Result<(Target, Feed), SourceError> {
    let mut client = InspectClient::new(channel.clone()).max_decoding_message_size(MAX_DECODED_BYTES);
    let greeting = patiently(address, async { Ok(client.hello(question()).await) }).await?;
    let answer: HelloResponse = match greeting {
        Ok(answer) => answer.into_inner(),
        Err(status) => return Err(refused(address, channel, &status).await),
    };
    let shown = address.to_string();
    if answer.protocol != PROTOCOL {
        let (theirs, version) = (Some(answer.protocol), version(&answer.probe_version));
        return Err(SourceError::Version { target: shown, ours: PROTOCOL, theirs, version });
    }
    let hello = answer.clone();
    let target = decode::hello(shown.clone(), answer)
        .map_err(|error| SourceError::BadData { target: shown.clone(), why: error.to_string() })?;
    let updates = patiently(address, async {
        client.watch(WatchRequest { protocol: PROTOCOL }).await.map_err(|status| greeting_failed(address, &status))
    })
    .await?
    .into_inner();
    Ok((target, Feed { address: shown, client, updates, decoder: Decoder::new(), hello }))
}

fn question() -> HelloRequest {
    HelloRequest { protocol: PROTOCOL, client: concat!("async-inspect ", env!("CARGO_PKG_VERSION")).into() }
}

impl Feed {
    /// What is told of one task; `None` where there is no answer.
    pub(super) fn task_details(&self, task: TaskId) -> impl Future<Output = Option<TaskDetails>> + Send + use<> {
        let answer = self.ask(task);
        async move { decode::task_details(answer.await?) }
    }

    /// The same as it comes.
    pub(super) fn ask(&self, task: TaskId) -> impl Future<Output = Option<TaskDetailsResponse>> + Send + use<> {
        let mut client = self.client.clone();
        async move {
            let asked = client.task_details(TaskDetailsRequest { id: task.0, where_suspended: true });
            Some(tokio::time::timeout(PATIENCE, asked).await.ok()?.ok()?.into_inner())
        }
    }

    pub(super) fn hello(&self) -> &HelloResponse {
        &self.hello
    }

    /// The next update. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Result<Batch, SourceError> {
        let update = self.next_raw().await?;
        self.decoder
            .update(update)
            .map_err(|error| SourceError::BadData { target: self.address.clone(), why: error.to_string() })
    }

    /// The same as it came.
    pub(super) async fn next_raw(&mut self) -> Result<Update, SourceError> {
        match self.updates.message().await {
            Ok(Some(update)) => Ok(update),
            Ok(None) => Err(SourceError::Lost { target: self.address.clone(), why: "it closed the stream".into() }),
            Err(status) => Err(broken(&self.address, &status)),
        }
    }
}

/// Why `Hello` brought no answer of a probe.
async fn refused(address: &Address, channel: Channel, status: &Status) -> SourceError {
    match greeting_failed(address, status) {
        SourceError::NotAProbe { target, .. }
            if status.code() == Code::Unimplemented && console::is_console(address, channel).await =>
        {
            let instead = Some(address.of_a_console());
            SourceError::NotAProbe { target, why: "it is a console-subscriber".into(), instead }
        }
        error => error,
    }
}

/// Why `Hello` or `Watch` brought no answer of a probe.
fn greeting_failed(address: &Address, status: &Status) -> SourceError {
    let target = address.to_string();
    match status.code() {
        Code::FailedPrecondition => {
            let said = status.message();
            let version = said.split_once("async-inspect-probe ").and_then(|(_, rest)| version(rest));
            SourceError::Version { target, ours: PROTOCOL, theirs: spoken_protocol(said), version }
        }
        Code::ResourceExhausted => {
            SourceError::Unreachable { target, why: format!("it takes no more clients: {}", message_of(status)) }
        }
        _ => SourceError::NotAProbe { target, why: misunderstanding(status), instead: None },
    }
}

/// The version that `said` begins with, if it can be one: it goes into a command that somebody pastes.
fn version(said: &str) -> Option<String> {
    let end = said.find(|c: char| !(c.is_ascii_alphanumeric() || ".+-".contains(c))).unwrap_or(said.len());
    let version = &said[..end];
    (version.starts_with(|c: char| c.is_ascii_digit()) && end <= 32).then(|| version.to_owned())
}

/// "… speaks protocol 2 …"
fn spoken_protocol(message: &str) -> Option<u32> {
    let (_, rest) = message.split_once("speaks protocol ")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Whether it is a probe that answers there, of any version.
pub(super) async fn is_probe(address: &Address, channel: Channel) -> bool {
    let mut client = InspectClient::new(channel);
    match patiently(address, async { Ok(client.hello(question()).await) }).await {
        Ok(Ok(_)) => true,
        Ok(Err(status)) => status.code() == Code::FailedPrecondition,
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_one_that_can_be_pasted() {
        assert_eq!(version("0.3.0-rc.1) speaks"), Some("0.3.0-rc.1".to_owned()));
        assert_eq!(version("1.0; rm"), Some("1.0".to_owned()));
        for other in ["", "-x", "$(x)", &"1".repeat(33)] {
            assert_eq!(version(other), None);
        }
    }

    #[test]
    fn the_protocol_of_a_refusal_is_read_from_its_message() {
        let message = "this probe (async-inspect-probe 0.3.0) speaks protocol 12, the inspector asked for 1";
        assert_eq!(spoken_protocol(message), Some(12));
        for other in ["", "speaks protocol ", "speaks protocol x", "speaks protocol 99999999999"] {
            assert_eq!(spoken_protocol(other), None);
        }
    }
}
