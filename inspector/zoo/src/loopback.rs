//! A line protocol over TCP on the loopback interface: one request a line, one answer a line.
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::sleep,
};

/// A listener on a free port.
pub(crate) async fn listen() -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Answers the requests of one connection until the client hangs up.
pub(crate) async fn answer<H, A>(stream: TcpStream, handler: H) -> io::Result<()>
where
    H: Fn(String) -> A,
    A: Future<Output = String>,
{
    let (reader, mut writer) = stream.into_split();
    let mut requests = BufReader::new(reader).lines();
    while let Some(request) = requests.next_line().await? {
        let mut answer = handler(request).await;
        answer.push('\n');
        writer.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}

/// One client: `requests` requests on one connection (or for ever), each sent `pause` after the answer to the last.
pub(crate) async fn client(
    server: SocketAddr,
    pause: Duration,
    requests: Option<u64>,
    request: impl Fn(u64) -> String,
) -> io::Result<()> {
    let (reader, mut writer) = TcpStream::connect(server).await?.into_split();
    let mut answers = BufReader::new(reader).lines();
    for number in 0..requests.unwrap_or(u64::MAX) {
        let mut line = request(number);
        line.push('\n');
        writer.write_all(line.as_bytes()).await?;
        if answers.next_line().await?.is_none() {
            break;
        }
        sleep(pause).await;
    }
    Ok(())
}

/// `count` clients that never stop, in a set that their owner keeps.
pub(crate) fn clients(
    count: u64,
    server: SocketAddr,
    pause: Duration,
    request: impl Fn(u64, u64) -> String + Copy + Send + 'static,
) -> JoinSet<io::Result<()>> {
    let mut set = JoinSet::new();
    for client_number in 0..count {
        set.spawn(client(server, pause, None, move |number| request(client_number, number)));
    }
    set
}
