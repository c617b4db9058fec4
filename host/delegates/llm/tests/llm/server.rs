//! A backend that answers by a script.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// What the backend does with one request.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Answers as a whole, with usage.
    Whole(&'static str),
    /// Answers in pieces, with usage (prompt, completion) where there is one.
    Stream(&'static [&'static str], Option<(u64, u64)>),
    /// Answers with a status, headers and a body.
    Status(u16, Vec<(&'static str, String)>, String),
    /// Sends these bytes and closes.
    Raw(Vec<u8>),
    /// Sends these bytes, and then these again and again, until the connection is closed.
    Endless(Vec<u8>, Vec<u8>),
    /// Sends these bytes, and waits until the connection is closed.
    Hang(Vec<u8>),
    /// Answers as a whole once [`Server::open`] lets it.
    Gated,
}

impl Step {
    pub(crate) fn status(status: u16) -> Self {
        Self::Status(status, Vec::new(), String::new())
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) line: String,
    pub(crate) authorization: Option<String>,
    pub(crate) traceparent: Option<String>,
    pub(crate) body: Value,
}

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) requests: usize,
    pub(crate) connections: usize,
    /// Requests that are being answered, and the most that were at once.
    pub(crate) now: usize,
    pub(crate) most: usize,
    /// Connections that the other side closed before the answer was at its end.
    pub(crate) closed: usize,
}

#[derive(Debug)]
struct Shared {
    script: Mutex<VecDeque<Step>>,
    after: Step,
    seen: Mutex<Vec<Seen>>,
    counts: watch::Sender<Counts>,
    gate: Semaphore,
}

/// A backend; it ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    scheme: &'static str,
    shared: Arc<Shared>,
    _serving: JoinSet<()>,
}

impl Server {
    /// Does these steps, one for each request, and then the last one always.
    pub(crate) async fn start(steps: impl IntoIterator<Item = Step>) -> Self {
        Self::serve(steps, None).await
    }

    pub(crate) async fn start_tls(steps: impl IntoIterator<Item = Step>, tls: TlsAcceptor) -> Self {
        Self::serve(steps, Some(tls)).await
    }

    async fn serve(steps: impl IntoIterator<Item = Step>, tls: Option<TlsAcceptor>) -> Self {
        let mut script: VecDeque<Step> = steps.into_iter().collect();
        let after = script.pop_back().expect("a step");
        let shared = Arc::new(Shared {
            script: Mutex::new(script),
            after,
            seen: Mutex::default(),
            counts: watch::Sender::default(),
            gate: Semaphore::new(0),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (for_task, scheme) = (Arc::clone(&shared), if tls.is_some() { "https" } else { "http" });
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (shared, tls) = (Arc::clone(&for_task), tls.clone());
                shared.counts.send_modify(|counts| counts.connections += 1);
                connections.spawn(async move {
                    match tls {
                        None => connection(stream, &shared).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                connection(stream, &shared).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, scheme, shared, _serving: serving }
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://{}/v1", self.scheme, self.address)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    pub(crate) fn counts(&self) -> Counts {
        *self.shared.counts.borrow()
    }

    /// Waits until the counts are so.
    pub(crate) async fn until(&self, so: impl Fn(&Counts) -> bool) {
        let mut counts = self.shared.counts.subscribe();
        tokio::time::timeout(crate::PATIENCE, counts.wait_for(so)).await.expect("in time").expect("a server");
    }

    /// Lets so many gated requests be answered.
    pub(crate) fn open(&self, requests: usize) {
        self.shared.gate.add_permits(requests);
    }
}

/// Serves requests until the connection ends.
async fn connection(mut stream: impl AsyncRead + AsyncWrite + Unpin, shared: &Shared) {
    while let Some(seen) = read(&mut stream).await {
        shared.seen.lock().unwrap().push(seen);
        shared.counts.send_modify(|counts| {
            counts.requests += 1;
            counts.now += 1;
            counts.most = counts.most.max(counts.now);
        });
        let step = shared.script.lock().unwrap().pop_front().unwrap_or_else(|| shared.after.clone());
        let goes_on = answer(&mut stream, step, shared).await;
        shared.counts.send_modify(|counts| counts.now -= 1);
        if !goes_on {
            let _ = stream.shutdown().await;
            return;
        }
    }
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Seen> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let header = |name: &str| {
        let mut fields = head.lines().filter_map(|line| line.split_once(':'));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
    };
    let length = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Seen {
        line: head.lines().next()?.to_owned(),
        authorization: header("authorization"),
        traceparent: header("traceparent"),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    })
}

/// Answers, and says whether the connection can be used again.
async fn answer(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), step: Step, shared: &Shared) -> bool {
    match step {
        Step::Whole(text) => stream.write_all(&whole(text)).await.is_ok(),
        Step::Gated => {
            shared.gate.acquire().await.expect("a gate").forget();
            stream.write_all(&whole("let through")).await.is_ok()
        }
        Step::Stream(pieces, usage) => {
            let mut bytes = streaming();
            for piece in pieces {
                bytes.extend(chunk(&event(&json!({ "choices": [{ "delta": { "content": piece } }] }))));
            }
            bytes.extend(chunk(&event(&json!({ "choices": [{ "delta": {}, "finish_reason": "stop" }] }))));
            if let Some((prompt, completion)) = usage {
                let usage = json!({ "prompt_tokens": prompt, "completion_tokens": completion });
                bytes.extend(chunk(&event(&json!({ "choices": [], "usage": usage }))));
            }
            bytes.extend(chunk(b"data: [DONE]\n\n"));
            bytes.extend(b"0\r\n\r\n");
            stream.write_all(&bytes).await.is_ok()
        }
        Step::Status(status, headers, body) => {
            let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let length = body.len();
            let text = format!("HTTP/1.1 {status} Such\r\n{headers}content-length: {length}\r\n\r\n{body}");
            stream.write_all(text.as_bytes()).await.is_ok()
        }
        Step::Raw(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.flush().await;
            false
        }
        Step::Endless(first, again) => {
            let mut sent = stream.write_all(&first).await;
            while sent.is_ok() {
                sent = stream.write_all(&again).await;
            }
            shared.counts.send_modify(|counts| counts.closed += 1);
            false
        }
        Step::Hang(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.flush().await;
            // Nothing comes any more but the end.
            let _ = stream.read(&mut [0; 16]).await;
            shared.counts.send_modify(|counts| counts.closed += 1);
            false
        }
    }
}

/// A whole answer.
fn whole(text: &str) -> Vec<u8> {
    let body = json!({
        "choices": [{ "message": { "role": "assistant", "content": text }, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 30, "completion_tokens": 20 },
    })
    .to_string();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    (head + &body).into_bytes()
}

/// The head of an answer in pieces.
pub(crate) fn streaming() -> Vec<u8> {
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n".to_vec()
}

/// The bytes of an event.
pub(crate) fn event(data: &Value) -> Vec<u8> {
    format!("data: {data}\n\n").into_bytes()
}

/// Bytes as a chunk of a body.
pub(crate) fn chunk(bytes: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend_from_slice(bytes);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

/// The beginning of an answer in pieces: one piece of text.
pub(crate) fn half() -> Vec<u8> {
    let mut bytes = streaming();
    bytes.extend(chunk(&event(&json!({ "choices": [{ "delta": { "content": "half an answer " } }] }))));
    bytes
}
