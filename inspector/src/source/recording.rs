//! The file of a recording: what a target sent, as it was sent, with the time of each message.
//!
//! ```text
//! "async-inspect recording\n"  24 bytes
//! version                      u32, 3; 2 had no answers
//! frames, each:
//!   kind                       u8: 1 hello, 2 update, 3 lost, 4 update of a console-subscriber, 5 answer about a task
//!   at                         u64, nanoseconds since the recording began; never less than the frame before
//!   length                     u32, bytes of the body
//!   sum                        u32, CRC-32 of kind, at, length and body
//!   body                       deflated: a `HelloResponse`, an `Update`, words on why the connection was lost, or a
//!                              console-api `Update` after a byte: 0 the first of a connection, 1 of a second stream
//!                              that was asked for a whole state, 2 any other; or a `TaskDetailsResponse` after a u64,
//!                              the task's id
//! ```
//!
//! Numbers are little-endian. A hello begins a connection: ids of strings and sites are those of its connection. A
//! console-subscriber greets nobody: with it, the first update does. A file that ends in the middle of a frame was cut short, by a full disk or a kill: what is whole in it counts.
use std::fs::File;
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Write};
use std::path::Path;
use std::time::Duration;

use async_inspect_proto::v1::{HelloResponse, TaskDetailsResponse, Update};
use console_api::instrument::Update as ConsoleUpdate;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use prost::Message;
use thiserror::Error;

use super::{console, probe};
use crate::decode::console::Place;
use crate::model::TaskId;

const MAGIC: &[u8; 24] = b"async-inspect recording\n";
const VERSION: u32 = 3;
/// The oldest that is read.
const OLDEST: u32 = 2;
/// Bytes before the body of a frame.
const HEAD: usize = 1 + 8 + 4 + 4;

/// Why a file cannot be replayed.
#[derive(Debug, Error)]
pub enum RecordingError {
    /// It cannot be opened or read.
    #[error(transparent)]
    File(#[from] io::Error),
    /// Something else.
    #[error("it is no recording of async-inspect")]
    NotARecording,
    /// Of another version of this program.
    #[error("it is a recording of version {0}, and this inspector reads version {VERSION}")]
    Version(u32),
    /// It was written or copied badly.
    #[error("it is damaged at byte {at}: {what}")]
    Damaged {
        /// Where the frame begins.
        at: u64,
        /// What does not add up.
        what: &'static str,
    },
}

/// One thing that happened while it was recorded.
#[derive(Debug)]
pub enum Frame {
    /// A connection began.
    Hello(Box<HelloResponse>),
    /// The target said something.
    Update(Box<Update>),
    /// The connection was lost.
    Lost(String),
    /// A console-subscriber said something; the first of a connection begins it.
    Console(Place, Box<ConsoleUpdate>),
    /// The target was asked about that task.
    Answer(TaskId, Box<TaskDetailsResponse>),
}

/// The number of [`Frame::Console`].
const CONSOLE: u8 = 4;
/// The number of [`Frame::Answer`].
const ANSWER: u8 = 5;

/// How long a message of that kind may be: as long as one that is taken from the target.
fn most(kind: u8) -> usize {
    if kind == CONSOLE { 1 + console::MAX_DECODED_BYTES } else { probe::MAX_DECODED_BYTES }
}

impl Frame {
    /// Whether the target says something of its state in it.
    pub(super) fn is_update(&self) -> bool {
        matches!(self, Self::Update(_) | Self::Console(..))
    }

    fn kind(&self) -> u8 {
        match self {
            Self::Hello(_) => 1,
            Self::Update(_) => 2,
            Self::Lost(_) => 3,
            Self::Console(..) => CONSOLE,
            Self::Answer(..) => ANSWER,
        }
    }

