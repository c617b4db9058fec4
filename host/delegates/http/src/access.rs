//! What one handler may do with its grant, made when the host starts.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bulkhead_core::{Caller, HandlerName, Traceparent};
use bulkhead_outbound::{AddressRules, Resolve, SystemResolver, tls_config};
use bulkhead_sandbox::{HttpBody, HttpFailure, HttpProblem, HttpRequest};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response};
use rustls::ClientConfig;
use tokio::sync::Semaphore;
use tokio::time::timeout_at;

use crate::admit::admit;
use crate::exchange::exchange;
use crate::header_place::may_be_injected;
use crate::injected::Injected;
use crate::{HeaderPlace, HttpError, HttpGrant, Origin};

/// A handler's way to others, under its grant.
pub struct HttpAccess {
    pub(crate) handler: HandlerName,
    pub(crate) origins: Vec<Origin>,
    pub(crate) methods: Vec<Method>,
    pub(crate) injected: Vec<Injected>,
    pub(crate) rules: AddressRules,
    /// The most bytes of a response's body.
    pub(crate) body: u64,
    timeout: Duration,
    permits: Arc<Semaphore>,
    /// None where only `http` is granted.
    pub(crate) tls: Option<Arc<ClientConfig>>,
    pub(crate) resolver: Arc<dyn Resolve>,
}

impl fmt::Debug for HttpAccess {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("HttpAccess").field("handler", &self.handler).finish_non_exhaustive()
    }
}

impl HttpAccess {
    /// Checks the grant, and reads the secrets that it names.
    pub fn try_new(handler: &HandlerName, grant: &HttpGrant) -> Result<Self, HttpError> {
        let refuse = |setting: &str, rule: String| HttpError::Setting {
            handler: handler.clone(),
            setting: setting.to_owned(),
            rule,
        };
        if grant.origins.is_empty() {
            return Err(refuse("origins", "must name an origin, such as \"https://api.example.org\"".to_owned()));
        }
        if grant.methods.is_empty() {
            return Err(refuse("methods", "must name a method, such as \"GET\"".to_owned()));
        }
        if grant.timeout.duration().is_zero() {
            return Err(refuse("timeout", "must be more than nothing".to_owned()));
        }
        if grant.concurrency.get() > MAX_CONCURRENCY {
            return Err(refuse("concurrency", format!("may be {MAX_CONCURRENCY} at most: `{}`", grant.concurrency)));
        }
        let methods = grant.methods.iter().map(|name| method(name).map_err(|rule| refuse("methods", rule)));
        let mut injected = Vec::new();
        for (origin, headers) in &grant.headers {
            if !grant.origins.iter().any(|granted| granted.covers(origin)) {
                return Err(refuse("headers", format!("names `{origin}`, which grants.http.origins does not list")));
            }
            let of = |name: &str| format!("headers.\"{origin}\".{name}");
            let headers = opened(headers).map_err(|(name, rule)| refuse(&of(&name), rule))?;
            injected.push(Injected { origin: origin.clone(), headers });
        }
        let tls = match grant.origins.iter().any(Origin::is_encrypted) {
            true => Some(
                tls_config(grant.ca.as_deref())
                    .map_err(|source| HttpError::Tls { handler: handler.clone(), source })?,
            ),
            false => None,
        };
        Ok(Self {
            handler: handler.clone(),
            origins: grant.origins.clone(),
            methods: methods.collect::<Result<_, _>>()?,
            injected,
            rules: AddressRules::new(grant.addresses.clone()),
            body: grant.body.bytes(),
            timeout: grant.timeout.duration(),
            permits: Arc::new(Semaphore::new(grant.concurrency.get() as usize)),
            tls,
            resolver: Arc::new(SystemResolver),
        })
    }

    /// The same with another resolver of names.
    #[must_use]
    pub fn with_resolver(mut self, resolver: Arc<dyn Resolve>) -> Self {
        self.resolver = resolver;
        self
    }

