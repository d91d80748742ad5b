//! What happened once: panics and stacks.
use async_inspect_proto::v1;

use super::{MAX_EVENTS, cause, id};
use crate::decode::dictionary::Dictionary;
use crate::decode::{DecodeError, text};
use crate::model::{Frame, Panic, Stack, Stamp, TaskId, WorkerId};

/// Frames of one stack, and of all stacks in one message: each is a few bytes there, and two long strings here.
const MAX_FRAMES: usize = 256;
const MAX_FRAMES_TOLD: usize = 1 << 13;

pub(in crate::decode) fn panics(panics: Vec<v1::Panic>, known: &Dictionary) -> Result<Vec<Panic>, DecodeError> {
    if panics.len() > MAX_EVENTS {
        return Err(DecodeError::Rows { table: "panics", rows: panics.len() });
    }
    let panic = |panic: v1::Panic| {
        Ok(Panic {
            task: TaskId(panic.task),
            site: known.site(panic.site)?,
            at: Stamp(panic.at_ns),
            message: text::owned(panic.message),
            location: known.location(panic.file, panic.line, panic.column)?,
        })
    };
    panics.into_iter().map(panic).collect()
}

pub(in crate::decode) fn stacks(stacks: &[v1::Stack], known: &Dictionary) -> Result<Vec<Stack>, DecodeError> {
    if stacks.len() > MAX_EVENTS {
        return Err(DecodeError::Rows { table: "stacks", rows: stacks.len() });
    }
    if stacks.iter().map(|stack| stack.frames.len()).sum::<usize>() > MAX_FRAMES_TOLD {
        return Err(DecodeError::TooMany { what: "frames in one message", limit: MAX_FRAMES_TOLD });
    }
    stacks.iter().map(|one| stack(one, known)).collect()
}

fn stack(stack: &v1::Stack, known: &Dictionary) -> Result<Stack, DecodeError> {
    if stack.frames.len() > MAX_FRAMES {
        return Err(DecodeError::TooMany { what: "frames in a stack", limit: MAX_FRAMES });
    }
    let frame = |frame: &v1::Frame| {
        Ok(Frame {
            function: known.string(frame.function)?.to_owned(),
            location: known.location(frame.file, frame.line, frame.column)?,
            user: frame.user,
        })
    };
    Ok(Stack {
        worker: WorkerId(id("stacks", stack.worker)?),
        task: TaskId(stack.task),
        poll_started: Stamp(stack.poll_started_ns),
        at: Stamp(stack.at_ns),
        cause: cause(stack.cause),
        samples: stack.samples,
        frames: stack.frames.iter().map(frame).collect::<Result<_, _>>()?,
        beside: Vec::new(),
        told: Stamp::default(),
    })
}
