//! What can go wrong between an inspector and a probe, and what to do about it.
use thiserror::Error;

/// Why a target cannot be read. `Display` says what happened; [`SourceError::cause`] and [`SourceError::next_step`] say
/// the rest.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SourceError {
    /// Nothing listens there.
    #[error("cannot connect to {target}: connection refused")]
    Refused {
        /// The target as the operator named it.
        target: String,
    },
    /// The address cannot be reached, or does not exist.
    #[error("cannot connect to {target}: {why}")]
    Unreachable {
        /// The target as the operator named it.
        target: String,
        /// What the operating system said.
        why: String,
    },
    /// Something listens there, and does not answer.
    #[error("{target} does not answer within {seconds} s")]
    Timeout {
        /// The target as the operator named it.
        target: String,
        /// How long it was given.
        seconds: u64,
    },
    /// Something else listens there.
    #[error("{target} is not an async-inspect probe: {why}")]
    NotAProbe {
        /// The target as the operator named it.
        target: String,
        /// What it answered.
        why: String,
        /// How it would have to be named.
        instead: Option<String>,
    },
    /// The same of a target that was called a console-subscriber.
    #[error("{target} is not a console-subscriber: {why}")]
    NotAConsole {
        /// The target as the operator named it.
        target: String,
        /// What it answered.
        why: String,
        /// How it would have to be named.
        instead: Option<String>,
    },
    /// A probe of another protocol.
    #[error("{target} speaks another protocol version than this inspector: {}", versions(*.ours, *.theirs))]
    Version {
        /// The target as the operator named it.
        target: String,
        /// The protocol of this inspector.
        ours: u32,
        /// The protocol of the probe, when it said.
        theirs: Option<u32>,
    },
    /// The connection ended while data was coming.
    #[error("lost the connection to {target}: {why}")]
    Lost {
        /// The target as the operator named it.
        target: String,
        /// How it ended.
        why: String,
    },
    /// A file is no recording, or not as it was written.
    #[error("cannot replay {target}: {why}")]
    BadRecording {
        /// The file as the operator named it.
        target: String,
        /// What is wrong with it.
        why: String,
    },
    /// A recording holds what a probe sends.
    #[error("{target} cannot be recorded: it is no probe")]
    CannotRecord {
        /// The target as the operator named it.
        target: String,
    },
    /// The end of a recording.
    #[error(
        "{}{}",
        .short_of.map_or_else(
            || format!("{target} ends here"),
            |length| format!("--from is past its end: {target} is {} long", crate::text::duration(length)),
        ),
        if *.cut_short { ": it was cut short in the middle of a message" } else { "" }
    )]
    Ended {
        /// The file as the operator named it.
        target: String,
        /// It ends in the middle of something.
        cut_short: bool,
        /// Its length, where it was to be replayed from a later moment on.
        short_of: Option<std::time::Duration>,
    },
    /// It answers as a probe does, and what it says makes no sense.
    #[error("{target} sent data that this inspector cannot read: {why}")]
    BadData {
        /// The target as the operator named it.
        target: String,
        /// What is wrong with it.
        why: String,
    },
}

fn versions(ours: u32, theirs: Option<u32>) -> String {
    match theirs {
        Some(theirs) if theirs < ours => format!("the probe has {theirs} and is older, the inspector has {ours}"),
        Some(theirs) if theirs > ours => format!("the probe has {theirs} and is newer, the inspector has {ours}"),
        _ => format!("the inspector has {ours}"),
    }
}

