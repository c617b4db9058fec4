//! Why a request did not succeed.

use serde_json::json;

use super::{Class, Response, class};
use crate::{Category, Failure};

/// Why a request did not succeed; the texts are for people, and have neither path, query, headers nor bodies in them.
///
/// `?` makes a [`Failure`] of it: one with the code of the case, which is tried again where another attempt may help.
///
/// | case | code | tried again |
/// |---|---|---|
/// | [`Denied`](Self::Denied) | `denied` | no: the operator has a setting to add |
/// | [`Invalid`](Self::Invalid) | `invalid` | no: the same request would be refused again |
/// | [`Unavailable`](Self::Unavailable) | `unavailable` | yes |
/// | [`TimedOut`](Self::TimedOut) | `timed_out` | yes |
/// | [`TooLarge`](Self::TooLarge) | `too_large` | no |
/// | [`Malformed`](Self::Malformed) | `malformed` | yes: nothing says that it goes wrong the next time, and attempts are bounded |
/// | [`Status`](Self::Status) | the status's [name](class) | by the status, after the wait that `Retry-After` asks for |
///
/// A handler that knows better matches on the case instead. Deliberately no [`std::error::Error`], which `?` would turn
/// into a failure without a code of its own.
#[derive(Debug, Clone, PartialEq)]
pub enum HttpError {
    /// The host does not allow it: no grant, or an address that is not public. The task's log names the setting.
    Denied(String),
    /// The request makes no sense; the text names the part.
    Invalid(String),
    /// There was no connection, or it ended in the middle.
    Unavailable(String),
    /// There was no response, or not all of it, in time.
    TimedOut(String),
    /// The response is longer than the request's `max_body`, or than the grant allows.
    TooLarge(String),
    /// The body is not the JSON that was wanted.
    Malformed(String),
    /// There is a response, which says no.
    Status(Box<Response>),
}

impl HttpError {
    /// The status, where there is a response that says no.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status(response) => Some(response.status()),
            _ => None,
        }
    }
}

impl std::fmt::Display for HttpError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Denied(text)
            | Self::Invalid(text)
            | Self::Unavailable(text)
            | Self::TimedOut(text)
            | Self::TooLarge(text)
            | Self::Malformed(text) => formatter.write_str(text),
            Self::Status(response) => {
                let status = response.status();
                write!(formatter, "{}: answered {status} ({})", response.asked, class(status).name)?;
                match status {
                    300..=399 => formatter.write_str("; redirects are not followed"),
                    _ => Ok(()),
                }
            }
        }
    }
}

impl From<HttpError> for Failure {
    fn from(error: HttpError) -> Self {
        let message = error.to_string();
        match error {
            HttpError::Denied(_) => Self::permanent("denied", message),
            HttpError::Invalid(_) => Self::permanent("invalid", message),
            HttpError::Unavailable(_) => Self::retryable("unavailable", message),
            HttpError::TimedOut(_) => Self::timeout("timed_out", message),
            HttpError::TooLarge(_) => Self::permanent("too_large", message),
            HttpError::Malformed(_) => Self::retryable("malformed", message),
            HttpError::Status(response) => refused(&response, message),
        }
    }
}

fn refused(response: &Response, message: String) -> Failure {
    let Class { name, retryable } = class(response.status());
    let category = if retryable { Category::Retryable } else { Category::Permanent };
    let retry_after = response.retry_after().filter(|_| retryable);
    let details = Box::new(json!({ "status": response.status() }));
    Failure { category, code: name.to_owned(), message, retryable, retry_after, details }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::retry_after::now;
    use super::*;

    fn failure(error: HttpError) -> Failure {
        fn fails(error: HttpError) -> Result<(), Failure> {
            Err(error)?;
            Ok(())
        }
        fails(error).expect_err("it fails")
    }

    fn status(status: u16) -> Response {
        Response::new(status).to("GET https://a.example".to_owned())
    }

    #[test]
    fn an_error_becomes_a_failure_with_the_code_of_its_case() {
        let text = || "why".to_owned();
        for (error, code, category, retryable) in [
            (HttpError::Denied(text()), "denied", Category::Permanent, false),
            (HttpError::Invalid(text()), "invalid", Category::Permanent, false),
            (HttpError::Unavailable(text()), "unavailable", Category::Retryable, true),
            (HttpError::TimedOut(text()), "timed_out", Category::Timeout, true),
            (HttpError::TooLarge(text()), "too_large", Category::Permanent, false),
            (HttpError::Malformed(text()), "malformed", Category::Retryable, true),
        ] {
            let failure = failure(error);
            assert_eq!((failure.code.as_str(), failure.category, failure.retryable), (code, category, retryable));
            assert_eq!((failure.message.as_str(), failure.retry_after), ("why", None));
        }
    }

    #[test]
    fn a_status_becomes_a_failure_with_its_name_and_says_who_was_asked() {
        let failure = failure(HttpError::Status(Box::new(status(404).with_body("no such secret"))));
        assert_eq!((failure.code.as_str(), failure.category), ("not_found", Category::Permanent));
        assert_eq!(failure.message, "GET https://a.example: answered 404 (not_found)");
        assert_eq!(*failure.details, json!({"status": 404}));
    }

    #[test]
    fn every_status_but_success_becomes_a_failure_of_its_class() {
        for code in 100..=599 {
            match status(code).ok() {
                Ok(response) => assert!((200..300).contains(&response.status()), "{code}"),
                Err(error) => {
                    let failure = failure(error);
                    assert_eq!((failure.code.as_str(), failure.retryable), (class(code).name, class(code).retryable));
                    assert_eq!(failure.category == Category::Retryable, failure.retryable, "{code}");
                }
            }
        }
    }

    #[test]
    fn a_wait_is_kept_to_where_another_attempt_may_help() {
        let asks =
            |code| failure(HttpError::Status(Box::new(status(code).with_header("Retry-After", "7")))).retry_after;
        assert_eq!((asks(429), asks(503)), (Some(Duration::from_secs(7)), Some(Duration::from_secs(7))));
        assert_eq!((asks(404), asks(301)), (None, None));
        let date = httpdate::fmt_http_date(now() + Duration::from_secs(100));
        let wait = failure(HttpError::Status(Box::new(status(503).with_header("retry-after", date)))).retry_after;
        assert!(wait.is_some_and(|wait| (90..=100).contains(&wait.as_secs())), "{wait:?}");
    }
}
