//! Makes headers and bodies of requests without end, or asks whom it may not: 1, headers; 2, bodies that wait; 3, addresses.

use bulkhead_guests::*;

use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{ErrorCode, Fields, OutgoingRequest, Scheme};

guest!(kind: "FLOODS-HTTP".to_owned(), dispatch: |_| reached("localhost").is_none(), |task| {
    match task.payload.as_str() {
        "1" => {
            let fields = Fields::new();
            for number in 0..100_000 {
                fields.append(&format!("x-{number}"), b"").expect("one more");
            }
        }
        "2" => {
            let mut held = Vec::new();
            loop {
                let request = OutgoingRequest::new(Fields::new());
                let body = request.body().expect("it is asked for once");
                let stream = body.write().expect("it is asked for once");
                stream.check_write().expect("there is room");
                stream.write(&[0; 4096]).expect("it is taken");
                held.push((stream, body, request));
            }
        }
        _ => {}
    }
    let hosts = ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.0.0.1", "[::ffff:127.0.0.1]", "example.com"];
    complete(format!("{:?}", hosts.into_iter().filter_map(reached).collect::<Vec<_>>()))
});

/// The host, where asking it was not simply denied.
fn reached(host: &str) -> Option<String> {
    let request = OutgoingRequest::new(Fields::new());
    request.set_scheme(Some(&Scheme::Http)).expect("a scheme");
    request.set_authority(Some(host)).expect("a host");
    let coming = handle(request, None).ok()?;
    coming.subscribe().block();
    match coming.get().expect("it is there").expect("it is asked for once") {
        Err(ErrorCode::HttpRequestDenied) => None,
        answer => Some(format!("{host}: {:?}", answer.map(|response| response.status()))),
    }
}
