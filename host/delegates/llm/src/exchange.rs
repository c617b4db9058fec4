//! One request to a backend, and its answer: bounded in size; whoever calls bounds it in time.

use std::time::Duration;

use reqwest::Response;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};

use crate::backend::Backend;
use crate::charge::Charge;
use crate::failure::Failure;
use crate::key::Key;
use crate::reading::{Reading, Reported};
use crate::sse::Events;
use crate::{clock, error_body, retry_after};

/// How many bytes of JSON a byte of text can take (`\u0041`).
const JSON_PER_BYTE: usize = 6;

/// How many bytes of a stream a byte of text can take: each token has an event of some 300 bytes of its own.
const STREAM_PER_BYTE: usize = 128;

/// Bytes that may come beside the text.
const BESIDE: usize = 64 << 10;

/// Bytes of a refusal that are read, and for how long, to find its code.
const MAX_REFUSAL: usize = 64 << 10;
const REFUSAL: Duration = Duration::from_secs(2);

/// How long the end of a stream may come after its last event, for the connection to be used again.
const END: Duration = Duration::from_millis(100);

/// What one try sends, and how long an answer it takes.
pub(crate) struct Sent {
    pub(crate) body: Vec<u8>,
    pub(crate) traceparent: Option<HeaderValue>,
    /// Bytes of the answer's text.
    pub(crate) max_bytes: usize,
}

/// Asks, and reads the answer.
pub(crate) async fn ask(backend: &Backend, sent: Sent, charge: &mut Charge<'_>) -> Result<(String, Reported), Failure> {
    let Sent { body, traceparent, max_bytes: max } = sent;
    let key = backend.key().await.map_err(Failure::Key)?;
    let mut request = backend
        .client()
        .post(backend.address(&["chat", "completions"]))
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT, "text/event-stream, application/json")
        .body(body);
    if let Some(key) = &key {
        request = request.header(AUTHORIZATION, key.header());
    }
    if let Some(traceparent) = traceparent {
        request = request.header("traceparent", traceparent);
    }
    charge.sent();
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) => {
            // Where there was a connection, it may have had the question, and work on it.
            if error.is_connect() {
                charge.waived();
            }
            return Err(unsent(&error));
        }
    };
    if !response.status().is_success() {
        charge.waived();
        return Err(refused(response, key.as_ref()).await);
    }
    charge.answering();
    let answer = if is_stream(response.headers()) {
        stream(response, max, charge).await
    } else {
        whole(response, max, charge).await
    };
    answer.map_err(|failure| match failure {
        Failure::Reported(code) => Failure::Reported(without_key(code, key.as_ref())),
        other => other,
    })
}

/// What a request that got no answer means.
pub(crate) fn unsent(error: &reqwest::Error) -> Failure {
    if error.is_connect() { Failure::Unreachable(cause(error)) } else { Failure::Broken(cause(error)) }
}

/// The innermost cause, which names neither the address nor what was sent.
fn cause(error: &reqwest::Error) -> String {
    if error.is_connect() && error.is_timeout() {
        return "no connection within 10 s".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    let mut inner = false;
    while let Some(source) = cause.source() {
        (cause, inner) = (source, true);
    }
    if inner { cause.to_string().chars().take(200).collect() } else { "the connection was lost".to_owned() }
}

/// A code that has nothing of the key in it.
fn without_key(code: Option<String>, key: Option<&Key>) -> Option<String> {
    code.filter(|code| !key.is_some_and(|key| key.shows_in(code)))
}

async fn refused(mut response: Response, key: Option<&Key>) -> Failure {
    let status = response.status().as_u16();
    let wait = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = wait.and_then(|text| retry_after::parse(text, clock::now()));
    let mut body = Vec::new();
    let read = async {
        while let Ok(Some(bytes)) = response.chunk().await {
            if body.len() + bytes.len() > MAX_REFUSAL {
                break;
            }
            body.extend_from_slice(&bytes);
        }
    };
    // What was read until then is enough or is nothing.
    let _ = tokio::time::timeout(REFUSAL, read).await;
    Failure::Refused { status, reason: without_key(error_body::code(&body), key), retry_after }
}

fn is_stream(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.trim_start().to_ascii_lowercase().starts_with("text/event-stream")
}

async fn stream(mut response: Response, max: usize, charge: &mut Charge<'_>) -> Result<(String, Reported), Failure> {
    let mut events = Events::new(max.saturating_mul(JSON_PER_BYTE).saturating_add(BESIDE));
    let mut left = max.saturating_mul(STREAM_PER_BYTE).saturating_add(BESIDE);
    let mut reading = Reading::new(max);
    let broken = loop {
        let bytes = match response.chunk().await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => break None,
            Err(error) => break Some(cause(&error)),
        };
        left = left.checked_sub(bytes.len()).ok_or(Failure::TooLong(max))?;
        for event in events.push(&bytes).map_err(|_| Failure::TooLong(max))? {
            reading.event(&event)?;
        }
        charge.received(reading.len());
        if reading.is_done() {
            // The end of the body, which lets the connection be used again; whatever else comes is not wanted.
            let _ = tokio::time::timeout(END, response.chunk()).await;
            return reading.finish(None);
        }
    };
    if broken.is_none()
        && let Some(event) = events.finish()
    {
        reading.event(&event)?;
        charge.received(reading.len());
    }
    reading.finish(broken)
}

async fn whole(mut response: Response, max: usize, charge: &mut Charge<'_>) -> Result<(String, Reported), Failure> {
    let limit = max.saturating_mul(JSON_PER_BYTE).saturating_add(BESIDE);
    let mut body = Vec::new();
    while let Some(bytes) = response.chunk().await.map_err(|error| Failure::Broken(cause(&error)))? {
        if body.len() + bytes.len() > limit {
            return Err(Failure::TooLong(max));
        }
        body.extend_from_slice(&bytes);
        charge.received(body.len());
    }
    let (text, reported) = Reading::new(max).whole(&body)?;
    charge.received(text.len());
    Ok((text, reported))
}
