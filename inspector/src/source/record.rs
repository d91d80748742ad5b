//! Recording a live target into a file.
use std::io;
use std::path::Path;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use thiserror::Error;
use tokio::time::{Instant, sleep};

use super::connect::open_to_keep;
use super::recording::{Frame, Writer};
use super::{Address, Connection, SourceError, watch};
use crate::model::TaskId;

/// What ends a recording by itself.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// How long it may take; as long as it is let when there is none.
    pub span: Option<Duration>,
    /// How large the file may grow, in bytes.
    pub bytes: u64,
}

/// Where to.
#[derive(Debug, Clone, Copy)]
pub struct Output<'a> {
    /// The file.
    pub path: &'a Path,
    /// Whether one that is there already is written over, once the target has answered.
    pub force: bool,
}

/// What was recorded.
#[derive(Debug)]
pub struct Recorded {
    /// From the first message to the last.
    pub span: Duration,
    /// Size of the file.
    pub bytes: u64,
    /// Updates in it.
    pub updates: u64,
    /// The file is as large as it may be.
    pub full: bool,
    /// The connection was lost and had not come back.
    pub lost: Option<SourceError>,
}

/// Why nothing, or no more, is recorded.
#[derive(Debug, Error)]
pub enum RecordError {
    /// The target.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The file.
    #[error(transparent)]
    File(#[from] io::Error),
}

/// A file being filled.
struct Recording {
    writer: Writer,
    began: Instant,
    bounds: Bounds,
    seen: Recorded,
}

impl Recording {
    /// Adds a frame; false when the file is full.
    fn add(&mut self, frame: &Frame) -> io::Result<bool> {
        if self.writer.written() >= self.bounds.bytes {
            self.seen.full = true;
            return Ok(false);
        }
        self.seen.span = self.began.elapsed();
        self.writer.write(self.seen.span, frame)?;
        self.seen.bytes = self.writer.written();
        self.seen.updates += u64::from(frame.is_update());
        Ok(true)
    }
}

/// Records what `address` says into the file of `output`, until `interrupt` ends or the bounds are reached. A connection
/// that is lost is opened again. `told` hears of the target once the file has begun; `asks` is given what was recorded, and
/// says which task the target should be asked about, whose answer is recorded too.
///
/// # Errors
/// When the target cannot be attached to at first, or the file cannot be written.
pub async fn record(
    address: &Address,
    output: Output<'_>,
    bounds: Bounds,
    told: impl FnOnce(&crate::model::Target),
    mut asks: impl FnMut(Frame) -> Option<TaskId>,
    interrupt: impl Future<Output = ()>,
) -> Result<Recorded, RecordError> {
    let connection = open_to_keep(address).await?;
    let writer = Writer::create(output.path, output.force)?;
    told(&connection.target);
    let seen = Recorded { span: Duration::ZERO, bytes: writer.written(), updates: 0, full: false, lost: None };
    let mut recording = Recording { writer, began: Instant::now(), bounds, seen };
    let over = async {
        match bounds.span {
            Some(span) => sleep(span).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = interrupt => {}
        () = over => {}
        written = follow(address, connection, &mut recording, &mut asks) => written?,
    }
    Ok(recording.seen)
}

/// Until the file is full.
async fn follow(
    address: &Address,
    connection: Connection,
    recording: &mut Recording,
    asks: &mut impl FnMut(Frame) -> Option<TaskId>,
) -> io::Result<()> {
    let mut connection = Some(connection);
    let mut wait = watch::SHORTEST;
    loop {
        let error = match connection.take() {
            Some(mut open) => {
                recording.seen.lost = None;
                if let Some(hello) = open.hello() {
                    let hello = Frame::Hello(Box::new(hello.clone()));
                    if !recording.add(&hello)? {
                        return Ok(());
                    }
                    asks(hello);
                }
                let mut answers = FuturesUnordered::new();
                loop {
                    let frame = tokio::select! {
                        update = open.next_raw() => match update {
                            Ok(update) => update,
                            Err(error) => break Some(error),
                        },
                        Some((task, answer)) = answers.next() => match answer {
                            Some(answer) => Frame::Answer(task, Box::new(answer)),
                            None => continue,
                        },
                    };
                    wait = watch::SHORTEST;
                    if !recording.add(&frame)? {
                        return Ok(());
                    }
                    if let Some(task) = asks(frame) {
                        let answer = open.ask(task);
                        answers.push(async move { (task, answer.await) });
                    }
                }
            }
            None => None,
        };
        if let Some(error) = error {
            recording.seen.lost = Some(error.clone());
            if !recording.add(&Frame::Lost(error.to_string()))? {
                return Ok(());
            }
        }
        sleep(watch::back_off(&mut wait)).await;
        connection = open_to_keep(address).await.ok();
    }
}
