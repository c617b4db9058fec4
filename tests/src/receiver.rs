//! A receiver of webhooks: takes, refuses, keeps silent or leads away, and checks every signature with code of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// No request is read for longer; only a host that does not end its own is cut off by it.
const LIMIT: Duration = Duration::from_secs(60);

/// How the receiver treats what is sent to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// It takes it.
    Takes,
    /// It answers 503.
    Refuses,
    /// It closes the connection without a word.
    Hangs,
    /// It reads, and does not answer before it has another manner.
    IsSilent,
    /// It says that the receiver is elsewhere.
    LeadsAway,
}

/// A message that was taken.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its id, the same each time it is sent.
    pub id: String,
    /// The event.
    pub event: Value,
}

#[derive(Debug)]
struct State {
    manner: Manner,
    secret: Option<String>,
    taken: Vec<Message>,
    /// Requests that were read, taken or not.
    seen: usize,
    /// What was wrong with signatures.
    wrong: Vec<String>,
}

/// The receiver, listening until the test ends.
#[derive(Debug, Clone)]
pub struct Receiver {
    address: SocketAddr,
    state: Arc<(Mutex<State>, Condvar)>,
}

impl Receiver {
    /// Listens on a free port of this machine.
    ///
    /// # Panics
    ///
    /// Where there is none.
    pub fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let state = State { manner, secret: None, taken: Vec::new(), seen: 0, wrong: Vec::new() };
        let receiver = Self {
            address: listener.local_addr().expect("an address"),
            state: Arc::new((Mutex::new(state), Condvar::new())),
        };
        let listening = receiver.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let receiver = listening.clone();
                std::thread::spawn(move || receiver.serve(stream));
            }
        });
        receiver
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}/hooks?token=t0ken", self.address)
    }

    /// Checks signatures with this secret from here on.
    pub fn trust(&self, secret: &str) {
        self.lock().secret = Some(secret.trim().to_owned());
    }

    /// Treats what is sent from here on, and what it keeps silent about, in another manner.
    pub fn behave(&self, manner: Manner) {
        self.lock().manner = manner;
        self.state.1.notify_all();
    }

    /// What it has taken, in order.
    ///
    /// # Panics
    ///
    /// Where a signature was wrong.
    pub fn taken(&self) -> Vec<Message> {
        let state = self.lock();
        assert!(state.wrong.is_empty(), "{:#?}", state.wrong);
        state.taken.clone()
    }

    /// How many requests it has read, taken or not.
    pub fn seen(&self) -> usize {
        self.lock().seen
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, stream: TcpStream) -> Option<()> {
        stream.set_read_timeout(Some(LIMIT)).ok()?;
        let mut reader = BufReader::new(&stream);
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
            if line.trim().is_empty() {
                break;
            }
            headers.push(line.trim().to_owned());
        }
        let header = |name: &str| {
            let found = headers.iter().filter_map(|line| line.split_once(": "));
            found.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).next()
        };
        let mut body = vec![0; header("content-length")?.parse().ok()?];
        reader.read_exact(&mut body).ok()?;
        let [id, timestamp, signature] =
            ["webhook-id", "webhook-timestamp", "webhook-signature"].map(|name| header(name).unwrap_or_default());
        let mut state = self.lock();
        state.seen += 1;
        while state.manner == Manner::IsSilent {
            state = self.state.1.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let secret = state.secret.clone().unwrap_or_default();
        if let Err(why) = check(&secret, &id, &timestamp, &signature, &body) {
            state.wrong.push(why);
        }
        let answer = match state.manner {
            Manner::Takes | Manner::IsSilent => "204 No Content\r\n",
            Manner::Refuses => "503 Service Unavailable\r\nContent-Length: 0\r\n",
            Manner::LeadsAway => "307 Temporary Redirect\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n",
            Manner::Hangs => return Some(()),
        };
        if state.manner == Manner::Takes {
            state.taken.push(Message { id, event: serde_json::from_slice(&body).unwrap_or_default() });
        }
        // It answers what it has taken before anybody can see that it has; the host may have gone by then.
        let _ = (&stream).write_all(format!("HTTP/1.1 {answer}Connection: close\r\n\r\n").as_bytes());
        Some(())
    }
}

/// Whether one of the signatures is that of Standard Webhooks under the secret.
fn check(secret: &str, id: &str, timestamp: &str, signatures: &str, body: &[u8]) -> Result<(), String> {
    let key = secret.strip_prefix("whsec_").and_then(|key| STANDARD.decode(key).ok());
    let key = key.ok_or("the receiver has no secret")?;
    timestamp.parse::<u64>().map_err(|_| format!("no time: `{timestamp}`"))?;
    let signed = [format!("{id}.{timestamp}.").as_bytes(), body].concat();
    let expected = format!("v1,{}", STANDARD.encode(hmac(&key, &signed)));
    if id.is_empty() || !signatures.split(' ').any(|signature| signature == expected) {
        return Err(format!("message `{id}` is signed `{signatures}` instead of `{expected}`"));
    }
    Ok(())
}

/// HMAC-SHA256 as RFC 2104 writes it down.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    const BLOCK: usize = 64;
    let mut block = if key.len() > BLOCK { Sha256::digest(key).to_vec() } else { key.to_vec() };
    block.resize(BLOCK, 0);
    let padded = |pad: u8| block.iter().map(|byte| byte ^ pad).collect::<Vec<u8>>();
    let inner = Sha256::digest([padded(0x36), message.to_vec()].concat());
    Sha256::digest([padded(0x5c), inner.to_vec()].concat()).to_vec()
}