    fn encode(&self) -> Vec<u8> {
        match self {
            Self::Hello(hello) => hello.encode_to_vec(),
            Self::Update(update) => update.encode_to_vec(),
            Self::Lost(why) => why.clone().into_bytes(),
            Self::Console(place, update) => {
                let place = match place {
                    Place::Connected => 0,
                    Place::Renewed => 1,
                    Place::Later => 2,
                };
                let mut body = vec![place];
                // A vector takes all there is.
                let _ = update.encode(&mut body);
                body
            }
            Self::Answer(task, answer) => {
                let mut body = task.0.to_le_bytes().to_vec();
                let _ = answer.encode(&mut body);
                body
            }
        }
    }

    fn decode(kind: u8, body: &[u8]) -> Option<Self> {
        match kind {
            1 => Some(Self::Hello(Box::new(HelloResponse::decode(body).ok()?))),
            2 => Some(Self::Update(Box::new(Update::decode(body).ok()?))),
            3 => Some(Self::Lost(crate::decode::text::clean(&String::from_utf8_lossy(body)).into_owned())),
            CONSOLE => {
                let (place, update) = body.split_first()?;
                let place = match place {
                    0 => Place::Connected,
                    1 => Place::Renewed,
                    2 => Place::Later,
                    _ => return None,
                };
                Some(Self::Console(place, Box::new(ConsoleUpdate::decode(update).ok()?)))
            }
            ANSWER => {
                let (task, answer) = body.split_first_chunk()?;
                Some(Self::Answer(
                    TaskId(u64::from_le_bytes(*task)),
                    Box::new(TaskDetailsResponse::decode(answer).ok()?),
                ))
            }
            _ => None,
        }
    }
}

/// A recording being written.
#[derive(Debug)]
pub struct Writer {
    file: BufWriter<File>,
    written: u64,
}

impl Writer {
    /// Begins a new file. One that is there already is written over only by `force`.
    ///
    /// # Errors
    /// When there is such a file, or it cannot be written.
    pub fn create(path: &Path, force: bool) -> io::Result<Self> {
        let mut file = BufWriter::new(if force { File::create(path)? } else { File::create_new(path)? });
        file.write_all(MAGIC)?;
        file.write_all(&VERSION.to_le_bytes())?;
        file.flush()?;
        Ok(Self { file, written: MAGIC.len() as u64 + 4 })
    }

    /// Bytes so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Adds what happened `at` that time since the recording began. It is in the file's hands when this returns, so that
    /// a kill costs no more than the frame under way.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, at: Duration, frame: &Frame) -> io::Result<()> {
        let mut deflated = DeflateEncoder::new(Vec::new(), Compression::fast());
        deflated.write_all(&frame.encode())?;
        let body = deflated.finish()?;
        let at = u64::try_from(at.as_nanos()).unwrap_or(u64::MAX);
        let mut head = Vec::with_capacity(HEAD);
        head.push(frame.kind());
        head.extend(at.to_le_bytes());
        head.extend((body.len() as u32).to_le_bytes());
        head.extend(sum(&head, &body).to_le_bytes());
        self.file.write_all(&head)?;
        self.file.write_all(&body)?;
        self.file.flush()?;
        self.written += (HEAD + body.len()) as u64;
        Ok(())
    }
}

/// Of everything before the sum itself, and the body.
fn sum(head: &[u8], body: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(head);
    sum.update(body);
    sum.finalize()
}

/// A recording being read, a frame at a time.
#[derive(Debug)]
pub struct Reader {
    file: BufReader<File>,
    /// Where the next frame begins.
    at: u64,
    last: Duration,
    cut: bool,
}

