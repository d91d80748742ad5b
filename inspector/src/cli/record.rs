//! `async-inspect record`.
use std::io;

use super::args::Record;
use super::failure::{Failure, say};
use super::interrupted;
use crate::decode::{self, Decoder};
use crate::lints::Settings;
use crate::model::TaskId;
use crate::source::{Bounds, Frame, Output, RecordError, record};
use crate::text;
use crate::watch::Judged;

/// Follows what is recorded as far as to know what a finding would ask: nobody can ask it later.
#[derive(Default)]
struct Curious(Option<(Decoder, Judged)>);

impl Curious {
    /// The task to be asked about. What cannot be read is recorded all the same, and asks nothing.
    fn asks(&mut self, frame: Frame) -> Option<TaskId> {
        match frame {
            Frame::Hello(hello) => {
                let target = decode::hello(String::new(), *hello).ok()?;
                self.0 = Some((Decoder::new(), Judged::new(target, Settings::default())));
                None
            }
            Frame::Update(update) => {
                let (decoder, judged) = self.0.as_mut()?;
                let Ok(batch) = decoder.update(*update) else {
                    self.0 = None;
                    return None;
                };
                judged.take(batch);
                judged.question()
            }
            Frame::Answer(task, answer) => {
                let (_, judged) = self.0.as_mut()?;
                judged.model.learn(task, &decode::task_details(*answer)?);
                None
            }
            Frame::Lost(_) | Frame::Console(..) => None,
        }
    }
}

pub(super) async fn run(args: Record) -> Result<u8, Failure> {
    let path = args.output.display();
    if args.target.is_recording() {
        let next_step = "copy the file; replay opens it";
        return Err(Failure::usage(format!("{} is a recording already", args.target), next_step));
    }
    let bounds = Bounds { span: args.span, bytes: args.max_size << 20 };
    let told = |target: &crate::model::Target| {
        // A console-subscriber does not tell who it is.
        let who = match target.app.as_str() {
            "" => target.address.clone(),
            app => format!("{app} (pid {})", target.pid),
        };
        say(format_args!("recording {who} into {path}; Ctrl-c ends it"));
    };
    let output = Output { path: &args.output, force: args.force };
    let mut curious = Curious::default();
    let recorded = record(&args.target, output, bounds, told, |frame| curious.asks(frame), interrupted()).await;
    let recorded = recorded.map_err(|error| match error {
        RecordError::Source(error) => Failure::from(error),
        RecordError::File(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Failure::usage(format!("{path}: there is such a file already"), "name a new one, or write over it: --force")
        }
        RecordError::File(error) => Failure::usage(format!("{path}: {error}"), "name a new file in a folder of yours"),
    })?;
    say(format_args!(
        "{} of {} in {path}, {}: async-inspect replay {path}",
        text::counted(recorded.updates, "update"),
        text::duration(recorded.span),
        text::bytes(recorded.bytes),
    ));
    if recorded.full {
        say(format_args!("the file is as large as --max-size lets it be; what came after is not in it"));
    }
    // What was lost at the end and had not come back was not recorded to the end.
    recorded.lost.map_or(Ok(0), |error| Err(error.into()))
}