    /// Sends a request on behalf of a run, and gives the head of the response; to be polled on the host's runtime.
    ///
    /// # Cancel safety
    ///
    /// Where the future is dropped, or the response's body, its connection is closed.
    pub async fn send(&self, caller: &Caller, request: HttpRequest) -> Result<Response<HttpBody>, HttpFailure> {
        let deadline = caller.deadline.min(Instant::now() + self.timeout).into();
        let HttpRequest { request, patience } = request;
        let (parts, body) = request.into_parts();
        let mut admitted = admit(&self.handler, &self.origins, &self.methods, parts)?;
        if let Some(traceparent) = caller.traceparent {
            join_trace(&mut admitted.headers, traceparent);
        }
        let permit = timeout_at(deadline, Arc::clone(&self.permits).acquire_owned()).await;
        let Ok(Ok(permit)) = permit else {
            return Err(HttpFailure::new(
                HttpProblem::Busy,
                format!(
                    "as many requests as handler.{}.grants.http.concurrency allows are under way, and none ended in \
                     time; raise it, or send fewer at once",
                    self.handler
                ),
            ));
        };
        let response = timeout_at(deadline, exchange(self, admitted, body, patience, permit, deadline)).await;
        response.unwrap_or_else(|_| Err(HttpProblem::TimedOut.into()))
    }
}

/// Says where the request stands in its task's trace, unless the guest says it itself.
fn join_trace(headers: &mut HeaderMap, traceparent: Traceparent) {
    if let Ok(value) = HeaderValue::from_str(&traceparent.to_string()) {
        headers.entry(HeaderName::from_static("traceparent")).or_insert(value);
    }
}

/// The most requests of one handler at once, each of which has a connection of its own.
const MAX_CONCURRENCY: u32 = 1_024;

fn method(name: &str) -> Result<Method, String> {
    let method =
        Method::from_bytes(name.as_bytes()).ok().filter(|_| !name.bytes().any(|byte| byte.is_ascii_lowercase()));
    match method {
        Some(Method::CONNECT | Method::TRACE) => {
            Err(format!("must not list {name}: it asks for tunnels, or for what was sent, with its secrets"))
        }
        Some(method) => Ok(method),
        None => Err(format!("must list methods in capital letters, such as \"GET\": `{name}`")),
    }
}

type Opened = Vec<(HeaderName, crate::header_place::Source)>;

/// The sources of the values, or which header breaks which rule.
fn opened(headers: &BTreeMap<String, HeaderPlace>) -> Result<Opened, (String, String)> {
    let one = |(name, place): (&String, &HeaderPlace)| {
        let refuse = |rule: &str| (name.clone(), rule.to_owned());
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refuse("must be the name of a header"))?;
        if !may_be_injected(&header) {
            return Err(refuse("is the host's own and cannot be set; leave it out"));
        }
        let source = place.open().map_err(|rule| (name.clone(), rule))?;
        Ok((header, source))
    };
    headers.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(text: &str) -> Result<HttpAccess, String> {
        let grant: HttpGrant = toml::from_str(text).unwrap();
        HttpAccess::try_new(&HandlerName::parse("fetch").unwrap(), &grant).map_err(|error| error.to_string())
    }

    #[test]
    fn a_grant_that_makes_no_sense_is_refused_by_its_setting() {
        for (text, setting) in [
            ("", "grants.http.origins"),
            ("origins = [\"http://a.b\"]\nmethods = []", "grants.http.methods"),
            ("origins = [\"http://a.b\"]\ntimeout = \"0s\"", "grants.http.timeout"),
            ("origins = [\"http://a.b\"]\nconcurrency = 1025", "grants.http.concurrency"),
            ("origins = [\"http://a.b\"]\nmethods = [\"get\"]", "grants.http.methods"),
            ("origins = [\"http://a.b\"]\nmethods = [\"TRACE\"]", "grants.http.methods"),
            ("origins = [\"http://a.b\"]\nmethods = [\"CONNECT\"]", "grants.http.methods"),
            ("origins = [\"http://a.b\"]\n[headers.\"http://c.d\"]\nx = \"y\"", "`http://c.d`"),
            ("origins = [\"http://a.b\"]\n[headers.\"http://a.b\"]\nHost = \"y\"", "headers.\"http://a.b\".Host"),
            ("origins = [\"http://a.b\"]\n[headers.\"http://a.b\"]\n\"x y\" = \"y\"", "name of a header"),
            (
                "origins = [\"http://a.b\"]\n[headers.\"http://a.b\"]\nx-token = \"sesame\"",
                "x-token must be \"env:NAME\"",
            ),
            ("origins = [\"https://a.b\"]\nca = \"/nowhere/ca.pem\"", "grants.http.ca"),
        ] {
            let error = open(text).expect_err(text);
            assert!(error.contains(setting) && !error.contains("sesame"), "{text}: {error}");
        }
    }

    #[test]
    fn a_grant_for_http_alone_needs_no_authorities() {
        assert!(open("origins = [\"http://a.b\"]").unwrap().tls.is_none());
    }
}