impl Reader {
    /// Opens a file.
    ///
    /// # Errors
    /// When it cannot be read, or is no recording that this version understands.
    pub fn open(path: &Path) -> Result<Self, RecordingError> {
        let mut file = BufReader::new(File::open(path)?);
        let mut magic = [0; MAGIC.len()];
        let mut version = [0; 4];
        for part in [&mut magic[..], &mut version[..]] {
            file.read_exact(part).map_err(|error| match error.kind() {
                ErrorKind::UnexpectedEof => RecordingError::NotARecording,
                _ => error.into(),
            })?;
        }
        if &magic != MAGIC {
            return Err(RecordingError::NotARecording);
        }
        match u32::from_le_bytes(version) {
            OLDEST..=VERSION => Ok(Self { file, at: MAGIC.len() as u64 + 4, last: Duration::ZERO, cut: false }),
            other => Err(RecordingError::Version(other)),
        }
    }

    /// Whether the file has ended in the middle of a frame.
    pub fn cut_short(&self) -> bool {
        self.cut
    }

    /// The next frame and its time since the recording began; `None` at the end.
    ///
    /// # Errors
    /// When the file cannot be read, or is not as it was written.
    pub fn next_frame(&mut self) -> Result<Option<(Duration, Frame)>, RecordingError> {
        let began = self.at;
        let damaged = |what| RecordingError::Damaged { at: began, what };
        let mut head = [0; HEAD];
        if !self.fill(&mut head)? {
            return Ok(None);
        }
        let (kind, rest) = (head[0], &head[1..]);
        let at = Duration::from_nanos(u64::from_le_bytes(array(&rest[..8])));
        let length = u32::from_le_bytes(array(&rest[8..12])) as usize;
        let expected = u32::from_le_bytes(array(&rest[12..16]));
        let most = most(kind);
        if length > most {
            return Err(damaged("a message is longer than any that is taken"));
        }
        let mut body = vec![0; length];
        if !self.fill(&mut body)? {
            return Ok(None);
        }
        if sum(&head[..HEAD - 4], &body) != expected {
            return Err(damaged("its checksum is another"));
        }
        if at < self.last {
            return Err(damaged("time goes backwards"));
        }
        self.last = at;
        let mut plain = Vec::new();
        let limit = most as u64 + 1;
        DeflateDecoder::new(&body[..])
            .take(limit)
            .read_to_end(&mut plain)
            .map_err(|_| damaged("a message cannot be unpacked"))?;
        if plain.len() > most {
            return Err(damaged("a message is longer than any that is taken"));
        }
        let frame = Frame::decode(kind, &plain).ok_or_else(|| damaged("a message cannot be read"))?;
        Ok(Some((at, frame)))
    }

