//! Requests by HTTP, under the operator's grant `http`.
//!
//! ```
//! use bulkhead_sdk::http::Request;
//! use bulkhead_sdk::prelude::*;
//!
//! #[derive(Deserialize)]
//! struct Rate {
//!     eur: f64,
//! }
//!
//! #[derive(Default)]
//! struct Price;
//!
//! impl Handler for Price {
//!     const KIND: &'static str = "PRICE";
//!     type Payload = String;
//!
//!     fn handle(&self, task: Task<String>, _: &Context) -> Result<Outcome, Failure> {
//!         let url = format!("https://rates.example.org/{}", task.payload);
//!         let rate: Rate = Request::get(url).send()?.ok()?.json()?;
//!         complete(json!({ "eur": rate.eur }))
//!     }
//! }
//! # bulkhead_sdk::export!(Price);
//!
//! // A test says what the others answer.
//! use bulkhead_sdk::http::Response;
//! use bulkhead_sdk::testing::TestTask;
//!
//! let run = TestTask::new("usd").http(|_| Ok(Response::new(200).with_json(&json!({"eur": 0.9})))).run::<Price>();
//! assert_eq!(run.result(), json!({"eur": 0.9}));
//! assert_eq!(run.http_requests[0].url, "https://rates.example.org/usd");
//!
//! let run = TestTask::new("usd").http(|_| Ok(Response::new(429).with_header("retry-after", "30"))).run::<Price>();
//! assert_eq!((run.failure().code.as_str(), run.failure().retryable), ("rate_limited", true));
//! assert_eq!(run.failure().retry_after, Some(std::time::Duration::from_secs(30)));
//! ```
//!
//! [`Request::send`] gives every response, whatever its status; [`Response::ok`] makes an error of a status that is no
//! success, and `?` makes of that a failure that is tried again where it may help: see [`class`] and [`HttpError`].
//! Redirects are not followed.

mod class;
mod error;
mod response;
mod retry_after;
mod target;
mod wire;

use std::time::Duration;

use serde::Serialize;

use crate::testing;
use target::Target;

pub use class::{Class, class};
pub use error::HttpError;
pub use response::Response;

/// The most bytes of a response's body where a request does not say: 8 MiB.
pub const MAX_BODY: usize = 8 << 20;

/// A request to make.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// Its method, in capital letters.
    pub method: String,
    /// Where it goes: `https://…` or `http://…`, without a user.
    pub url: String,
    /// Its headers, in order. The operator's, `Authorization` among them, are set by the host.
    pub headers: Vec<(String, String)>,
    /// Its body; empty for none.
    pub body: Vec<u8>,
    /// The longest it may take, from the connection to the end of the body; absent, the grant and the attempt bound it alone.
    pub timeout: Option<Duration>,
    /// The most bytes of the response's body.
    pub max_body: usize,
    /// Why its body is none.
    unwritten: Option<String>,
}

/// Without its path and query, the values of its headers and its body, which may be secrets.
impl std::fmt::Debug for Request {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        let mut shown = formatter.debug_struct("Request");
        shown.field("method", &self.method).field("origin", &Target::parse(&self.url).map(|target| target.origin()));
        shown.field("headers", &names).field("body_bytes", &self.body.len());
        shown.field("timeout", &self.timeout).field("max_body", &self.max_body).finish()
    }
}

impl Request {
    /// A request of this method.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            timeout: None,
            max_body: MAX_BODY,
            unwritten: None,
        }
    }

    /// A `GET`.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// A `HEAD`.
    pub fn head(url: impl Into<String>) -> Self {
        Self::new("HEAD", url)
    }

    /// A `POST`.
    pub fn post(url: impl Into<String>) -> Self {
        Self::new("POST", url)
    }

    /// A `PUT`.
    pub fn put(url: impl Into<String>) -> Self {
        Self::new("PUT", url)
    }

    /// A `PATCH`.
    pub fn patch(url: impl Into<String>) -> Self {
        Self::new("PATCH", url)
    }

    /// A `DELETE`.
    pub fn delete(url: impl Into<String>) -> Self {
        Self::new("DELETE", url)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Gives it this body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Gives it this body as JSON, and says so in its headers; what cannot be written as JSON is an error of [`Self::send`].
    #[must_use]
    pub fn json(mut self, body: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => self.body = body,
            Err(error) => self.unwritten = Some(error.to_string()),
        }
        if self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            return self;
        }
        self.header("content-type", "application/json")
    }

    /// Bounds the time it takes, from the connection to the end of the body.
    #[must_use]
    pub fn timeout(mut self, time: Duration) -> Self {
        self.timeout = Some(time);
        self
    }

    /// Bounds the response's body.
    #[must_use]
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Makes it, and waits for all of the response, whatever its status.
    ///
    /// Where the status is no success, the body is what came of it, at most `max_body`: an explanation that is too long, or
    /// breaks off, does not hide the status.
    pub fn send(self) -> Result<Response, HttpError> {
        let target = Target::parse(&self.url).map_err(|why| HttpError::Invalid(why.to_owned()))?;
        let asked = format!("{} {}", self.method.escape_debug(), target.origin());
        if let Some(why) = self.unwritten {
            return Err(HttpError::Invalid(format!("{asked}: its body cannot be written as JSON: {why}")));
        }
        let limit = self.max_body;
        let answer =
            if cfg!(target_arch = "wasm32") { wire::send(&self, &target, &asked) } else { testing::send_http(self) };
        match answer? {
            response if response.body().len() <= limit => Ok(response.to(asked)),
            response if response.is_success() => Err(too_large(&asked, limit)),
            response => Ok(response.cut(limit).to(asked)),
        }
    }
}

