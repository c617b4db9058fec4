//! Asks a server that takes its time or never ends, by the path that its payload names; the host is in its settings. It
//! reads what comes to its end, and answers how much that was and how it broke off.

use bulkhead_guests::*;

use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{Fields, OutgoingRequest, Scheme};
use wasip2::io::streams::StreamError;

guest!("WAITS-FOR-HTTP", |task| {
    let settings = context::settings();
    let request = OutgoingRequest::new(Fields::new());
    request.set_scheme(Some(&Scheme::Http)).expect("a scheme");
    request.set_authority(settings.split('"').nth(3)).expect("a host");
    request.set_path_with_query(Some(task.payload.trim_matches('"'))).expect("a path");
    let coming = handle(request, None).expect("it is granted");
    coming.subscribe().block();
    let response = match coming.get().expect("it is there").expect("it is asked for once") {
        Ok(response) => response,
        Err(error) => return complete(format!("\"no response: {error:?}\"")),
    };
    let body = response.consume().expect("it is asked for once");
    let stream = body.stream().expect("it is asked for once");
    let mut length = 0;
    let broken = loop {
        match stream.blocking_read(64 << 10) {
            Ok(bytes) => length += bytes.len(),
            Err(StreamError::Closed) => break "not at all".to_owned(),
            Err(StreamError::LastOperationFailed(error)) => break error.to_debug_string(),
        }
    };
    complete(quoted(format!("{length} bytes, broken off: {broken}").as_bytes()))
});
