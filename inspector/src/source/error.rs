//! What can go wrong between an inspector and a probe, and what to do about it.
use thiserror::Error;

use super::Address;

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
    /// There is no such file: a recording, or the socket of a probe.
    #[error("cannot open {target}: there is no such file")]
    Absent {
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
        /// The version of the probe's crates, when it said.
        version: Option<String>,
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
    #[error("cannot read {target} as a recording: {why}")]
    BadRecording {
        /// The file as the operator named it.
        target: String,
        /// What is wrong with it.
        why: String,
    },
    /// The system gives no file.
    #[error("cannot open {target}: {why}")]
    Unreadable {
        /// The file as the operator named it.
        target: String,
        /// What the operating system said.
        why: String,
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

/// What the operator named, as it was understood then.
fn named(target: &str) -> Address {
    target.parse().unwrap_or_default()
}

fn has_socket(target: &str) -> bool {
    named(target).socket().is_some()
}

/// How a probe comes to be at `target`.
fn start_at(target: &str) -> String {
    let address = named(target);
    let (there, tunnel) = match (address.socket(), address.host_and_port()) {
        (Some(path), _) => (format!("unix:{}", path.display()), None),
        (None, Some((host, port))) if is_loopback(host) => (format!("{host}:{port}"), None),
        // Elsewhere a probe listens to its own machine only.
        (None, Some((_, port))) => (format!("127.0.0.1:{port}"), Some(tunnel_to(target))),
        (None, None) => ("on".to_owned(), None),
    };
    match tunnel {
        None => format!("start the service with ASYNC_INSPECT={there} in its environment, or pass its address"),
        Some(tunnel) => format!("start the service with ASYNC_INSPECT={there} in its environment; {tunnel}"),
    }
}

/// How to get to `target` from another machine.
fn tunnel_to(target: &str) -> String {
    let address = named(target);
    if let Some(path) = address.socket().map(|path| path.display()) {
        return format!(
            "check the path, and run this as the service's user; from another machine: ssh -L {path}:{path} HOST, then \
             connect to unix:{path}"
        );
    }
    let (host, port) = address.host_and_port().unwrap_or(("127.0.0.1", "6670"));
    let host = if is_loopback(host) { "HOST" } else { host };
    format!(
        "check the address; from another machine: ssh -L {port}:127.0.0.1:{port} {host}, then connect to 127.0.0.1:{port}"
    )
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

impl SourceError {
    /// The likely cause.
    pub fn cause(&self) -> String {
        match self {
            Self::Refused { .. } => "the service is not running, or its probe is dormant or on another address".into(),
            Self::Absent { target } if has_socket(target) => {
                "the service is not running, its socket is at another path, or it is in a container of its own".into()
            }
            Self::Absent { .. } => "the path is another one, or nothing was recorded there".into(),
            Self::Unreachable { target, .. } if has_socket(target) => {
                "the path is wrong, or the service runs as another user: its socket is for that user alone".into()
            }
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
            Self::Unreadable { .. } => "the file is another user's, or its disk fails".into(),
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
            Self::Refused { target } | Self::Absent { target } if target.starts_with("console:") => {
                "see that the service calls console_subscriber::init() and where it binds (TOKIO_CONSOLE_BIND), or pass its \
                 address"
                    .into()
            }
            Self::Refused { target } => start_at(target),
            Self::Absent { target } if has_socket(target) => start_at(target),
            Self::Absent { target } if target.parse().is_ok_and(|address: Address| address.authority().is_some()) => {
                format!("that is an address, and what is there now is shown by: async-inspect connect {target}")
            }
            Self::Absent { .. } => {
                "check the path, or record anew: async-inspect record TARGET -o FILE, then pass FILE".into()
            }
            Self::Unreachable { target, .. } => tunnel_to(target),
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
                format!(
                    "in the service's Cargo.toml, set async-inspect-tokio and its like to {}, the version of this inspector, \
                     and build it anew",
                    env!("CARGO_PKG_VERSION")
                )
            }
            Self::Version { version: Some(version), .. } => {
                format!("update this inspector to the probe's version: cargo install async-inspect-cli --version {version}")
            }
            Self::Version { .. } => {
                "update this inspector to the version of async-inspect-probe in the service's Cargo.lock".into()
            }
            Self::Lost { .. } => "look at the service's own log, then run the same command again".into(),
            Self::BadRecording { .. } => {
                "check the path, copy the file again, or record anew: async-inspect record TARGET -o FILE".into()
            }
            Self::Unreadable { .. } => "run this as the file's owner, or let this user read it (chmod o+r FILE)".into(),
            Self::Ended { cut_short: true, .. } => {
                "what was told is of what is whole in it; for more, record anew: async-inspect record TARGET -o FILE".into()
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
            Self::Refused { .. } | Self::Absent { .. } | Self::Unreachable { .. } | Self::Timeout { .. } => 3,
            Self::NotAProbe { .. }
            | Self::NotAConsole { .. }
            | Self::Version { .. }
            | Self::BadData { .. }
            | Self::BadRecording { .. }
            | Self::Unreadable { .. } => 4,
            Self::Lost { .. } | Self::Ended { .. } => 5,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_do_names_the_place_that_was_asked_for() {
        let refused = |target: &str| SourceError::Refused { target: target.into() }.next_step();
        assert!(refused("127.0.0.1:9999").contains("ASYNC_INSPECT=127.0.0.1:9999 "), "{}", refused("127.0.0.1:9999"));
        assert!(refused("http://localhost:7000/").contains("ASYNC_INSPECT=localhost:7000 "));
        assert!(refused("unix:/tmp/x.sock").contains("ASYNC_INSPECT=unix:/tmp/x.sock "));
        let far = refused("10.0.0.5:7000");
        assert!(
            far.contains("ASYNC_INSPECT=127.0.0.1:7000 ") && far.contains("ssh -L 7000:127.0.0.1:7000 10.0.0.5"),
            "{far}"
        );
        let unreachable = |target: &str| SourceError::Unreachable { target: target.into(), why: String::new() };
        assert!(unreachable("unix:/tmp/x.sock").next_step().contains("ssh -L /tmp/x.sock:/tmp/x.sock HOST"));
        assert!(unreachable("127.0.0.1:9999").next_step().contains("ssh -L 9999:127.0.0.1:9999 HOST"));
    }

    #[test]
    fn of_two_that_do_not_understand_each_other_the_older_is_to_be_updated() {
        let next_step = |theirs, version: Option<&str>| {
            let version = version.map(str::to_owned);
            SourceError::Version { target: "x:1".into(), ours: 2, theirs: Some(theirs), version }.next_step()
        };
        let older = next_step(1, Some("0.0.9"));
        assert!(older.contains("service") && older.contains(env!("CARGO_PKG_VERSION")), "{older}");
        assert!(next_step(3, Some("0.2.0")).ends_with("cargo install async-inspect-cli --version 0.2.0"));
        assert!(next_step(3, None).contains("Cargo.lock"));
    }

    #[test]
    fn a_file_that_is_not_there_is_neither_damaged_nor_behind_a_network() {
        let absent = |target: &str| SourceError::Absent { target: target.into() };
        assert!(absent("file:nope.rec").next_step().contains("record TARGET"));
        assert!(absent("unix:/tmp/x.sock").cause().contains("not running"));
        assert!(absent("unix:/tmp/x.sock").next_step().contains("ASYNC_INSPECT=unix:/tmp/x.sock "));
    }
}