fn too_large(asked: &str, limit: usize) -> HttpError {
    HttpError::TooLarge(format!(
        "{asked}: the response's body is longer than {limit} bytes; `max_body` of the request lets it be longer"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;
    use crate::testing::{TestRun, TestTask};

    #[derive(Default)]
    struct Ask;

    impl Handler for Ask {
        const KIND: &'static str = "ASK";
        type Payload = String;

        fn handle(&self, task: Task<String>, _: &Context) -> Result<Outcome, Failure> {
            let request = Request::post(task.payload).header("x-token", "sesame").json(&json!({"a": 1}));
            complete(request.max_body(5).send()?.ok()?.text())
        }
    }

    /// Takes whatever status there is.
    #[derive(Default)]
    struct Keep;

    impl Handler for Keep {
        const KIND: &'static str = "KEEP";
        type Payload = String;

        fn handle(&self, task: Task<String>, _: &Context) -> Result<Outcome, Failure> {
            complete(Request::get(task.payload).max_body(6).send()?.text())
        }
    }

    fn answered(response: Response) -> TestRun {
        TestTask::new("https://a.example/b?token=sesame").http(move |_| Ok(response.clone())).run::<Ask>()
    }

    #[test]
    fn a_test_answers_and_finds_what_was_asked() {
        let run = answered(Response::new(201).with_body("done"));
        assert_eq!(run.result(), json!("done"));
        let asked = &run.http_requests[0];
        assert_eq!((asked.method.as_str(), asked.body.as_slice()), ("POST", &b"{\"a\":1}"[..]));
        assert_eq!(asked.headers[1], ("content-type".to_owned(), "application/json".to_owned()));
        assert!(!format!("{asked:?}").contains("sesame"), "{asked:?}");
    }

    #[test]
    fn a_status_fails_the_task_and_tells_no_secret() {
        let run = answered(Response::new(503));
        assert_eq!((run.failure().code.as_str(), run.failure().retryable), ("service_unavailable", true));
        assert_eq!(run.failure().message, "POST https://a.example: answered 503 (service_unavailable)");
    }

    #[test]
    fn a_body_longer_than_wanted_is_an_error_at_a_byte_too_many() {
        assert_eq!(answered(Response::new(200).with_body("12345")).result(), json!("12345"));
        assert_eq!(answered(Response::new(200).with_body("123456")).failure().code, "too_large");
    }

    #[test]
    fn an_explanation_that_is_too_long_is_cut_and_does_not_hide_the_status() {
        let page = Response::new(500).with_body("<html>Oops</html>");
        let run = answered(page.clone());
        assert_eq!((run.failure().code.as_str(), run.failure().retryable), ("internal_server_error", true));
        let kept = TestTask::new("http://a").http(move |_| Ok(page.clone())).run::<Keep>();
        assert_eq!(kept.result(), json!("<html>"));
    }

    #[test]
    fn a_url_that_is_none_is_invalid_before_anybody_is_asked() {
        let run = TestTask::new("sesame").http(|_| Ok(Response::new(200))).run::<Ask>();
        assert_eq!((run.failure().code.as_str(), run.failure().retryable), ("invalid", false));
        assert!(run.http_requests.is_empty() && !run.failure().message.contains("sesame"));
    }

    #[test]
    fn what_cannot_be_written_as_json_is_invalid() {
        let keys = std::collections::HashMap::from([((1, 2), 3)]);
        let error = Request::post("http://a").json(&keys).send().unwrap_err();
        assert!(matches!(&error, HttpError::Invalid(text) if text.starts_with("POST http://a: ")), "{error:?}");
    }

    #[test]
    fn without_an_answer_it_is_denied_as_it_is_without_a_grant() {
        let run = TestTask::new("https://a.example").run::<Ask>();
        assert_eq!((run.failure().code.as_str(), run.failure().retryable), ("denied", false));
        assert!(run.failure().message.contains(".http(…)"), "{}", run.failure().message);
    }
}
