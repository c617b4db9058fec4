//! One HTTP request to a receiver: to an address that is allowed, no redirects, bounded in time and size.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bulkhead_outbound::{AddressRules, SystemResolver, connect, encrypt, tls_config};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, Version};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;

use crate::endpoint::Endpoint;
use crate::retry::Failed;

/// Bytes of an answer that are read before the connection is closed; nothing of them is kept.
const MAX_ANSWER: usize = 64 << 10;

/// Bytes of an answer's head.
const MAX_HEAD: usize = 32 << 10;

/// Sends a body, and gives the reason where the receiver does not take it.
pub(crate) async fn post(
    endpoint: &Endpoint,
    rules: &AddressRules,
    headers: HeaderMap,
    body: Bytes,
    limit: Duration,
) -> Result<(), Failed> {
    match tokio::time::timeout(limit, attempt(endpoint, rules, headers, body)).await {
        Ok(done) => done,
        Err(_) => Err(failed(format!("no answer within {} ms (webhooks.timeout)", limit.as_millis()))),
    }
}

fn failed(error: String) -> Failed {
    Failed { error, retry_after: None }
}

async fn attempt(endpoint: &Endpoint, rules: &AddressRules, headers: HeaderMap, body: Bytes) -> Result<(), Failed> {
    let host = endpoint.host();
    let stream = connect(&host, endpoint.port(), &SystemResolver, |address| endpoint.check(address, rules)).await;
    let stream = stream.map_err(|error| failed(error.to_string()))?;
    if !endpoint.is_encrypted() {
        return exchange(stream, endpoint, headers, body).await;
    }
    let stream = encrypt(&host, stream, tls().map_err(failed)?).await;
    exchange(stream.map_err(|error| failed(format!("TLS: {error}")))?, endpoint, headers, body).await
}

/// Sends the request and reads the answer.
async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    endpoint: &Endpoint,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(), Failed> {
    let broken = |error: hyper::Error| failed(format!("the connection broke: {error}"));
    let mut builder = hyper::client::conn::http1::Builder::new();
    let handshake = builder.max_buf_size(MAX_HEAD).handshake(TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.map_err(broken)?;
    // Aborted with this function, however it ends.
    let mut driver = JoinSet::new();
    driver.spawn(async move {
        if let Err(error) = connection.await {
            tracing::trace!(%error, "a connection to a receiver has ended");
        }
    });
    let mut request = Request::builder().method(Method::POST).uri(endpoint.path()).version(Version::HTTP_11);
    if let Some(all) = request.headers_mut() {
        *all = headers;
        if let Ok(authority) = HeaderValue::from_str(&endpoint.authority()) {
            all.insert(hyper::header::HOST, authority);
        }
    }
    let request = request.body(Full::new(body)).map_err(|error| failed(format!("no request: {error}")))?;
    let response = sender.send_request(request).await.map_err(broken)?;
    let status = response.status();
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| Some(value.to_str().ok()?.to_owned()));
    let mut body = response.into_body();
    let mut read = 0;
    while let Some(Ok(frame)) = body.frame().await {
        read += frame.data_ref().map_or(0, Bytes::len);
        if read > MAX_ANSWER {
            break;
        }
    }
    if status.is_success() {
        return Ok(());
    }
    let hint = if status.is_redirection() { "; redirects are not followed" } else { "" };
    Err(Failed { error: format!("the receiver answered {}{hint}", status.as_u16()), retry_after })
}

/// TLS that trusts whom the system trusts.
fn tls() -> Result<Arc<ClientConfig>, String> {
    static CONFIG: OnceLock<Result<Arc<ClientConfig>, String>> = OnceLock::new();
    CONFIG.get_or_init(|| tls_config(None).map_err(|error| error.to_string())).clone()
}
