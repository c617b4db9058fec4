//! What has an end, whatever the other side does.

use std::time::{Duration, Instant};

use bulkhead_sandbox::{HttpPatience, HttpProblem, HttpRequest};
use http_body_util::{BodyExt, Empty};

use crate::server::Server;
use crate::world::{access_to, caller, get, problem, read, send, send_patiently};

#[tokio::test]
async fn an_endless_body_ends_at_its_bound() {
    let mut server = Server::start().await;
    let handler = access_to(server.address, "body = \"100 KiB\"");
    let response = send(&handler, get(&server.url("/endless"))).await.unwrap();
    let (text, end) = read(response).await;
    assert_eq!(end, Err(HttpProblem::ResponseBody(100 << 10)));
    assert!(text.len() <= 100 << 10, "{}", text.len());
    server.was_left(1).await;
}

#[tokio::test]
async fn a_body_that_is_stuck_ends_with_the_requests_time() {
    let mut server = Server::start().await;
    let handler = access_to(server.address, "timeout = \"200ms\"");
    let response = send(&handler, get(&server.url("/stuck"))).await.unwrap();
    assert_eq!(read(response).await, ("x".to_owned(), Err(HttpProblem::TimedOut)));
    assert_eq!(problem(send(&handler, get(&server.url("/silent"))).await), HttpProblem::TimedOut);
    server.was_left(2).await;
}

#[tokio::test]
async fn a_body_that_nobody_reads_holds_its_connection_no_longer_than_the_requests_time() {
    let mut server = Server::start().await;
    let handler = access_to(server.address, "timeout = \"200ms\"\nconcurrency = 1");
    let response = send(&handler, get(&server.url("/stuck"))).await.unwrap();
    server.was_left(1).await;
    // The place is free, too.
    assert_eq!(send(&handler, get(&server.url("/status/200"))).await.unwrap().status(), 200);
    assert_eq!(read(response).await.1, Err(HttpProblem::TimedOut));
}

#[tokio::test]
async fn no_request_outlives_its_run() {
    let server = Server::start().await;
    let handler = access_to(server.address, "timeout = \"1h\"");
    let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
    let request = get(&server.url("/silent")).body(body).unwrap();
    let request = HttpRequest { request, patience: HttpPatience::default() };
    let began = Instant::now();
    let told = problem(handler.send(&caller(Duration::from_millis(100)), request).await);
    assert_eq!(told, HttpProblem::TimedOut);
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn a_guest_that_waits_less_is_told_sooner() {
    let server = Server::start().await;
    let handler = access_to(server.address, "timeout = \"1h\"");
    let patience = HttpPatience {
        first_byte: Some(Duration::from_millis(300)),
        between_bytes: Some(Duration::from_millis(50)),
        ..HttpPatience::default()
    };
    let told = send_patiently(&handler, get(&server.url("/silent")), "", patience).await;
    assert_eq!(problem(told), HttpProblem::Silent);
    let response = send_patiently(&handler, get(&server.url("/stuck")), "", patience).await.unwrap();
    assert_eq!(read(response).await, ("x".to_owned(), Err(HttpProblem::Silent)));
}

#[tokio::test]
async fn a_hundred_thousand_headers_are_refused_in_both_directions() {
    let mut server = Server::start().await;
    let handler = access_to(server.address, "");
    let told = problem(send(&handler, get(&server.url("/headers"))).await);
    assert_eq!(told, HttpProblem::ResponseHeaders);
    server.was_left(1).await;
    // No map of headers takes a hundred thousand.
    let many =
        (0..20_000).fold(get(&server.url("/status/200")), |request, number| request.header(format!("x-{number}"), "y"));
    assert_eq!(problem(send(&handler, many).await), HttpProblem::RequestHeaders);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn so_many_requests_are_under_way_and_no_more() {
    let server = Server::start().await;
    let handler = access_to(server.address, "timeout = \"300ms\"\nconcurrency = 1");
    let silent = get(&server.url("/silent"));
    let (first, second) = tokio::join!(biased; send(&handler, silent), send(&handler, get(&server.url("/status/200"))));
    // The second waits for the first, and then has no time left.
    assert_eq!(problem(first), HttpProblem::TimedOut);
    assert_eq!(problem(second), HttpProblem::Busy);
    assert_eq!(server.requests().len(), 1);
}
