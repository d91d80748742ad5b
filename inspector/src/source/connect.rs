//! One attempt to attach.
use std::error::Error;
use std::io;
use std::path::Path;
use std::time::Duration;

use async_inspect_proto::MAX_MESSAGE_BYTES;
use async_inspect_proto::v1::{HelloResponse, TaskDetailsResponse};
use hyper_util::rt::TokioIo;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Code, Status};

use super::address::Speaks;
use super::recording::Frame;
use super::replay::{Said, Tape};
use super::{Address, SourceError, console, probe};
use crate::decode;
use crate::decode::console::Decoder as ConsoleDecoder;
use crate::model::{Batch, Target, TaskDetails, TaskId};

/// What a target is given to accept, to answer, and to begin its stream.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);
/// Idle time after which the peer is asked whether it is still there, and the time it has to say so.
const KEEP_ALIVE: Duration = Duration::from_secs(4);
/// Bytes that may be on their way to us: a snapshot of a million tasks is some 60 MB, and with less than a few messages
/// on the way both sides wait for each other in turns.
const WINDOW: u32 = 4 * MAX_MESSAGE_BYTES as u32;

/// A target that answered.
#[derive(Debug)]
pub struct Connection {
    /// Who it is.
    pub target: Target,
    feed: Feed,
}

/// What the target is, and what it sends.
#[derive(Debug)]
enum Feed {
    Probe(Box<probe::Feed>),
    Console(Box<console::Feed>),
    Recording(Box<Tape>),
}

/// What a connection leaves to the next one to the same target. Nothing of a probe, which says who it is.
#[derive(Debug, Default)]
pub(super) struct Memory {
    console: ConsoleDecoder,
    /// What comes is to be kept as it came.
    keeps: bool,
}

/// Attaches to a target, or says why not. One attempt.
///
/// # Errors
///
/// Any [`SourceError`]; [`SourceError::Lost`] only where the target hangs up before it has told who it is.
pub async fn open(address: &Address) -> Result<Connection, SourceError> {
    open_again(address, &mut Memory::default()).await
}

/// The same, to keep what comes as it comes, by [`Connection::next_raw`] alone.
pub(super) async fn open_to_keep(address: &Address) -> Result<Connection, SourceError> {
    open_again(address, &mut Memory { keeps: true, ..Memory::default() }).await
}

/// The same, after another connection.
pub(super) async fn open_again(address: &Address, memory: &mut Memory) -> Result<Connection, SourceError> {
    if let Some(path) = address.file() {
        return open_recording(address, path);
    }
    let channel = patiently(address, connect(address)).await?;
    match address.speaks() {
        Speaks::Probe => {
            let (target, feed) = probe::open(address, channel).await?;
            Ok(Connection { target, feed: Feed::Probe(Box::new(feed)) })
        }
        Speaks::Console => {
            let (target, feed) = console::open(address, channel, &mut memory.console, memory.keeps).await?;
            Ok(Connection { target, feed: Feed::Console(Box::new(feed)) })
        }
    }
}

/// A recording begins with the greeting of its target.
fn open_recording(address: &Address, path: &Path) -> Result<Connection, SourceError> {
    let mut tape = Tape::open(address, path)?;
    match tape.next()? {
        Some((_, Said::Hello(target))) => Ok(Connection { target: *target, feed: Feed::Recording(Box::new(tape)) }),
        _ => Err(SourceError::BadRecording { target: address.to_string(), why: "there is no target in it".into() }),
    }
}

impl Connection {
    /// What the target does not stream of every task: how long the polls of this one took, and where it is
    /// suspended, for which a task that sleeps is woken once. `None` when it does not know the task (any more), or does not
    /// answer as it should; the stream tells whether the connection holds.
    pub fn task_details(&self, task: TaskId) -> impl Future<Output = Option<TaskDetails>> + Send + use<> {
        let (probe, console) = match &self.feed {
            Feed::Probe(probe) => (Some(probe.task_details(task)), None),
            Feed::Console(console) => (None, Some(console.task_details(task))),
            Feed::Recording(_) => (None, None),
        };
        async move {
            match probe {
                Some(asked) => asked.await,
                None => console?.await,
            }
        }
    }

