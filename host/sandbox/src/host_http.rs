//! `wasi:http` as a guest finds it: outgoing requests alone, denied outside of `handle`, and else what the host makes of
//! them.

use std::borrow::Borrow;
use std::future::{Future, ready};
use std::sync::{Arc, LazyLock};

use bulkhead_core::DelegateError;
use bytes::Bytes;
use http::header::{TE, TRAILER};
use http::{HeaderMap, HeaderName, Request, Response};
use http_body_util::BodyExt;
use wasmtime::component::ResourceTable;
use wasmtime_wasi_http::p2::body::{HostFutureTrailers, HostIncomingBody, HostOutgoingBody};
use wasmtime_wasi_http::p2::types::{
    HostFutureIncomingResponse, HostIncomingResponse, HostOutgoingRequest, HostOutgoingResponse,
};
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error, FieldMap, ForbiddenHeaderFilter, RequestOptions, WasiBody, WasiHttpCtx,
    WasiHttpHooks,
};

use crate::guest_log::GuestLog;
use crate::meter::Toll;
use crate::{Delegates, HttpBody, HttpFailure, HttpPatience, HttpProblem, HttpRequest, LogLevel};

/// One set of headers, with what the host needs to keep it.
const MAX_FIELDS: usize = 32 << 10;
/// One write to the body of a request; two such wait at most until they are sent.
const MAX_WRITE: usize = 16 << 10;
/// Requests, responses, headers and bodies that one guest holds; with the bounds above, what it can have the host keep.
const MAX_HELD: usize = 256;
/// They are counted every so many calls.
const LOOK_EVERY: u32 = 16;

/// Beside what wasmtime forbids: headers between the host and its neighbour alone.
static FORBIDDEN: LazyLock<ForbiddenHeaderFilter> =
    LazyLock::new(|| Arc::new(|name| *name == TE || *name == TRAILER || DEFAULT_FORBIDDEN_HEADERS.contains(name)));

/// What is kept for a guest that touches `wasi:http`.
pub(crate) struct Http {
    pub(crate) context: WasiHttpCtx,
    pub(crate) hooks: Hooks,
    calls: u32,
}

/// Where requests go.
pub(crate) struct Hooks {
    /// Who sends them, or why nobody does.
    delegates: Result<Arc<dyn Delegates>, String>,
    toll: Arc<Toll>,
    log: Arc<GuestLog>,
}

impl Http {
    pub(crate) fn new(delegates: Result<Arc<dyn Delegates>, String>, toll: Arc<Toll>, log: Arc<GuestLog>) -> Self {
        let mut context = WasiHttpCtx::new();
        context.set_field_size_limit(MAX_FIELDS);
        Self { context, hooks: Hooks { delegates, toll, log }, calls: 0 }
    }

    /// Whether the guest holds more than it may; looks now and then.
    pub(crate) fn holds_too_much(&mut self, table: &mut ResourceTable) -> bool {
        self.calls = self.calls.wrapping_add(1);
        self.calls.is_multiple_of(LOOK_EVERY)
            && table.iter_mut().filter(|entry| is_of_http(&**entry)).count() > MAX_HELD
    }
}

fn is_of_http(entry: &(dyn std::any::Any + Send)) -> bool {
    entry.is::<FieldMap>()
        || entry.is::<HostOutgoingRequest>()
        || entry.is::<HostOutgoingBody>()
        || entry.is::<HostOutgoingResponse>()
        || entry.is::<HostFutureIncomingResponse>()
        || entry.is::<HostIncomingResponse>()
        || entry.is::<HostIncomingBody>()
        || entry.is::<HostFutureTrailers>()
}

