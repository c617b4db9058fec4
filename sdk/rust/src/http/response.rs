//! What comes back.

use std::borrow::Cow;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::HttpError;
use super::retry_after::{now, retry_after};

/// A response, whatever its status.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// Method and origin of the request, for people.
    pub(super) asked: String,
}

/// Without the values of its headers and its body, which may be secrets.
impl std::fmt::Debug for Response {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        let mut shown = formatter.debug_struct("Response");
        shown.field("status", &self.status).field("headers", &names).field("body_bytes", &self.body.len());
        shown.field("asked", &self.asked).finish()
    }
}

impl Response {
    /// A response without headers or a body, as a test gives it.
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), asked: String::new() }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Gives it this body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Gives it this body as JSON, and says so in its headers.
    ///
    /// # Panics
    ///
    /// Where the body cannot be written as JSON.
    #[must_use]
    pub fn with_json(self, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("the body can be written as JSON");
        self.with_header("content-type", "application/json").with_body(body)
    }

    /// Its status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether its status is 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first header of this name, in whatever case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(named, _)| named.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// All headers, in order; what is not UTF-8 in a value is replaced.
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// Its body: all of it where the status is a success.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Its body, to keep.
    pub fn into_body(self) -> Vec<u8> {
        self.body
    }

    /// Its body as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// Its body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, HttpError> {
        // Without the words of the error: they may have a piece of the body in them.
        serde_json::from_slice(&self.body).map_err(|error| {
            HttpError::Malformed(format!(
                "{}: answered {} with a body that is not the JSON wanted: it stops to fit in line {}, column {}",
                self.asked,
                self.status,
                error.line(),
                error.column()
            ))
        })
    }

    /// How long its `Retry-After` asks to wait, whether in seconds or as a date: at most an hour.
    pub fn retry_after(&self) -> Option<Duration> {
        retry_after(self.header("retry-after")?, now())
    }

    /// The response, where its status is 200 to 299; otherwise an error that `?` turns into a failure by the
    /// [class](super::class) of the status.
    pub fn ok(self) -> Result<Self, HttpError> {
        if self.is_success() { Ok(self) } else { Err(HttpError::Status(Box::new(self))) }
    }

    /// The response with so much of its body at most.
    pub(super) fn cut(mut self, limit: usize) -> Self {
        self.body.truncate(limit);
        self
    }

    /// The response to what was asked: method and origin.
    pub(super) fn to(self, asked: String) -> Self {
        Self { asked, ..self }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_header_is_found_in_whatever_case() {
        let response = Response::new(200).with_header("X-A", "1").with_header("x-a", "2");
        assert_eq!((response.header("x-A"), response.header("y"), response.headers().len()), (Some("1"), None, 2));
    }

    #[test]
    fn a_body_is_bytes_text_and_json() {
        let response = Response::new(200).with_json(&json!({"a": 1}));
        assert_eq!((response.body(), response.text().as_ref()), (&b"{\"a\":1}"[..], "{\"a\":1}"));
        assert_eq!(response.json::<Value>(), Ok(json!({"a": 1})));
        assert_eq!(response.header("content-type"), Some("application/json"));
    }

    #[test]
    fn neither_a_body_that_is_no_json_nor_headers_are_told() {
        let response = Response::new(200).with_header("x-token", "sesame").with_body("\"sesame\"");
        let error = response.json::<u64>().unwrap_err();
        assert!(matches!(&error, HttpError::Malformed(text) if text.contains("line 1")), "{error}");
        assert!(!format!("{error} {error:?} {response:?}").contains("sesame"));
    }
}
