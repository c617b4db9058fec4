//! A server on this machine that does by its path what a server may do to whoever asks it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// Where it listens, and what it saw.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// Heads and bodies of requests, as they came.
    requests: watch::Receiver<Vec<String>>,
    /// Connections that the other side has closed.
    closed: watch::Receiver<usize>,
}

struct Seen {
    requests: watch::Sender<Vec<String>>,
    closed: watch::Sender<usize>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::listen(None).await
    }

    /// The same with TLS.
    pub(crate) async fn listen(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (requests, seen_requests) = watch::channel(Vec::new());
        let (closed, seen_closed) = watch::channel(0);
        let seen = Arc::new(Seen { requests, closed });
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, tls) = (Arc::clone(&seen), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, &seen).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => serve(stream, &seen).await,
                            Err(_) => Ok(()),
                        },
                    }
                });
            }
        });
        Self { address, requests: seen_requests, closed: seen_closed }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.borrow().clone()
    }

    /// Waits until so many requests have come.
    pub(crate) async fn has_seen(&mut self, count: usize) {
        self.requests.wait_for(|requests| requests.len() >= count).await.unwrap();
    }

    /// Waits until so many connections were closed by the other side.
    pub(crate) async fn was_left(&mut self, count: usize) {
        let left = self.closed.wait_for(|closed| *closed >= count);
        tokio::time::timeout(Duration::from_secs(20), left).await.expect("the connection is closed").unwrap();
    }
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, seen: &Seen) -> std::io::Result<()> {
    let head = head(&mut stream).await?;
    seen.requests.send_modify(|requests| requests.push(head.clone()));
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let path = path.split('?').next().unwrap_or_default();
    let (verb, rest) = path[1..].split_once('/').unwrap_or((&path[1..], ""));
    match verb {
        "status" => {
            let more = if rest == "302" { "location: http://127.0.0.1:1/private\r\n" } else { "" };
            let head = format!("HTTP/1.1 {rest} Some Reason\r\n{more}x-from: server\r\ncontent-length: 0\r\n\r\n");
            stream.write_all(head.as_bytes()).await?;
        }
        "echo" => {
            let authorization = head.lines().find_map(|line| line.strip_prefix("authorization: ")).unwrap_or("none");
            let answer = format!(
                "HTTP/1.1 200 OK\r\nx-authorization: {authorization}\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{head}\r\n0\r\n\
                 x-trailer: {authorization}\r\n\r\n",
                head.len()
            );
            stream.write_all(answer.as_bytes()).await?;
        }
        "endless" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await?;
            let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
            while stream.write_all(chunk.as_bytes()).await.is_ok() {}
            seen.closed.send_modify(|closed| *closed += 1);
            return Ok(());
        }
        "stuck" => stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n").await?,
        "cut" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nx").await?;
            return Ok(());
        }
        "nonsense" => stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n\r\n").await?,
        "headers" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
            for number in 0..100_000 {
                if stream.write_all(format!("x-{number}: y\r\n").as_bytes()).await.is_err() {
                    break;
                }
            }
        }
        // It keeps silent.
        _ => {}
    }
    stream.flush().await?;
    // Until the other side leaves.
    let mut rest = [0; 1024];
    while stream.read(&mut rest).await.is_ok_and(|read| read > 0) {}
    seen.closed.send_modify(|closed| *closed += 1);
    Ok(())
}

/// The head of a request, and its body where it has a length.
async fn head(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
            let is_whole = match head.contains("transfer-encoding: chunked") {
                true => body.ends_with("0\r\n\r\n"),
                false => body.len() >= length,
            };
            if is_whole {
                return Ok(text.into_owned());
            }
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
}