type Sent = Result<(Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

impl WasiHttpHooks for Hooks {
    fn is_forbidden_header(&mut self, name: &HeaderName) -> bool {
        // Asked for every header that a guest sets, lists of them too.
        self.toll.charge(name.as_str().len());
        FORBIDDEN(name)
    }

    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        Arc::clone(&FORBIDDEN)
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let (toll, log) = (Arc::clone(&self.toll), Arc::clone(&self.log));
        let delegates = match &self.delegates {
            Ok(delegates) => delegates,
            Err(closed) => {
                tell(&log, closed);
                return Box::new(ready(Err(Error::HttpRequestDenied)));
            }
        };
        let path = request.uri().path_and_query().map_or(0, |path| path.as_str().len());
        toll.charge(size(request.headers()) + path);
        let passing = Arc::clone(&toll);
        let request = request.map(|body| {
            let body = body.map_err(|_| HttpProblem::RequestBody);
            counted(body, passing).boxed_unsync()
        });
        let answer = delegates.send(HttpRequest { request, patience: patience(options) });
        Box::new(async move {
            let response: Response<HttpBody> = match answer.await {
                Ok(response) => response,
                Err(failure) => return Err(refused(&failure, &toll, &log)),
            };
            toll.charge(size(response.headers()));
            let response = response.map(|body| counted(body.map_err(error), toll).boxed_unsync());
            let nothing_beside: Box<dyn Future<Output = Result<(), Error>> + Send> = Box::new(ready(Ok(())));
            Ok((response, nothing_beside))
        })
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        MAX_WRITE
    }
}

/// The body, of which each byte is paid for.
fn counted<E>(
    body: impl http_body::Body<Data = Bytes, Error = E> + Send + 'static,
    toll: Arc<Toll>,
) -> impl http_body::Body<Data = Bytes, Error = E> + Send + 'static {
    body.map_frame(move |frame| {
        toll.charge(frame.data_ref().map_or(0, Bytes::len));
        frame
    })
}

fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}

fn patience(options: Option<RequestOptions>) -> HttpPatience {
    let RequestOptions { connect_timeout, first_byte_timeout, between_bytes_timeout } = options.unwrap_or_default();
    HttpPatience { connect: connect_timeout, first_byte: first_byte_timeout, between_bytes: between_bytes_timeout }
}

/// A code of `wasi:http` has no text, so the task's log has it.
fn tell(log: &GuestLog, text: &str) {
    log.log(LogLevel::Warn, &format!("http: {text}"), "{}");
}

fn refused(failure: &HttpFailure, toll: &Toll, log: &GuestLog) -> Error {
    let told: &DelegateError = failure.borrow();
    tell(log, &told.to_string());
    if failure.problem == HttpProblem::Gone {
        toll.give_up();
    }
    error(failure.problem)
}

fn error(problem: HttpProblem) -> Error {
    match problem {
        HttpProblem::Denied => Error::HttpRequestDenied,
        HttpProblem::AddressDenied => Error::DestinationIpProhibited,
        HttpProblem::NoAddress => Error::DnsError { rcode: Some("no address".to_owned()), info_code: None },
        HttpProblem::Refused => Error::ConnectionRefused,
        HttpProblem::Unreachable => Error::DestinationUnavailable,
        HttpProblem::ConnectTimedOut => Error::ConnectionTimeout,
        HttpProblem::Certificate => Error::TlsCertificateError,
        HttpProblem::Tls => Error::TlsProtocolError,
        HttpProblem::Uri => Error::HttpRequestUriInvalid,
        HttpProblem::RequestHeaders => Error::HttpRequestHeaderSectionSize(None),
        HttpProblem::RequestBody => Error::HttpRequestBodySize(None),
        HttpProblem::ResponseHeaders => Error::HttpResponseHeaderSectionSize(None),
        HttpProblem::ResponseBody(limit) => Error::HttpResponseBodySize(Some(limit)),
        HttpProblem::TimedOut => Error::HttpResponseTimeout,
        HttpProblem::Silent => Error::ConnectionReadTimeout,
        HttpProblem::Busy => Error::ConnectionLimitReached,
        HttpProblem::Incomplete => Error::HttpResponseIncomplete,
        HttpProblem::Protocol => Error::HttpProtocolError,
        HttpProblem::Gone => Error::InternalError(None),
    }
}
