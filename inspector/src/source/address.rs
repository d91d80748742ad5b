//! TARGET on the command line.
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use async_inspect_proto::DEFAULT_ADDR;
use thiserror::Error;

/// What stands before the place of a console-subscriber.
const CONSOLE: &str = "console:";

/// Where a probe or a console-subscriber is, or a recording, as the operator named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    shown: String,
    place: Place,
    speaks: Speaks,
}

/// What is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speaks {
    /// A probe.
    Probe,
    /// A stock console-subscriber.
    Console,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Tcp(String),
    Unix(PathBuf),
    File(PathBuf),
}

/// Why a TARGET is none, and what is one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AddressError {
    /// A form of a later version.
    #[error("`{given}`: {form} targets are not in this version; {instead}")]
    NotYet {
        /// What was given.
        given: String,
        /// The form.
        form: &'static str,
        /// What to use now.
        instead: &'static str,
    },
    /// No form at all.
    #[error(
        "`{given}` is not a target: {why}; give http://host:port, host:port, unix:/path, console:host:port or the file of \
         a recording"
    )]
    Malformed {
        /// What was given.
        given: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl Address {
    /// `http://host:port`, or the path of the socket.
    pub(super) fn authority(&self) -> Option<&str> {
        match &self.place {
            Place::Tcp(authority) => Some(authority),
            Place::Unix(_) | Place::File(_) => None,
        }
    }

    /// The two parts of that.
    pub(super) fn host_and_port(&self) -> Option<(&str, &str)> {
        self.authority()?.rsplit_once(':')
    }

    /// What is to be spoken to there.
    pub(super) fn speaks(&self) -> Speaks {
        self.speaks
    }

    /// What to write for a probe at the same place.
    pub(super) fn of_a_probe(&self) -> String {
        self.shown.strip_prefix(CONSOLE).unwrap_or(&self.shown).to_owned()
    }

    /// What to write for a console-subscriber at the same place.
    pub(super) fn of_a_console(&self) -> String {
        format!("{CONSOLE}{}", self.shown.strip_prefix("http://").unwrap_or(&self.shown).trim_end_matches('/'))
    }

    /// The path, when it is a recording.
    pub(super) fn file(&self) -> Option<&Path> {
        match &self.place {
            Place::File(path) => Some(path),
            Place::Tcp(_) | Place::Unix(_) => None,
        }
    }

    /// A recording in this file.
    pub fn recording(path: &Path) -> Self {
        Self { shown: path.display().to_string(), place: Place::File(path.to_owned()), speaks: Speaks::Probe }
    }

    /// Whether it is a recording rather than something that lives.
    pub fn is_recording(&self) -> bool {
        self.file().is_some()
    }

    /// The path, when it is a unix socket.
    pub(super) fn socket(&self) -> Option<&Path> {
        match &self.place {
            Place::Tcp(_) | Place::File(_) => None,
            Place::Unix(path) => Some(path),
        }
    }
}

impl Default for Address {
    fn default() -> Self {
        let (shown, place) = (format!("http://{DEFAULT_ADDR}"), Place::Tcp(DEFAULT_ADDR.to_owned()));
        Self { shown, place, speaks: Speaks::Probe }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.shown)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(given: &str) -> Result<Self, AddressError> {
        let not_yet = |form, instead| Err(AddressError::NotYet { given: given.to_owned(), form, instead });
        let malformed = |why| Err(AddressError::Malformed { given: given.to_owned(), why });
        let (speaks, named, default_port) = match given.strip_prefix(CONSOLE) {
            Some(named) => (Speaks::Console, named, 6669),
            None => (Speaks::Probe, given, 6670),
        };
        let place = |place| Ok(Address { shown: given.to_owned(), place, speaks });

        if let Some(path) = given.strip_prefix("file:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() || path.contains('\0') {
                malformed("the path of the recording is missing")
            } else {
                place(Place::File(PathBuf::from(path)))
            };
        }
        // What is there as a file is meant as one: no host has such a name.
        if Path::new(given).is_file() {
            return place(Place::File(PathBuf::from(given)));
        }
        if named.chars().any(|c| c.is_control() || c.is_whitespace()) && !named.starts_with("unix:") {
            return malformed("it contains white space or control characters");
        }
        if let Some(path) = named.strip_prefix("unix:") {
            // `unix:///run/x` is what gRPC tools write for the same.
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() || path.contains('\0') {
                malformed("the path of the socket is missing")
            } else {
                place(Place::Unix(PathBuf::from(path)))
            };
        }
        if named.starts_with("https://") {
            return not_yet("https", "tunnel to it: ssh -L 6670:127.0.0.1:6670 HOST, then http://127.0.0.1:6670");
        }
        if named.starts_with("dns:") {
            return not_yet("dns:", "give one address: http://host:port");
        }
        let (rest, has_scheme) = match named.strip_prefix("http://") {
            Some(rest) => (rest.strip_suffix('/').unwrap_or(rest), true),
            None => (named, speaks == Speaks::Console),
        };
        if Path::new(given).is_dir() {
            return malformed("it is a folder, not a recording");
        }
        if rest.contains("://") {
            return malformed("its scheme is unknown");
        }
        if rest.contains(['/', '?', '#', '@']) {
            return malformed("only a host and a port are expected, and there is no such file");
        }
        let (host, port) = match rest.rsplit_once(':') {
            // The last colon of a bare IPv6 address is not a port's.
            Some((host, port)) if !rest.ends_with(']') => (host, Some(port)),
            _ => (rest, None),
        };
        if host.contains(':') && !(host.starts_with('[') && host.ends_with(']')) {
            return malformed("an IPv6 address needs brackets, as in [::1]:6670");
        }
        let port = match port {
            Some(port) => match port.parse::<u16>() {
                Ok(port) if port != 0 => port,
                _ => return malformed("its port is not a number from 1 to 65535"),
            },
            None if has_scheme => default_port,
            None if host.parse::<u16>().is_ok() => {
                return malformed("there is no such file, and as an address its host is missing, as in 127.0.0.1:6670");
            }
            None => {
                return malformed(
                    "there is no such file, and as an address its port is missing: a probe's is 6670 unless you chose another",
                );
            }
        };
        if host.is_empty() {
            return malformed("its host is missing");
        }
        if format!("{host}:{port}").parse::<tonic::codegen::http::uri::Authority>().is_err() {
            return malformed("its host is not a name or an address");
        }
        place(Place::Tcp(format!("{host}:{port}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(given: &str) -> Option<String> {
        given.parse::<Address>().ok().and_then(|a| a.authority().map(str::to_owned))
    }

    #[test]
    fn every_documented_form_of_a_target_is_understood() {
        assert_eq!(tcp("http://example.org:7000").as_deref(), Some("example.org:7000"));
        assert_eq!(tcp("http://example.org:7000/").as_deref(), Some("example.org:7000"));
        assert_eq!(tcp("http://example.org").as_deref(), Some("example.org:6670"));
        assert_eq!(tcp("127.0.0.1:6670").as_deref(), Some("127.0.0.1:6670"));
        assert_eq!(tcp("[::1]:6670").as_deref(), Some("[::1]:6670"));
        assert_eq!(tcp("http://[::1]").as_deref(), Some("[::1]:6670"));
        let unix: Address = "unix:/run/my app.sock".parse().unwrap();
        assert_eq!(unix.socket(), Some(Path::new("/run/my app.sock")));
        for file in ["file:/tmp/night.rec", "file:///tmp/night.rec"] {
            assert_eq!(file.parse::<Address>().unwrap().file(), Some(Path::new("/tmp/night.rec")));
        }
        let unix: Address = "unix:///run/app.sock".parse().unwrap();
        assert_eq!(unix.socket(), Some(Path::new("/run/app.sock")));
        assert_eq!(Address::default().authority(), Some("127.0.0.1:6670"));
    }

    #[test]
    fn a_console_subscriber_is_named_by_what_stands_before_its_address() {
        let speaks = |given: &str| given.parse::<Address>().map(|address| address.speaks());
        assert_eq!(tcp("console:127.0.0.1:7000").as_deref(), Some("127.0.0.1:7000"));
        assert_eq!(tcp("console:http://example.org").as_deref(), Some("example.org:6669"));
        assert_eq!(tcp("console:localhost").as_deref(), Some("localhost:6669"));
        assert_eq!(speaks("console:localhost:1"), Ok(Speaks::Console));
        assert_eq!(speaks("localhost:1"), Ok(Speaks::Probe));
        let unix: Address = "console:unix:/run/console.sock".parse().unwrap();
        assert_eq!((unix.socket(), unix.speaks()), (Some(Path::new("/run/console.sock")), Speaks::Console));
        let probe: Address = "http://localhost:1/".parse().unwrap();
        assert_eq!(probe.of_a_console(), "console:localhost:1");
        assert_eq!("console:localhost:1".parse::<Address>().unwrap().of_a_probe(), "localhost:1");
    }

    #[test]
    fn an_address_is_shown_as_the_operator_wrote_it() {
        for given in ["http://localhost:1", "localhost:1", "unix:/x", "console:localhost:1"] {
            assert_eq!(given.parse::<Address>().unwrap().to_string(), given);
        }
    }

    #[test]
    fn forms_of_later_versions_say_what_to_use_now() {
        for given in ["https://example.org", "dns:example.org:6670", "console:https://example.org"] {
            let error = given.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains("not in this version"), "{error}");
            assert!(error.contains("http://"), "{error}");
        }
    }

    #[test]
    fn what_is_no_target_is_refused_with_a_reason() {
        for given in [
            "",
            ":",
            "host",
            "host:",
            ":6670",
            "host:0",
            "host:65536",
            "host:x",
            "::1",
            "::1:6670",
            "ftp://host:1",
            "http://",
            "http://host:1/path",
            "http://user@host:1",
            "a b:1",
            "host:1\n",
            "unix:",
            "console:",
            "console:host:0",
            "console:console:host:1",
            "a\u{1b}[31m:1",
        ] {
            assert!(given.parse::<Address>().is_err(), "{given:?}");
        }
    }
}
