//! Requests as the component's imports make them.

use std::time::Duration;

use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{
    ErrorCode, Fields, HeaderError, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest, Scheme,
    http_error_code,
};
use wasip2::io::poll::{Pollable, poll};
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

use super::target::Target;
use super::{HttpError, Request, Response};

/// Bytes that are read or written at once.
const PIECE: u64 = 64 << 10;

/// Makes the request, and reads the response to its end.
///
/// Handles are dropped children first, as the component model wants it: the order of what follows matters.
pub(super) fn send(request: &Request, target: &Target, asked: &str) -> Result<Response, HttpError> {
    let outgoing = outgoing(request, target, asked)?;
    let clock = Clock { over: request.timeout.map(|time| subscribe_duration(nanos(time))), asked };
    let body = match request.body.is_empty() {
        true => None,
        false => Some(outgoing.body().map_err(|()| broken(asked))?),
    };
    let coming = handle(outgoing, None).map_err(|code| error(asked, &code))?;
    let answered = coming.subscribe();
    let unfinished = match body {
        Some(body) if write(&body, &request.body, &answered, &clock)? => {
            // Where that fails, the response says why.
            let _ = OutgoingBody::finish(body, None);
            None
        }
        // Kept until the response is there: what is dropped unfinished breaks the connection.
        unfinished => unfinished,
    };
    clock.wait(&answered)?;
    let response = coming.get().and_then(Result::ok).ok_or_else(|| broken(asked))?;
    let response = response.map_err(|code| error(asked, &code))?;
    let read = read(&response, request.max_body, &clock, asked);
    drop(unfinished);
    read
}

fn outgoing(request: &Request, target: &Target, asked: &str) -> Result<OutgoingRequest, HttpError> {
    let headers = Fields::new();
    let append = |name: &str, value: &str| {
        headers.append(name, value.as_bytes()).map_err(|error| {
            let why = match error {
                HeaderError::InvalidSyntax => "is no header, or its value is none",
                HeaderError::Forbidden | HeaderError::Immutable => "is the host's own; leave it out",
            };
            HttpError::Invalid(format!("{asked}: the header `{}` {why}", name.escape_debug()))
        })
    };
    for (name, value) in &request.headers {
        append(name, value)?;
    }
    let says_length = request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    if !request.body.is_empty() && !says_length {
        append("content-length", &request.body.len().to_string())?;
    }
    let outgoing = OutgoingRequest::new(headers);
    let scheme = if target.is_encrypted { Scheme::Https } else { Scheme::Http };
    let part = |part: &str| HttpError::Invalid(format!("{asked}: its {part} is refused"));
    outgoing.set_method(&method(&request.method)).map_err(|()| part("method"))?;
    outgoing.set_scheme(Some(&scheme)).map_err(|()| part("scheme"))?;
    outgoing.set_authority(Some(&target.authority)).map_err(|()| part("host"))?;
    outgoing.set_path_with_query(Some(&target.path)).map_err(|()| part("path or query"))?;
    Ok(outgoing)
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "PATCH" => Method::Patch,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        other => Method::Other(other.to_owned()),
    }
}

/// Writes the body; false where the other side answered, or went, before it had all of it.
fn write(body: &OutgoingBody, bytes: &[u8], answered: &Pollable, clock: &Clock<'_>) -> Result<bool, HttpError> {
    let stream = body.write().map_err(|()| broken(clock.asked))?;
    let mut rest = bytes;
    while !rest.is_empty() {
        if clock.wait_for_room(&stream, answered)? {
            return Ok(false);
        }
        let Ok(room) = stream.check_write() else {
            return Ok(false);
        };
        let (piece, after) = rest.split_at(rest.len().min(room.min(PIECE) as usize));
        if !piece.is_empty() && stream.write(piece).is_err() {
            return Ok(false);
        }
        rest = after;
    }
    Ok(true)
}

fn read(response: &IncomingResponse, limit: usize, clock: &Clock<'_>, asked: &str) -> Result<Response, HttpError> {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let headers = response.headers().entries();
    let head = headers
        .iter()
        .fold(Response::new(response.status()), |head, (name, value)| head.with_header(name.as_str(), text(value)));
    let body = response.consume().map_err(|()| broken(asked))?;
    let stream = body.stream().map_err(|()| broken(asked))?;
    let mut bytes = Vec::new();
    let ended = read_into(&mut bytes, &stream, limit, clock);
    drop(stream);
    drop(IncomingBody::finish(body));
    match ended {
        // What the status says counts more than how its explanation ends.
        Err(error) if head.is_success() => Err(error),
        _ => Ok(head.with_body(bytes)),
    }
}

