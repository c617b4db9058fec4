//! One request and the head of its response, on a connection of their own.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bulkhead_outbound::{ConnectError, connect, encrypt};
use bulkhead_sandbox::{HttpBody, HttpFailure, HttpPatience, HttpProblem};
use http::header::HOST;
use http::{HeaderMap, HeaderValue, Request, Response, Version};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};

use crate::HttpAccess;
use crate::admit::Admitted;
use crate::answer::Answer;
use crate::injected::{Headers, headers};
use crate::mask::Mask;

/// Lines of a response's headers.
const MAX_HEADERS: usize = 256;
/// Bytes of a response's head, and of what is read of its body at once.
const MAX_BUFFER: usize = 64 << 10;

/// What drives a connection; it is closed where this is dropped.
#[derive(Debug)]
pub(crate) struct Driver {
    task: AbortHandle,
    is_late: Arc<AtomicBool>,
}

impl Driver {
    /// Whether the connection was closed because its time was over.
    pub(crate) fn is_late(&self) -> bool {
        self.is_late.load(Ordering::Acquire)
    }

    /// Drives a connection until it is over, or the deadline is.
    fn start(
        connection: impl Future<Output = hyper::Result<()>> + Send + 'static,
        permit: OwnedSemaphorePermit,
        deadline: Instant,
    ) -> Self {
        let is_late = Arc::new(AtomicBool::new(false));
        let late = Arc::clone(&is_late);
        let task = tokio::spawn(async move {
            let _permit = permit;
            // Dropped after the word is said why: to whoever reads the body, a connection that is dropped looks like its end.
            let mut connection = std::pin::pin!(connection);
            tokio::select! {
                ended = &mut connection => if let Err(error) = ended {
                    tracing::debug!(%error, "a connection of a handler has ended");
                },
                () = tokio::time::sleep_until(deadline) => late.store(true, Ordering::Release),
            }
        });
        Self { task: task.abort_handle(), is_late }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Makes the request; the response's body holds the connection and the permit.
pub(crate) async fn exchange(
    access: &HttpAccess,
    admitted: Admitted,
    body: HttpBody,
    patience: HttpPatience,
    permit: OwnedSemaphorePermit,
    deadline: Instant,
) -> Result<Response<HttpBody>, HttpFailure> {
    let target = admitted.target.clone();
    let injected = headers(&access.injected, &target).await;
    let injected = injected.map_err(|why| HttpFailure::new(HttpProblem::Unreachable, why))?;
    let connection = async {
        let stream = reach(access, &admitted, &injected).await?;
        match (&access.tls, target.is_encrypted) {
            (Some(tls), true) => {
                let stream = encrypt(&target.host, stream, Arc::clone(tls)).await;
                Ok(Stream::Tls(Box::new(stream.map_err(|error| refused_tls(&target.host, &error))?)))
            }
            (None, true) => Err(HttpProblem::Tls.into()),
            (_, false) => Ok(Stream::Plain(stream)),
        }
    };
    let stream = within(patience.connect, HttpProblem::ConnectTimedOut, connection).await?;
    let secrets = injected.secrets;
    let request = request(admitted, &injected.values, body)?;
    let (response, driver) = match stream {
        Stream::Plain(stream) => ask(stream, request, patience, permit, deadline).await?,
        Stream::Tls(stream) => ask(stream, request, patience, permit, deadline).await?,
    };
    let mask = Mask::new(secrets);
    let (mut parts, body) = response.into_parts();
    mask_all(&mask, &mut parts.headers);
    let answer = Answer::new(body, driver, access.body, mask, patience.between_bytes);
    Ok(Response::from_parts(parts, answer.boxed_unsync()))
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

/// Connects to an address that is granted.
async fn reach(access: &HttpAccess, admitted: &Admitted, injected: &Headers) -> Result<TcpStream, HttpFailure> {
    let HttpAccess { handler, rules, .. } = access;
    let target = &admitted.target;
    let shows_secrets = !target.is_encrypted && !injected.secrets.is_empty();
    let check = |address| {
        rules.check(address).map_err(|refused| {
            format!("{refused}; add it, or its network, to handler.{handler}.grants.http.addresses to connect to it")
        })?;
        if shows_secrets && !rules.is_named(address) {
            return Err(format!(
                "`{target}` is for secret headers, which plain http shows on their way to `{address}`; use https, or add \
                 the address to handler.{handler}.grants.http.addresses"
            ));
        }
        Ok(())
    };
    let connected = connect(&target.host, target.port, access.resolver.as_ref(), check).await;
    connected.map_err(|error| {
        let problem = match &error {
            ConnectError::NoAddress(_) => HttpProblem::NoAddress,
            ConnectError::Refused(_) => HttpProblem::AddressDenied,
            ConnectError::Failed(error) if error.kind() == io::ErrorKind::ConnectionRefused => HttpProblem::Refused,
            ConnectError::Failed(error) if error.kind() == io::ErrorKind::TimedOut => HttpProblem::ConnectTimedOut,
            ConnectError::Failed(_) => HttpProblem::Unreachable,
        };
        HttpFailure::new(problem, format!("`{target}`: {error}"))
    })
}

fn refused_tls(host: &str, error: &io::Error) -> HttpFailure {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    let problem = match cause {
        Some(rustls::Error::InvalidCertificate(_)) => HttpProblem::Certificate,
        _ => HttpProblem::Tls,
    };
    HttpFailure::new(problem, format!("TLS with `{host}`: {error}"))
}

/// The request as it is sent: what the host injects stands, whatever the guest says.
fn request(admitted: Admitted, injected: &HeaderMap, body: HttpBody) -> Result<Request<HttpBody>, HttpFailure> {
    let Admitted { method, target, path, mut headers } = admitted;
    for (name, value) in injected {
        headers.insert(name, value.clone());
    }
    let authority = HeaderValue::from_str(&target.authority()).map_err(|_| HttpFailure::from(HttpProblem::Uri))?;
    headers.insert(HOST, authority);
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = path.into();
    *request.version_mut() = Version::HTTP_11;
    *request.headers_mut() = headers;
    Ok(request)
}

async fn ask(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<HttpBody>,
    patience: HttpPatience,
    permit: OwnedSemaphorePermit,
    deadline: Instant,
) -> Result<(Response<hyper::body::Incoming>, Driver), HttpFailure> {
    let mut builder = hyper::client::conn::http1::Builder::new();
    builder.max_buf_size(MAX_BUFFER).max_headers(MAX_HEADERS);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
    let driver = Driver::start(connection, permit, deadline);
    let answer = async { sender.send_request(request).await.map_err(|error| broken(&error)) };
    match within(patience.first_byte, HttpProblem::Silent, answer).await {
        Err(_) if driver.is_late() => Err(HttpProblem::TimedOut.into()),
        answer => Ok((answer?, driver)),
    }
}

/// For as long as the guest waits, where it says; the request's own deadline is over everything.
async fn within<T>(
    patience: Option<Duration>,
    problem: HttpProblem,
    work: impl Future<Output = Result<T, HttpFailure>>,
) -> Result<T, HttpFailure> {
    match patience {
        Some(patience) => timeout(patience, work).await.unwrap_or_else(|_| Err(problem.into())),
        None => work.await,
    }
}

/// What a connection's error means to a guest; hyper says nothing of what was sent.
fn broken(error: &hyper::Error) -> HttpFailure {
    let source = std::error::Error::source(error);
    let problem = match source.and_then(|source| source.downcast_ref::<HttpProblem>()) {
        Some(problem) => *problem,
        None if error.is_parse_too_large() => HttpProblem::ResponseHeaders,
        None if error.is_parse() => HttpProblem::Protocol,
        None if error.is_body_write_aborted() => HttpProblem::RequestBody,
        None => HttpProblem::Incomplete,
    };
    HttpFailure::new(problem, format!("the connection broke: {error}"))
}

/// Masks secrets that come back in headers.
pub(crate) fn mask_all(mask: &Mask, headers: &mut HeaderMap) {
    for value in headers.values_mut() {
        if let Some(masked) = mask.whole(value.as_bytes()) {
            *value = HeaderValue::from_bytes(&masked).unwrap_or(HeaderValue::from_static("***"));
        }
    }
}