    /// The next update. Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// [`SourceError::Lost`] when the stream ended, [`SourceError::Ended`] when a recording did, [`SourceError::BadData`]
    /// when it cannot be read; the connection is of no use after any of them.
    pub async fn next(&mut self) -> Result<Batch, SourceError> {
        match &mut self.feed {
            Feed::Probe(probe) => probe.next().await,
            Feed::Console(console) => console.next().await,
            Feed::Recording(tape) => loop {
                let target = || self.target.address.clone();
                return match tape.next()? {
                    Some((_, Said::Update(batch))) => Ok(*batch),
                    // The same run, after a gap in the line: the snapshot that follows says what is still there.
                    Some((_, Said::Hello(next))) if next.instance == self.target.instance => continue,
                    Some((_, Said::Hello(next))) => {
                        let who =
                            if next.pid == 0 { "another process".into() } else { format!("process {}", next.pid) };
                        let why = format!("the target was restarted there: {who} came after it");
                        Err(SourceError::Lost { target: target(), why })
                    }
                    Some((_, Said::Lost(_) | Said::Nothing)) => continue,
                    None => Err(tape.end(None)),
                };
            },
        }
    }

    /// The greeting of a probe, as it came; `None` of anything else.
    pub(super) fn hello(&self) -> Option<&HelloResponse> {
        match &self.feed {
            Feed::Probe(probe) => Some(probe.hello()),
            Feed::Console(_) | Feed::Recording(_) => None,
        }
    }

    /// What a probe tells of one task, as it comes; `None` as of [`Connection::task_details`].
    pub(super) fn ask(&self, task: TaskId) -> impl Future<Output = Option<TaskDetailsResponse>> + Send + use<> {
        let asked = match &self.feed {
            Feed::Probe(probe) => Some(probe.ask(task)),
            Feed::Console(_) | Feed::Recording(_) => None,
        };
        async move { asked?.await }
    }

    /// The next update of a live target as it came, to be kept rather than understood. Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// As [`Connection::next`].
    pub(super) async fn next_raw(&mut self) -> Result<Frame, SourceError> {
        match &mut self.feed {
            Feed::Probe(probe) => probe.next_raw().await.map(|update| Frame::Update(Box::new(update))),
            Feed::Console(console) => {
                console.next_raw().await.map(|(place, update)| Frame::Console(place, Box::new(update)))
            }
            Feed::Recording(tape) => Err(tape.end(None)),
        }
    }

    /// What the next connection may build on.
    pub(super) fn into_memory(self) -> Memory {
        match self.feed {
            Feed::Probe(_) | Feed::Recording(_) => Memory::default(),
            Feed::Console(console) => Memory { console: console.into_decoder(), keeps: false },
        }
    }
}

pub(super) async fn patiently<T>(
    address: &Address,
    step: impl Future<Output = Result<T, SourceError>>,
) -> Result<T, SourceError> {
    tokio::time::timeout(PATIENCE, step)
        .await
        .unwrap_or_else(|_| Err(SourceError::Timeout { target: address.to_string(), seconds: PATIENCE.as_secs() }))
}

async fn connect(address: &Address) -> Result<Channel, SourceError> {
    // The authority was checked when the address was parsed; the name in that of a socket is never looked up.
    let authority = address.authority().unwrap_or("localhost");
    let endpoint = Endpoint::from_shared(format!("http://{authority}"))
        .map_err(|error| SourceError::Unreachable { target: address.to_string(), why: error.to_string() })?
        .tcp_nodelay(true)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE)
        .keep_alive_while_idle(true);
    let connected = match address.socket() {
        None => endpoint.connect().await,
        Some(path) => {
            let path = path.to_owned();
            endpoint.connect_with_connector(tower::service_fn(move |_: Uri| socket(path.clone()))).await
        }
    };
    connected.map_err(|error| connect_failed(address, &error))
}

#[cfg(unix)]
async fn socket(path: std::path::PathBuf) -> io::Result<TokioIo<tokio::net::UnixStream>> {
    Ok(TokioIo::new(tokio::net::UnixStream::connect(path).await?))
}

