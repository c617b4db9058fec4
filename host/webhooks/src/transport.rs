//! One HTTP request to a receiver: to an address that is allowed, no redirects, bounded in time and size.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, Version};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use crate::address_rules::AddressRules;
use crate::endpoint::Endpoint;
use crate::retry::Failed;

/// Addresses of one name that are tried.
const MAX_ADDRESSES: usize = 4;

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
    let stream = connect(endpoint, rules).await.map_err(failed)?;
    if !endpoint.is_encrypted() {
        return exchange(stream, endpoint, headers, body).await;
    }
    let name = ServerName::try_from(endpoint.host()).map_err(|_| failed("the name is none for TLS".to_owned()))?;
    let connector = TlsConnector::from(tls().map_err(failed)?);
    let stream = connector.connect(name, stream).await.map_err(|error| failed(format!("TLS: {error}")))?;
    exchange(stream, endpoint, headers, body).await
}

/// Connects to an address of the endpoint that is allowed: the one that is checked is the one that is connected to, so
/// that a name which changes its mind in between gains nothing.
async fn connect(endpoint: &Endpoint, rules: &AddressRules) -> Result<TcpStream, String> {
    let host = endpoint.host();
    let addresses: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), endpoint.port()))
        .await
        .map_err(|_| format!("the name `{host}` has no address"))?
        .collect();
    let mut why = format!("the name `{host}` has no address");
    let mut tried = 0;
    for address in addresses {
        if let Err(refused) = endpoint.check(address.ip(), rules) {
            why = refused.to_string();
            continue;
        }
        if tried == MAX_ADDRESSES {
            break;
        }
        tried += 1;
        match TcpStream::connect(address).await {
            Ok(stream) => {
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => why = format!("cannot connect: {}", error.kind()),
        }
    }
    Err(why)
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
    CONFIG.get_or_init(make_tls).clone()
}

fn make_tls() -> Result<Arc<ClientConfig>, String> {
    let mut roots = rustls::RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err("the system has no certificates of authorities; install ca-certificates".to_owned());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS: {error}"))?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}
