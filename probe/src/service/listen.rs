//! Where the probe listens: loopback or a unix socket that only its owner can open. Anything else is refused unless the
//! operator says `insecure` in so many words.
use std::{
    fmt, io,
    net::{IpAddr, SocketAddr, TcpListener},
    path::PathBuf,
    str::FromStr,
};

use async_inspect_proto::DEFAULT_ADDR;

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Listen {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// Why the probe does not listen.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The address cannot be read.
    #[error(
        "cannot read the address `{0}`: use `on` (which is {DEFAULT_ADDR}), `127.0.0.1:PORT`, `unix:/path/to/socket` or `off`"
    )]
    Address(String),
    /// The address can be reached from other machines.
    #[error(
        "refusing to listen on {0}: anyone who reaches it could read this service's inside. Use a loopback address and \
         an ssh tunnel (`ssh -L 6670:127.0.0.1:6670 HOST`), or say `insecure:{0}` if the network is yours alone"
    )]
    NotLoopback(SocketAddr),
    /// Another program has it.
    #[error(
        "cannot listen on {0}: the address is taken, perhaps by another watched service. Give this one another, \
         for instance ASYNC_INSPECT=127.0.0.1:6671"
    )]
    Taken(String),
    /// There is no folder for the socket.
    #[error(
        "cannot listen on {0}: make the folder that the socket is to be in, and let the service's user write there"
    )]
    NoFolder(String),
    /// Something else went wrong.
    #[error("cannot listen on {address}: {error}")]
    Io {
        /// Where.
        address: String,
        /// What went wrong.
        error: io::Error,
    },
}

impl FromStr for Listen {
    type Err = BindError;

    fn from_str(text: &str) -> Result<Self, BindError> {
        let text = text.trim();
        if matches!(text, "on" | "1" | "true" | "yes") {
            return DEFAULT_ADDR.parse().map(Self::Tcp).map_err(|_| BindError::Address(text.to_owned()));
        }
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() {
                Err(BindError::Address(text.to_owned()))
            } else {
                Ok(Self::Unix(path.into()))
            };
        }
        let (insecure, address) = text.strip_prefix("insecure:").map_or((false, text), |address| (true, address));
        let address = address.strip_prefix("http://").unwrap_or(address);
        let address: SocketAddr = match address.strip_prefix("localhost:") {
            Some(port) => port.parse().map(|port| SocketAddr::from(([127, 0, 0, 1], port))).map_err(|_| ()),
            None => address.parse().map_err(|_| ()),
        }
        .map_err(|()| BindError::Address(text.to_owned()))?;
        Self::tcp(address, insecure)
    }
}

impl Listen {
    /// A TCP address, which has to be loopback unless `insecure` is said.
    pub(crate) fn tcp(address: SocketAddr, insecure: bool) -> Result<Self, BindError> {
        let loopback = match address.ip() {
            IpAddr::V4(ip) => ip.is_loopback(),
            IpAddr::V6(ip) => ip.is_loopback() || ip.to_ipv4_mapped().is_some_and(|ip| ip.is_loopback()),
        };
        if loopback || insecure { Ok(Self::Tcp(address)) } else { Err(BindError::NotLoopback(address)) }
    }

    /// Binds, so that a taken address is known before anything else is done.
    pub(crate) fn bind(&self) -> Result<Listener, BindError> {
        match self {
            Self::Tcp(address) => TcpListener::bind(address)
                .and_then(|listener| listener.set_nonblocking(true).map(|()| Listener::Tcp(listener))),
            #[cfg(unix)]
            Self::Unix(path) => bind_unix(path).map(Listener::Unix),
            #[cfg(not(unix))]
            Self::Unix(_) => Err(io::Error::new(io::ErrorKind::Unsupported, "no unix sockets on this system")),
        }
        .map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => BindError::Taken(self.to_string()),
            io::ErrorKind::NotFound if matches!(self, Self::Unix(_)) => BindError::NoFolder(self.to_string()),
            _ => BindError::Io { address: self.to_string(), error },
        })
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// A bound socket.
pub(crate) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(std::os::unix::net::UnixListener),
}

impl Listener {
    /// The address as an inspector is to be given it.
    pub(crate) fn target(&self) -> String {
        match self {
            Self::Tcp(listener) => {
                listener.local_addr().map_or_else(|error| error.to_string(), |address| format!("http://{address}"))
            }
            #[cfg(unix)]
            Self::Unix(listener) => listener
                .local_addr()
                .ok()
                .and_then(|address| Some(format!("unix:{}", address.as_pathname()?.display())))
                .unwrap_or_default(),
        }
    }
}

/// A socket file that nobody listens on any more is replaced, one in use is not.
#[cfg(unix)]
fn bind_unix(path: &std::path::Path) -> io::Result<std::os::unix::net::UnixListener> {
    use std::os::unix::{
        fs::{FileTypeExt, PermissionsExt},
        net::{UnixListener, UnixStream},
    };
    if std::fs::symlink_metadata(path).is_ok_and(|meta| meta.file_type().is_socket()) {
        match UnixStream::connect(path) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path)?,
            _ => return Err(io::ErrorKind::AddrInUse.into()),
        }
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_and_unix_sockets_are_taken_as_they_are() {
        assert_eq!("on".parse::<Listen>().unwrap(), Listen::Tcp(([127, 0, 0, 1], 6670).into()));
        assert_eq!("127.0.0.1:7000".parse::<Listen>().unwrap().to_string(), "127.0.0.1:7000");
        assert_eq!("localhost:7000".parse::<Listen>().unwrap().to_string(), "127.0.0.1:7000");
        assert_eq!("[::1]:7000".parse::<Listen>().unwrap().to_string(), "[::1]:7000");
        assert_eq!("unix:/run/app.sock".parse::<Listen>().unwrap(), Listen::Unix("/run/app.sock".into()));
    }

    #[test]
    fn an_address_for_all_the_world_needs_the_word() {
        assert!(matches!("0.0.0.0:6670".parse::<Listen>(), Err(BindError::NotLoopback(_))));
        assert!(matches!("[::]:6670".parse::<Listen>(), Err(BindError::NotLoopback(_))));
        assert!("insecure:0.0.0.0:6670".parse::<Listen>().is_ok());
    }

    #[test]
    fn nonsense_is_refused_with_what_would_do() {
        for nonsense in ["", "yes please", "6670", "127.0.0.1", "unix:", "host.example:6670"] {
            let error = nonsense.parse::<Listen>().unwrap_err().to_string();
            assert!(error.contains("127.0.0.1:PORT"), "{error}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_unix_socket_is_the_owners_alone_and_a_dead_one_is_replaced() {
        use std::os::unix::fs::PermissionsExt;
        let path = std::env::temp_dir().join(format!("async-inspect-test-{}.sock", std::process::id()));
        let listen = Listen::Unix(path.clone());
        let listener = listen.bind().unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(listen.bind(), Err(BindError::Taken(_))));
        drop(listener);
        listen.bind().unwrap();
        std::fs::remove_file(&path).unwrap();
    }
}
