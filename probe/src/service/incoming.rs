//! Connections as they come: so many at once and no more, and no haste where the system gives none.
use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use ::tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::sleep,
};
use futures_util::{Stream, stream};
use tonic::transport::server::Connected;

/// Connections at once; who comes beyond is hung up on.
const MOST: usize = 64;
/// After a connection could not be had: mostly the app has used up its descriptors, and each try would fail at once.
const PAUSE: Duration = Duration::from_millis(200);

/// A socket that listens.
pub(crate) trait Accept: Sized + 'static {
    type Stream: Connected + AsyncRead + AsyncWrite + Unpin + Send + 'static;

    fn accept(&self) -> impl Future<Output = io::Result<Self::Stream>>;
}

impl Accept for TcpListener {
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<TcpStream> {
        Ok(self.accept().await?.0)
    }
}

#[cfg(unix)]
impl Accept for ::tokio::net::UnixListener {
    type Stream = ::tokio::net::UnixStream;

    async fn accept(&self) -> io::Result<Self::Stream> {
        Ok(self.accept().await?.0)
    }
}

/// The connections that come to `listener`. Never ends, and never fails.
pub(crate) fn incoming<L: Accept>(listener: L) -> impl Stream<Item = io::Result<Connection<L::Stream>>> {
    let places = Arc::new(Semaphore::new(MOST));
    stream::unfold((listener, places), |(listener, places)| async {
        loop {
            match listener.accept().await {
                Ok(stream) => {
                    if let Ok(place) = places.clone().try_acquire_owned() {
                        return Some((Ok(Connection { stream, _place: place }), (listener, places)));
                    }
                }
                Err(_) => sleep(PAUSE).await,
            }
        }
    })
}

/// A connection that has a place of [`MOST`].
pub(crate) struct Connection<S> {
    stream: S,
    _place: OwnedSemaphorePermit,
}

impl<S: Connected> Connected for Connection<S> {
    type ConnectInfo = S::ConnectInfo;

    fn connect_info(&self) -> S::ConnectInfo {
        self.stream.connect_info()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::Read,
        net::{SocketAddr, TcpListener as StdListener, TcpStream as StdStream},
        pin::pin,
    };

    use ::tokio::time::timeout;
    use futures_util::StreamExt;

    use super::*;

    #[::tokio::test]
    async fn connections_beyond_the_limit_are_hung_up_on_and_places_come_free() {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut incoming = pin!(incoming(listener));
        let (mut clients, mut connections) = (Vec::new(), Vec::new());
        for _ in 0..MOST {
            clients.push(StdStream::connect(address).unwrap());
            connections.push(incoming.next().await.unwrap().unwrap());
        }
        let mut one_more = StdStream::connect(address).unwrap();
        one_more.set_nonblocking(true).unwrap();
        let hung_up = async {
            loop {
                assert!(timeout(Duration::from_millis(50), incoming.next()).await.is_err());
                match one_more.read(&mut [0]) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    end => return end.unwrap_or(0),
                }
            }
        };
        assert_eq!(timeout(Duration::from_mins(1), hung_up).await.unwrap(), 0, "it is hung up on");
        connections.pop();
        clients.push(StdStream::connect(address).unwrap());
        assert!(incoming.next().await.unwrap().is_ok());
    }

    /// As when the app has no descriptors left: each try fails, and at once.
    #[::tokio::test]
    #[cfg(target_os = "linux")]
    async fn a_socket_that_gives_no_connections_is_not_tried_without_end() {
        use std::os::fd::{AsRawFd, FromRawFd};
        // SAFETY: a new descriptor, which is owned from here on; it is bound to nothing and does not listen.
        let socket = unsafe { StdListener::from_raw_fd(libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0)) };
        assert!(socket.as_raw_fd() >= 0);
        socket.set_nonblocking(true).unwrap();
        let listener = TcpListener::from_std(socket).unwrap();
        assert!(listener.accept().await.is_err());
        let before = crate::recorder::clock::thread_cpu_ns();
        let mut incoming = pin!(incoming(listener));
        assert!(timeout(Duration::from_millis(500), incoming.next()).await.is_err());
        let took = crate::recorder::clock::thread_cpu_ns() - before;
        assert!(took < 100_000_000, "{took} ns of CPU time");
    }
}
