//! A server by HTTP that takes its time, or never ends.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use anyhow::Result;

/// How long it lets wait for the next byte where it gives them one by one.
const BYTE_EVERY: Duration = Duration::from_millis(20);

/// A server that listens for as long as the process lives.
#[derive(Debug)]
pub(super) struct SlowServer {
    address: SocketAddr,
}

impl SlowServer {
    /// Listens on a free port of this machine.
    pub(super) fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || serve(stream));
            }
        });
        Ok(Self { address })
    }

    /// Where.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Answers as the path says, until whoever asks is gone.
fn serve(mut stream: TcpStream) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.extend(byte);
    }
    let path = String::from_utf8_lossy(&head);
    match path.split(' ').nth(1).unwrap_or_default() {
        "/drips-head" => drip(stream, b"HTTP/1.1 200 OK\r\nx-endless: "),
        "/drips-body" => drip(stream, b"HTTP/1.1 200 OK\r\n\r\n"),
        "/endless" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
            loop {
                stream.write_all(&[b'x'; 64 << 10])?;
            }
        }
        // Silence, until the other side is gone.
        _ => stream.read(&mut [0]).map(drop),
    }
}

fn drip(mut stream: TcpStream, head: &[u8]) -> std::io::Result<()> {
    stream.write_all(head)?;
    loop {
        stream.write_all(b"x")?;
        std::thread::sleep(BYTE_EVERY);
    }
}
