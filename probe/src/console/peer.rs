//! Which client a request comes from: `Pause` and `WatchState` are about the stream of the same client, and do not name it.
use std::net::SocketAddr;

use tonic::Request;

/// A client. One that cannot be told from others cannot pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Peer {
    /// Its end of the connection.
    Tcp(SocketAddr),
    /// Its process, on a unix socket.
    #[cfg_attr(not(unix), allow(dead_code, reason = "only there it can be"))]
    Process(i32),
}

impl Peer {
    pub(super) fn of<T>(request: &Request<T>) -> Option<Self> {
        request.remote_addr().map(Self::Tcp).or_else(|| process(request))
    }
}

#[cfg(unix)]
fn process<T>(request: &Request<T>) -> Option<Peer> {
    use tonic::transport::server::UdsConnectInfo;

    let connection = request.extensions().get::<UdsConnectInfo>()?;
    connection.peer_cred?.pid().map(Peer::Process)
}

#[cfg(not(unix))]
fn process<T>(_: &Request<T>) -> Option<Peer> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use ::tokio::{net::UnixStream, runtime};
    use tonic::transport::server::Connected;

    use super::*;

    #[test]
    fn on_a_unix_socket_a_client_is_its_process() {
        let runtime = runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let (ours, _theirs) = runtime.block_on(async { UnixStream::pair() }).unwrap();
        let mut request = Request::new(());
        assert_eq!(Peer::of(&request), None);
        request.extensions_mut().insert(ours.connect_info());
        assert_eq!(Peer::of(&request), Some(Peer::Process(std::process::id().cast_signed())));
    }
}