/// Reads a body to its end, or what there is of it before an error.
fn read_into(bytes: &mut Vec<u8>, stream: &InputStream, limit: usize, clock: &Clock<'_>) -> Result<(), HttpError> {
    let asked = clock.asked;
    loop {
        clock.wait(&stream.subscribe())?;
        match stream.read(PIECE) {
            Ok(piece) => {
                let room = limit - bytes.len();
                bytes.extend_from_slice(&piece[..piece.len().min(room)]);
                if piece.len() > room {
                    return Err(super::too_large(asked, limit));
                }
            }
            Err(StreamError::Closed) => return Ok(()),
            Err(StreamError::LastOperationFailed(failed)) => {
                return Err(http_error_code(&failed).map_or_else(|| broken(asked), |code| error(asked, &code)));
            }
        }
    }
}

/// The time of a request.
struct Clock<'a> {
    over: Option<Pollable>,
    asked: &'a str,
}

impl Clock<'_> {
    /// Waits until something is ready, or the time is over.
    fn wait(&self, ready: &Pollable) -> Result<(), HttpError> {
        self.first(&[ready]).map(|_| ())
    }

    /// Waits until there is room to write; true where there is an answer already.
    fn wait_for_room(&self, stream: &OutputStream, answered: &Pollable) -> Result<bool, HttpError> {
        let room = stream.subscribe();
        Ok(self.first(&[answered, &room])? == 0)
    }

    /// Which is ready, of several the first.
    fn first(&self, awaited: &[&Pollable]) -> Result<u32, HttpError> {
        let mut all = awaited.to_vec();
        all.extend(&self.over);
        let ready = poll(&all);
        match ready.first() {
            Some(first) if ready.iter().all(|ready| (*ready as usize) < awaited.len()) => Ok(*first),
            _ => Err(HttpError::TimedOut(format!("{}: its time ran out", self.asked))),
        }
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// What a host does not do.
fn broken(asked: &str) -> HttpError {
    HttpError::Unavailable(format!("{asked}: the host broke it off"))
}

fn error(asked: &str, code: &ErrorCode) -> HttpError {
    use ErrorCode as E;
    let name = format!("{code:?}");
    let name = name.trim_start_matches("ErrorCode::").split(['(', ' ', '{']).next().unwrap_or_default();
    let text = |why: &str| format!("{asked}: {why} ({name})");
    match code {
        E::HttpRequestDenied | E::DestinationIpProhibited => {
            HttpError::Denied(text("the host does not allow it; the task's log names the setting"))
        }
        E::ConnectionTimeout
        | E::ConnectionReadTimeout
        | E::ConnectionWriteTimeout
        | E::HttpResponseTimeout
        | E::DnsTimeout => HttpError::TimedOut(text("its time ran out")),
        E::HttpRequestLengthRequired
        | E::HttpRequestBodySize(_)
        | E::HttpRequestMethodInvalid
        | E::HttpRequestUriInvalid
        | E::HttpRequestUriTooLong
        | E::HttpRequestHeaderSectionSize(_)
        | E::HttpRequestHeaderSize(_)
        | E::HttpRequestTrailerSectionSize(_)
        | E::HttpRequestTrailerSize(_) => HttpError::Invalid(text("the host refuses the request")),
        E::HttpResponseBodySize(_)
        | E::HttpResponseHeaderSectionSize(_)
        | E::HttpResponseHeaderSize(_)
        | E::HttpResponseTrailerSectionSize(_)
        | E::HttpResponseTrailerSize(_) => HttpError::TooLarge(text("the response is longer than the host allows")),
        _ => HttpError::Unavailable(text("there was no whole response")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_the_host_are_the_cases_that_say_whether_another_attempt_may_help() {
        for (code, expected) in [
            (ErrorCode::HttpRequestDenied, "Denied"),
            (ErrorCode::DestinationIpProhibited, "Denied"),
            (ErrorCode::ConnectionTimeout, "TimedOut"),
            (ErrorCode::ConnectionReadTimeout, "TimedOut"),
            (ErrorCode::HttpResponseTimeout, "TimedOut"),
            (ErrorCode::ConnectionRefused, "Unavailable"),
            (ErrorCode::DestinationUnavailable, "Unavailable"),
            (ErrorCode::ConnectionLimitReached, "Unavailable"),
            (ErrorCode::HttpResponseIncomplete, "Unavailable"),
            (ErrorCode::TlsCertificateError, "Unavailable"),
            (ErrorCode::InternalError(Some("x".to_owned())), "Unavailable"),
            (ErrorCode::HttpRequestUriInvalid, "Invalid"),
            (ErrorCode::HttpRequestHeaderSectionSize(None), "Invalid"),
            (ErrorCode::HttpResponseBodySize(Some(5)), "TooLarge"),
        ] {
            let error = error("GET https://a.example", &code);
            assert!(format!("{error:?}").starts_with(expected), "{code:?}: {error:?}");
            assert!(error.to_string().starts_with("GET https://a.example: "), "{error}");
        }
        let refused = error("GET http://a", &ErrorCode::ConnectionRefused);
        assert_eq!(refused.to_string(), "GET http://a: there was no whole response (ConnectionRefused)");
    }
}
