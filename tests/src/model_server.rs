//! A server that speaks the chat completions of OpenAI, and answers with what it was told to.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

/// No request is read for longer.
const LIMIT: Duration = Duration::from_secs(60);

/// What is answered to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// This text.
    Says(String),
    /// This status, and nothing else.
    Fails(u16),
    /// Nothing, until whoever asks is gone.
    IsSilent,
}

/// The server, listening until the test ends.
#[derive(Debug, Clone)]
pub struct ModelServer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    script: Script,
}

/// What is answered to which question.
#[derive(Clone)]
struct Script(Arc<dyn Fn(&Value) -> Reply + Send + Sync>);

impl std::fmt::Debug for Script {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Script").finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct State {
    asked: Vec<Value>,
    open: usize,
    keys: Vec<String>,
}

impl ModelServer {
    /// Listens on a free port of this machine, and gives these replies one after the other, whatever is asked; then 500.
    ///
    /// # Panics
    ///
    /// Where there is none.
    pub fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let replies: Mutex<VecDeque<Reply>> = Mutex::new(replies.into_iter().collect());
        Self::answering(move |_| locked(&replies).pop_front().unwrap_or(Reply::Fails(500)))
    }

    /// Listens on a free port of this machine, and replies to each question what `script` says.
    ///
    /// # Panics
    ///
    /// Where there is none.
    pub fn answering(script: impl Fn(&Value) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let server = Self { address, state: Arc::default(), script: Script(Arc::new(script)) };
        let listening = server.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = listening.clone();
                std::thread::spawn(move || server.serve(stream));
            }
        });
        server
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The questions that came, in order.
    pub fn asked(&self) -> Vec<Value> {
        locked(&self.state).asked.clone()
    }

    /// The keys with which they came.
    pub fn keys(&self) -> Vec<String> {
        locked(&self.state).keys.clone()
    }

    /// Requests that came and were not answered yet, and whose asker is still there.
    pub fn open(&self) -> usize {
        locked(&self.state).open
    }

    fn serve(&self, stream: TcpStream) -> Option<()> {
        stream.set_read_timeout(Some(LIMIT)).ok()?;
        let mut reader = BufReader::new(&stream);
        let (mut length, mut key, mut first) = (0, String::new(), String::new());
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
            if line.trim().is_empty() {
                break;
            }
            match line.trim().split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().ok()?,
                Some((name, value)) if name.eq_ignore_ascii_case("authorization") => key = value.to_owned(),
                _ if first.is_empty() => first = line,
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        if first.starts_with("GET") {
            return answer(&stream, 200, &json!({"data": []}));
        }
        let question: Value = serde_json::from_slice(&body).ok()?;
        {
            let mut state = locked(&self.state);
            state.asked.push(question.clone());
            state.keys.push(key);
        }
        match (self.script.0)(&question) {
            Reply::Says(text) => answer(
                &stream,
                200,
                &json!({
                    "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
                    "usage": {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12},
                }),
            ),
            Reply::Fails(status) => answer(&stream, status, &json!({"error": {"code": "told_to"}})),
            Reply::IsSilent => {
                let open = |change: isize| {
                    let mut state = locked(&self.state);
                    state.open = state.open.saturating_add_signed(change);
                };
                open(1);
                // It ends when the asker closes the connection.
                let read = reader.read(&mut [0]);
                open(-1);
                read.ok().map(|_| ())
            }
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(mut stream: &TcpStream, status: u16, body: &Value) -> Option<()> {
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status} Told\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body.as_bytes()).ok()
}
