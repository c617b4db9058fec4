//! One connection to a host, kept alive, that costs next to nothing itself.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

/// An answer must come within this.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a client writes its requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Header and body at once, without delay.
    OneWrite,
    /// One after the other, as ordinary clients do.
    TwoWrites,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
    address: String,
    manner: Manner,
}

impl Client {
    pub(crate) fn connect(address: &str, manner: Manner) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(manner == Manner::OneWrite)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream: BufReader::new(stream), address: address.to_owned(), manner })
    }

    pub(crate) fn ask(&mut self, method: &str, path: &str, body: &str) -> Result<Value> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        let stream = self.stream.get_mut();
        match self.manner {
            Manner::OneWrite => stream.write_all(format!("{head}{body}").as_bytes())?,
            Manner::TwoWrites => {
                stream.write_all(head.as_bytes())?;
                stream.write_all(body.as_bytes())?;
            }
        }
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line)?;
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(text) = line.strip_prefix("content-length:") {
                length = text.trim().parse()?;
            }
        }
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer)?;
        Ok(serde_json::from_slice(&answer)?)
    }
}