#[cfg(not(unix))]
async fn socket(_: std::path::PathBuf) -> io::Result<TokioIo<tokio::net::TcpStream>> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "there are no unix sockets on this system"))
}

fn connect_failed(address: &Address, error: &tonic::transport::Error) -> SourceError {
    let target = address.to_string();
    match io_error(error) {
        Some(io) if io.kind() == io::ErrorKind::ConnectionRefused => SourceError::Refused { target },
        Some(io) if io.kind() == io::ErrorKind::TimedOut => {
            SourceError::Timeout { target, seconds: PATIENCE.as_secs() }
        }
        Some(io) if io.kind() == io::ErrorKind::NotFound && address.socket().is_some() => {
            SourceError::Absent { target }
        }
        _ => SourceError::Unreachable { target, why: innermost(error) },
    }
}

/// Why a peer that was spoken to did not answer as it should.
pub(super) fn misunderstanding(status: &Status) -> String {
    let message = message_of(status);
    // A status with an error behind it never came over the wire as one: the peer does not speak gRPC, or hung up.
    if status.source().is_some() {
        let hung_up = io_error(status).is_some() || message.contains("closed");
        return if hung_up {
            "it hangs up when spoken to in HTTP/2; a tunnel to a dead port does so too".into()
        } else {
            "it does not speak HTTP/2".into()
        };
    }
    match status.code() {
        Code::Unimplemented => "it has no such service".into(),
        Code::Unauthenticated | Code::PermissionDenied => {
            format!("it asks for credentials, which no probe does: {message}")
        }
        code => format!("it answered {code:?}: {message}"),
    }
}

/// What a stream that broke off means.
pub(super) fn broken(target: &str, status: &Status) -> SourceError {
    let target = target.to_owned();
    if unreadable(status) {
        SourceError::BadData { target, why: message_of(status) }
    } else {
        SourceError::Lost { target, why: ended(status) }
    }
}

/// Whether a status says that a message could not be read, as opposed to not received.
fn unreadable(status: &Status) -> bool {
    io_error(status).is_none()
        && (status.code() == Code::OutOfRange
            || status.code() == Code::Internal && status.message().contains("failed to decode"))
}

/// How a stream ended, in words for people.
fn ended(status: &Status) -> String {
    match io_error(status) {
        Some(io) if io.kind() == io::ErrorKind::TimedOut => "it does not answer any more".into(),
        Some(io) => io.to_string(),
        None if status.code() == Code::Unavailable && status.source().is_none() => message_of(status),
        None => {
            let message = innermost(status);
            if message.contains("timed out") { "it does not answer any more".into() } else { message }
        }
    }
}

pub(super) fn message_of(status: &Status) -> String {
    decode::text::clean(status.message()).into_owned()
}

/// An error, what caused it, and so on.
struct Chain<'a>(Option<&'a (dyn Error + 'static)>);

impl<'a> Iterator for Chain<'a> {
    type Item = &'a (dyn Error + 'static);

    fn next(&mut self) -> Option<Self::Item> {
        let error = self.0?;
        self.0 = error.source();
        Some(error)
    }
}

/// The error of the operating system behind an error, if there is one.
fn io_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a io::Error> {
    Chain(Some(error)).filter_map(|error| error.downcast_ref()).last()
}

/// What lies at the bottom of an error.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let last = Chain(Some(error)).last().unwrap_or(error);
    match last.downcast_ref::<Status>() {
        Some(status) => message_of(status),
        None => decode::text::clean(&last.to_string()).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_mismatch_says_which_side_is_older() {
        let error =
            |theirs| SourceError::Version { target: "x:1".into(), ours: 2, theirs: Some(theirs), version: None };
        assert!(error(1).to_string().contains("the probe has 1 and is older"));
        assert!(error(1).next_step().contains("Cargo.toml"));
        assert!(error(3).to_string().contains("the probe has 3 and is newer"));
        assert!(error(3).next_step().contains("Cargo.lock"));
    }
}
