//! A handler with a grant, and what comes of its requests.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bulkhead_core::{Caller, HandlerName, TaskId};
use bulkhead_http::{HttpAccess, HttpGrant};
use bulkhead_outbound::{Resolve, Resolved};
use bulkhead_sandbox::{HttpBody, HttpFailure, HttpPatience, HttpProblem, HttpRequest};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};

/// A handler with this grant.
pub(crate) fn access(grant: &str) -> HttpAccess {
    let grant: HttpGrant = toml::from_str(grant).unwrap();
    HttpAccess::try_new(&HandlerName::parse("fetch").unwrap(), &grant).unwrap_or_else(|error| panic!("{error:?}"))
}

/// A handler that may ask this server, with more in its grant.
pub(crate) fn access_to(server: SocketAddr, more: &str) -> HttpAccess {
    access(&format!("origins = [\"http://{server}\"]\naddresses = [\"127.0.0.0/8\"]\n{more}"))
}

/// A run that has so long.
pub(crate) fn caller(time: Duration) -> Caller {
    Caller {
        handler: HandlerName::parse("fetch").unwrap(),
        task: TaskId::parse("019aa5c7-6f5e-7d7b-8f0a-0123456789ab").unwrap(),
        lease: None,
        workspace: None,
        traceparent: None,
        deadline: Instant::now() + time,
    }
}

pub(crate) fn get(url: &str) -> http::request::Builder {
    Request::get(url)
}

/// What comes of a request without a body.
pub(crate) async fn send(
    access: &HttpAccess,
    request: http::request::Builder,
) -> Result<Response<HttpBody>, HttpFailure> {
    send_body(access, request, "").await
}

/// What comes of it for this run.
pub(crate) async fn send_by(
    access: &HttpAccess,
    caller: &Caller,
    request: http::request::Builder,
) -> Result<Response<HttpBody>, HttpFailure> {
    let body = http_body_util::Empty::new().map_err(|never| match never {}).boxed_unsync();
    let request = HttpRequest { request: request.body(body).unwrap(), patience: HttpPatience::default() };
    access.send(caller, request).await
}

pub(crate) async fn send_body(
    access: &HttpAccess,
    request: http::request::Builder,
    body: &'static str,
) -> Result<Response<HttpBody>, HttpFailure> {
    send_patiently(access, request, body, HttpPatience::default()).await
}

pub(crate) async fn send_patiently(
    access: &HttpAccess,
    request: http::request::Builder,
    body: &'static str,
    patience: HttpPatience,
) -> Result<Response<HttpBody>, HttpFailure> {
    let body = Full::new(Bytes::from_static(body.as_bytes())).map_err(|never| match never {}).boxed_unsync();
    let request = HttpRequest { request: request.body(body).unwrap(), patience };
    access.send(&caller(Duration::from_secs(30)), request).await
}

/// A body to its end, or how far it came.
pub(crate) async fn read(response: Response<HttpBody>) -> (String, Result<(), HttpProblem>) {
    let (mut body, mut text) = (response.into_body(), String::new());
    loop {
        match body.frame().await {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => text.push_str(&String::from_utf8_lossy(&data)),
                Err(frame) => text.push_str(&format!("{:?}", frame.into_trailers().unwrap())),
            },
            Some(Err(problem)) => return (text, Err(problem)),
            None => return (text, Ok(())),
        }
    }
}

/// What was wrong with a request that must fail.
pub(crate) fn problem(result: Result<Response<HttpBody>, HttpFailure>) -> HttpProblem {
    match result {
        Ok(response) => panic!("it was answered: {response:?}"),
        Err(failure) => failure.problem,
    }
}

/// Every name leads to this address.
pub(crate) struct LeadsTo(pub(crate) SocketAddr);

impl Resolve for LeadsTo {
    fn resolve(&self, _host: &str, _port: u16) -> Resolved {
        Box::pin(std::future::ready(Ok(vec![self.0])))
    }
}

pub(crate) fn leads_to(address: &str) -> Arc<dyn Resolve> {
    Arc::new(LeadsTo(address.parse().unwrap()))
}