    /// Fills `part` from the file; false where the file ends before that.
    fn fill(&mut self, part: &mut [u8]) -> Result<bool, RecordingError> {
        let mut filled = 0;
        while filled < part.len() {
            match self.file.read(&mut part[filled..]) {
                Ok(0) => {
                    // Between two frames is where a file may end.
                    let between = part.len() == HEAD && filled == 0;
                    self.cut = !between;
                    return Ok(false);
                }
                Ok(n) => filled += n,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.at += part.len() as u64;
        Ok(true)
    }
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(bytes);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("async-inspect-recording-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// A recording of five frames, and where each begins.
    fn written(folder: &Path) -> (Vec<u8>, Vec<usize>) {
        let path = folder.join("good");
        let mut writer = Writer::create(&path, false).unwrap();
        let hello = HelloResponse { app: "shop".into(), pid: 7, ..HelloResponse::default() };
        let update = Update { seq: 3, gone_tasks: (1..1000).collect(), ..Update::default() };
        let mut begins = Vec::new();
        let now = Some(prost_types::Timestamp { seconds: 7, nanos: 0 });
        let console = ConsoleUpdate { now, ..ConsoleUpdate::default() };
        let frames = [
            (0, Frame::Hello(hello.into())),
            (100, Frame::Update(update.into())),
            (250, Frame::Lost("gone".into())),
            (300, Frame::Console(Place::Renewed, console.into())),
            (400, Frame::Answer(TaskId(1 << 40), TaskDetailsResponse { known: true, ..Default::default() }.into())),
        ];
        for (at, frame) in frames {
            begins.push(writer.written() as usize);
            writer.write(Duration::from_millis(at), &frame).unwrap();
        }
        assert_eq!(Writer::create(&path, false).unwrap_err().kind(), ErrorKind::AlreadyExists);
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(bytes.len() as u64, writer.written());
        (bytes, begins)
    }

    /// Frames that can be read of `bytes`, whether they were cut short, and what then went wrong.
    fn read(folder: &Path, bytes: &[u8]) -> (usize, bool, Option<String>) {
        let path = folder.join("other");
        std::fs::write(&path, bytes).unwrap();
        let mut reader = match Reader::open(&path) {
            Ok(reader) => reader,
            Err(error) => return (0, false, Some(error.to_string())),
        };
        for n in 0.. {
            match reader.next_frame() {
                Ok(Some(_)) => {}
                Ok(None) => return (n, reader.cut_short(), None),
                Err(error) => return (n, false, Some(error.to_string())),
            }
        }
        unreachable!("a file ends")
    }

    #[test]
    fn what_was_written_is_read_again() {
        let folder = folder("roundtrip");
        written(&folder);
        let mut reader = Reader::open(&folder.join("good")).unwrap();
        let mut all = Vec::new();
        while let Some(frame) = reader.next_frame().unwrap() {
            all.push(frame);
        }
        assert!(!reader.cut_short());
        assert!(matches!(&all[0], (at, Frame::Hello(hello)) if at.is_zero() && hello.app == "shop"));
        assert!(matches!(&all[1], (_, Frame::Update(update)) if update.seq == 3 && update.gone_tasks.len() == 999));
        assert!(matches!(&all[2], (at, Frame::Lost(why)) if at.as_millis() == 250 && why == "gone"));
        let now = |update: &ConsoleUpdate| update.now.as_ref().map(|now| now.seconds);
        assert!(matches!(&all[3], (_, Frame::Console(Place::Renewed, update)) if now(update) == Some(7)));
        assert!(matches!(&all[4], (_, Frame::Answer(TaskId(id), answer)) if *id == 1 << 40 && answer.known));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_recording_of_before_there_were_answers_is_read() {
        let folder = folder("older");
        let (mut bytes, begins) = written(&folder);
        bytes[MAGIC.len()] = 2;
        assert_eq!(read(&folder, &bytes[..begins[4]]), (4, false, None));
        bytes[MAGIC.len()] = 1;
        assert!(read(&folder, &bytes).2.unwrap().contains("version 1"));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_file_that_was_cut_gives_what_is_whole_in_it() {
        let folder = folder("cut");
        let (bytes, begins) = written(&folder);
        for length in begins[0]..bytes.len() {
            let whole = begins.iter().skip(1).filter(|&&end| end <= length).count();
            assert_eq!(read(&folder, &bytes[..length]), (whole, !begins.contains(&length), None), "{length} bytes");
        }
        for length in 0..begins[0] {
            assert_eq!(read(&folder, &bytes[..length]).2.as_deref(), Some("it is no recording of async-inspect"));
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let folder = folder("flipped");
        let (bytes, _) = written(&folder);
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let (frames, cut, error) = read(&folder, &bad);
            // A length that grew past the end of the file reads as a file that was cut. What is read of the oldest version is
            // read the same.
            let is_older = bad[MAGIC.len()] == OLDEST as u8;
            assert!(error.is_some() || cut && frames < 5 || is_older, "bit {bit}: {frames} frames");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn other_files_and_other_versions_are_told_apart() {
        let folder = folder("others");
        let (mut bytes, _) = written(&folder);
        bytes[MAGIC.len()] = 9;
        let said = read(&folder, &bytes).2.unwrap();
        assert!(said.contains("version 9") && said.contains("reads version 3"), "{said}");
        assert!(read(&folder, b"\x7fELF and so on, longer than a header is").2.unwrap().contains("no recording"));
        assert!(matches!(Reader::open(&folder.join("none")), Err(RecordingError::File(_))));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