impl SourceError {
    /// The likely cause.
    pub fn cause(&self) -> String {
        match self {
            Self::Refused { .. } => "the service is not running, or its probe is dormant or on another address".into(),
            Self::Unreachable { .. } => {
                "the address is wrong, or the network in between does not let it through".into()
            }
            Self::Timeout { .. } => {
                "a firewall drops the packets, the process is stopped, or another program has the port".into()
            }
            Self::NotAProbe { instead: Some(_), .. } => "the service is watched by console-subscriber".into(),
            Self::NotAConsole { instead: Some(_), .. } => "the service has a probe, which tells more".into(),
            Self::NotAProbe { .. } | Self::NotAConsole { .. } => {
                "this is the port of another server, perhaps of the service itself".into()
            }
            Self::Version { ours, theirs: Some(theirs), .. } if theirs < ours => {
                "the service was built with an older async-inspect-probe than this inspector".into()
            }
            Self::Version { .. } => "this inspector is older than the probe in the service".into(),
            Self::Lost { .. } => "the service ended, was restarted, or the network failed".into(),
            Self::BadRecording { .. } => "the path is another file's, or the file was damaged on its way here".into(),
            Self::CannotRecord { .. } => "a recording holds what a probe sends, as it sends it".into(),
            Self::Ended { cut_short: true, .. } => "the recording was killed, or its disk was full".into(),
            Self::Ended { .. } => "nothing was recorded after this".into(),
            Self::BadData { .. } => {
                "a fault in the probe or in the inspector, or a program that imitates a probe".into()
            }
        }
    }

    /// What to do next.
    pub fn next_step(&self) -> String {
        match self {
            Self::Refused { target } if target.starts_with("console:") => {
                "see that the service calls console_subscriber::init() and where it binds (TOKIO_CONSOLE_BIND), or pass its \
                 address"
                    .into()
            }
            Self::Refused { .. } => {
                "start the service with ASYNC_INSPECT=127.0.0.1:6670 in its environment, or pass its address".into()
            }
            Self::Unreachable { .. } => {
                "check the address; from another machine: ssh -L 6670:127.0.0.1:6670 HOST, then connect to \
                 127.0.0.1:6670"
                    .into()
            }
            Self::Timeout { .. } => "see who has the port: ss -ltnp (or lsof -i), and whether the process runs".into(),
            Self::NotAProbe { instead: Some(instead), .. } | Self::NotAConsole { instead: Some(instead), .. } => {
                format!("pass {instead} in its place")
            }
            Self::NotAConsole { .. } => {
                "pass the address from the service's TOKIO_CONSOLE_BIND (console:127.0.0.1:6669 unless it is set)".into()
            }
            Self::NotAProbe { .. } => {
                "pass the address from the service's ASYNC_INSPECT (127.0.0.1:6670 when it is `on`)".into()
            }
            Self::Version { ours, theirs: Some(theirs), .. } if theirs < ours => {
                "cargo update -p async-inspect-probe in the service and rebuild it".into()
            }
            Self::Version { .. } => "cargo install async-inspect-cli".into(),
            Self::Lost { .. } => "look at the service's own log, then run the same command again".into(),
            Self::BadRecording { .. } => {
                "check the path, copy the file again, or record anew: async-inspect record TARGET -o FILE".into()
            }
            Self::CannotRecord { .. } => {
                "keep a report of it: async-inspect snapshot TARGET --format json, or put the probe into the service".into()
            }
            Self::Ended { .. } => "replay it again, or record for longer".into(),
            Self::BadData { target, .. } if target.starts_with("console:") => {
                "look at the version of console-subscriber in the service's Cargo.lock: 0.5 is understood".into()
            }
            Self::BadData { .. } => {
                "compare the versions: async-inspect --version, and async-inspect-probe in the service's Cargo.lock"
                    .into()
            }
        }
    }

    /// The exit code that says it to a script: 3 cannot connect, 4 incompatible or not a probe, 5 lost on the way.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Refused { .. } | Self::Unreachable { .. } | Self::Timeout { .. } => 3,
            Self::NotAProbe { .. }
            | Self::NotAConsole { .. }
            | Self::CannotRecord { .. }
            | Self::Version { .. }
            | Self::BadData { .. }
            | Self::BadRecording { .. } => 4,
            Self::Lost { .. } | Self::Ended { .. } => 5,
        }
    }
}
