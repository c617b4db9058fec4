//! Asks others by HTTP. Its payload is `"METHOD URL NAME=VALUE …"` without quotes inside, a plus for each space in a value; of
//! the names, `body`, `first_byte_ms` and `between_bytes_ms` are no headers. Its result is what came of it. It asks at load
//! and in `dispatch` too, where it must be denied; and `"headers N"` and `"bodies N"` hold on to so many.

use bulkhead_guests::*;

use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest, RequestOptions, Scheme,
};
use wasip2::io::streams::StreamError;

/// So much of a body is told.
const TOLD: usize = 4096;

guest!(
    kind: if is_denied("GET http://localhost/") { "FETCH".to_owned() } else { "NOT-DENIED".to_owned() },
    dispatch: |task| !words(&task).contains("http") || is_denied(words(&task)),
    |task| {
        let words = words(&task);
        match words.split_once(' ') {
            Some(("headers", count)) => many_headers(count.parse().unwrap_or(0)),
            Some(("bodies", count)) => many_bodies(count.parse().unwrap_or(0)),
            _ => complete(asked(words)),
        }
    }
);

fn words(task: &Task) -> &str {
    task.payload.trim_matches('"')
}

fn is_denied(words: &str) -> bool {
    matches!(ask(words), Err(Refusal { error: ErrorCode::HttpRequestDenied, .. }))
}

/// Why there is no response, and what the request's headers were.
struct Refusal {
    error: ErrorCode,
    sent: Vec<String>,
}

fn asked(words: &str) -> String {
    match ask(words) {
        Ok((response, sent)) => told(&response, &sent),
        Err(Refusal { error, sent }) => {
            format!("{{\"error\":{},\"sent\":{}}}", quoted(format!("{error:?}").as_bytes()), list(&sent))
        }
    }
}

fn ask(words: &str) -> Result<(IncomingResponse, Vec<String>), Refusal> {
    let mut parts = words.split(' ');
    let (method, url) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let options: Vec<(&str, String)> =
        parts.filter_map(|part| part.split_once('=')).map(|(name, value)| (name, value.replace('+', " "))).collect();
    let option = |asked: &str| options.iter().find(|(name, _)| *name == asked).map(|(_, value)| value.as_str());
    let headers = Fields::new();
    let mut refused = Vec::new();
    for (name, value) in &options {
        if !matches!(*name, "body" | "first_byte_ms" | "between_bytes_ms")
            && headers.append(name, value.as_bytes()).is_err()
        {
            refused.push(format!("refused {name}"));
        }
    }
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let request = OutgoingRequest::new(headers);
    let method = match method {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        other => Method::Other(other.to_owned()),
    };
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    };
    let uri = ErrorCode::HttpRequestUriInvalid;
    let is_set = request.set_method(&method).is_ok()
        && request.set_scheme(Some(&scheme)).is_ok()
        && request.set_authority(Some(authority)).is_ok()
        && request.set_path_with_query(Some(path).filter(|path| !path.is_empty())).is_ok();
    let mut sent: Vec<String> = request.headers().entries().into_iter().map(|(name, _)| name).collect();
    sent.extend(refused);
    let refusal = |error| Refusal { error, sent: sent.clone() };
    if !is_set {
        return Err(refusal(uri));
    }
    let timeouts = RequestOptions::new();
    let nanos = |name| option(name).and_then(|text: &str| text.parse::<u64>().ok()).map(|millis| millis * 1_000_000);
    timeouts.set_first_byte_timeout(nanos("first_byte_ms")).expect("the host takes it");
    timeouts.set_between_bytes_timeout(nanos("between_bytes_ms")).expect("the host takes it");
    let body = option("body").map(|text| (request.body().expect("it is asked for once"), text.to_owned()));
    let coming = handle(request, Some(timeouts)).map_err(refusal)?;
    if let Some((body, text)) = body {
        let stream = body.write().expect("it is asked for once");
        // Who does not take it says so in the answer.
        let _ = stream.blocking_write_and_flush(text.as_bytes());
        drop(stream);
        let _ = OutgoingBody::finish(body, None);
    }
    coming.subscribe().block();
    let response = coming.get().expect("it is there").expect("it is asked for once").map_err(refusal)?;
    Ok((response, sent))
}

fn told(response: &IncomingResponse, sent: &[String]) -> String {
    let headers: Vec<String> = (response.headers().entries().into_iter())
        .map(|(name, value)| format!("{}:{}", quoted(name.as_bytes()), quoted(&value)))
        .collect();
    let (mut length, mut text, mut error) = (0, Vec::new(), "null".to_owned());
    let body = response.consume().expect("it is asked for once");
    let stream = body.stream().expect("it is asked for once");
    loop {
        match stream.blocking_read(64 << 10) {
            Ok(bytes) => {
                length += bytes.len();
                text.extend(bytes.into_iter().take(TOLD.saturating_sub(text.len())));
            }
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(failed)) => {
                error = quoted(failed.to_debug_string().as_bytes());
                break;
            }
        }
    }
    drop(stream);
    drop(IncomingBody::finish(body));
    format!(
        "{{\"status\":{},\"headers\":{{{}}},\"length\":{length},\"text\":{},\"broken\":{error},\"sent\":{}}}",
        response.status(),
        headers.join(","),
        quoted(&text),
        list(sent),
    )
}

fn many_headers(count: usize) -> Result<Outcome, Failure> {
    let fields = Fields::new();
    for number in 0..count {
        fields.append(&format!("x-{number}"), b"").expect("one more");
    }
    complete(format!("\"{} headers\"", fields.entries().len()))
}

fn many_bodies(count: usize) -> Result<Outcome, Failure> {
    let mut held = Vec::new();
    for _ in 0..count {
        let request = OutgoingRequest::new(Fields::new());
        let body = request.body().expect("it is asked for once");
        let stream = body.write().expect("it is asked for once");
        stream.check_write().ok().filter(|room| *room > 0).expect("there is room");
        stream.write(&[0; 4096]).expect("it is taken");
        held.push((stream, body, request));
    }
    complete(format!("\"{} bodies\"", held.len()))
}

fn list(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text.as_bytes())).collect();
    format!("[{}]", texts.join(","))
}
