//! What a guest asks of others by HTTP, in the words between the sandbox and whoever sends it.

use std::borrow::Borrow;
use std::time::Duration;

use bulkhead_core::DelegateError;
use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;

/// A body on its way, of a request or of a response.
pub type HttpBody = UnsyncBoxBody<Bytes, HttpProblem>;

/// A request as a guest makes it: nothing of it is checked but that it is one.
#[derive(Debug)]
pub struct HttpRequest {
    /// The request, with an absolute URI.
    pub request: http::Request<HttpBody>,
    /// What the guest itself waits for, at most.
    pub patience: HttpPatience,
}

/// How long a guest waits for parts of a response; where it does not say, as long as it may.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HttpPatience {
    /// For the connection.
    pub connect: Option<Duration>,
    /// For the head of the response.
    pub first_byte: Option<Duration>,
    /// For each part of the body.
    pub between_bytes: Option<Duration>,
}

/// What a guest is told where there is no response, or no more of it; each is a code of `wasi:http`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HttpProblem {
    /// Nobody granted it.
    #[error("the request is denied")]
    Denied,
    /// The address may not be connected to.
    #[error("the address may not be connected to")]
    AddressDenied,
    /// The name leads nowhere.
    #[error("the name has no address")]
    NoAddress,
    /// Nobody listens there.
    #[error("the connection is refused")]
    Refused,
    /// The address cannot be reached.
    #[error("the address cannot be reached")]
    Unreachable,
    /// There was no connection in time.
    #[error("there was no connection in time")]
    ConnectTimedOut,
    /// The other side cannot show who it is.
    #[error("the certificate is not trusted")]
    Certificate,
    /// TLS went wrong.
    #[error("TLS went wrong")]
    Tls,
    /// The request's address is none.
    #[error("the URI is no http or https URI")]
    Uri,
    /// The request's headers are too many, or too long.
    #[error("the request's headers are too many, or too long")]
    RequestHeaders,
    /// The request's body was not written to its end.
    #[error("the request's body was not written to its end")]
    RequestBody,
    /// The response's headers are too many, or too long.
    #[error("the response's headers are too many, or too long")]
    ResponseHeaders,
    /// The response's body is longer than so many bytes, which the grant allows.
    #[error("the response's body is longer than {0} bytes")]
    ResponseBody(u64),
    /// The time of the request is over.
    #[error("the request's time ran out")]
    TimedOut,
    /// Nothing more came for longer than the guest waits.
    #[error("nothing more came in time")]
    Silent,
    /// Too many requests of this handler are under way.
    #[error("too many requests are under way")]
    Busy,
    /// The connection ended in the middle.
    #[error("the response is incomplete")]
    Incomplete,
    /// What came is no HTTP.
    #[error("the other side does not speak HTTP")]
    Protocol,
    /// The host itself cannot do it now.
    #[error("the host cannot send it now")]
    Gone,
}

/// Why there is no response: the guest reads the problem, people the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct HttpFailure {
    /// What the guest is told.
    pub problem: HttpProblem,
    /// What is counted, and told to people.
    error: DelegateError,
}

impl HttpFailure {
    /// A failure with a text for people.
    pub fn new(problem: HttpProblem, text: impl Into<String>) -> Self {
        use HttpProblem as P;
        let text = text.into();
        let error = match problem {
            P::Denied | P::AddressDenied => DelegateError::Denied(text),
            P::NoAddress | P::Refused | P::Unreachable | P::Busy => DelegateError::Unavailable(text),
            P::Uri | P::RequestHeaders | P::RequestBody => DelegateError::Invalid(text),
            P::ConnectTimedOut | P::TimedOut | P::Silent => DelegateError::TimedOut,
            P::Certificate | P::Tls | P::ResponseHeaders | P::ResponseBody(_) | P::Incomplete | P::Protocol => {
                DelegateError::Failed(text)
            }
            P::Gone => DelegateError::Gone(text),
        };
        Self { problem, error: error.bounded() }
    }
}

impl From<HttpProblem> for HttpFailure {
    fn from(problem: HttpProblem) -> Self {
        Self::new(problem, problem.to_string())
    }
}

impl From<DelegateError> for HttpFailure {
    fn from(error: DelegateError) -> Self {
        let problem = match &error {
            DelegateError::Denied(_) => HttpProblem::Denied,
            DelegateError::Unavailable(_) => HttpProblem::Unreachable,
            DelegateError::Gone(_) => HttpProblem::Gone,
            DelegateError::Invalid(_) => HttpProblem::Uri,
            DelegateError::TimedOut => HttpProblem::TimedOut,
            DelegateError::Failed(_) => HttpProblem::Protocol,
        };
        Self { problem, error }
    }
}

impl Borrow<DelegateError> for HttpFailure {
    fn borrow(&self) -> &DelegateError {
        &self.error
    }
}
