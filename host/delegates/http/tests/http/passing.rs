//! What passes as it is.

use std::time::Duration;

use bulkhead_core::{Caller, Traceparent};
use bulkhead_sandbox::HttpProblem;
use http::Request;

use crate::server::Server;
use crate::world::{access_to, caller, get, problem, read, send, send_body, send_by};

#[tokio::test]
async fn every_status_passes_with_its_headers() {
    let server = Server::start().await;
    let handler = access_to(server.address, "");
    for status in [
        200, 201, 202, 204, 301, 302, 304, 307, 308, 400, 401, 403, 404, 405, 406, 408, 409, 410, 418, 422, 429, 451,
        500, 501, 502, 503, 504, 599,
    ] {
        let response = send(&handler, get(&server.url(&format!("/status/{status}")))).await.unwrap();
        assert_eq!((response.status().as_u16(), &response.headers()["x-from"]), (status, &"server".parse().unwrap()));
        assert_eq!(read(response).await, (String::new(), Ok(())), "{status}");
    }
}

#[tokio::test]
async fn a_request_arrives_as_the_guest_made_it() {
    let mut server = Server::start().await;
    let handler = access_to(server.address, "methods = [\"POST\"]");
    let request = Request::post(server.url("/echo?b=c")).header("x-mine", "1").header("content-type", "text/plain");
    let response = send_body(&handler, request, "some words").await.unwrap();
    assert_eq!(response.status(), 200);
    let came = server.requests()[0].clone();
    assert!(came.starts_with("POST /echo?b=c HTTP/1.1\r\n"), "{came}");
    for part in [&format!("host: {}\r\n", server.address), "x-mine: 1\r\n", "some words"] {
        assert!(came.contains(part), "{came}");
    }
    // A query alone is one of `/`, where the server keeps silent.
    let query = server.url("?b=c");
    let asking = tokio::spawn(async move { drop(send(&handler, Request::post(query)).await) });
    server.has_seen(2).await;
    asking.abort();
    assert!(server.requests()[1].starts_with("POST /?b=c HTTP/1.1\r\n"), "{:?}", server.requests());
}

#[tokio::test]
async fn a_request_says_where_it_stands_in_its_trace_unless_the_guest_does() {
    const PLACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let server = Server::start().await;
    let handler = access_to(server.address, "");
    let traced = Caller { traceparent: Traceparent::parse(PLACE).ok(), ..caller(Duration::from_secs(30)) };
    let request = || get(&server.url("/status/200"));
    for request in [request(), request().header("Traceparent", "mine")] {
        send_by(&handler, &traced, request).await.unwrap();
    }
    send(&handler, request()).await.unwrap();
    let told = |request: &String| {
        let lines: Vec<&str> = request.lines().filter_map(|line| line.strip_prefix("traceparent: ")).collect();
        lines.join(" and ")
    };
    assert_eq!(server.requests().iter().map(told).collect::<Vec<_>>(), [PLACE, "mine", ""]);
}

#[tokio::test]
async fn what_goes_wrong_has_a_name() {
    let server = Server::start().await;
    let handler = access_to(server.address, "");
    assert_eq!(problem(send(&handler, get(&server.url("/nonsense"))).await), HttpProblem::Protocol);
    let cut = send(&handler, get(&server.url("/cut"))).await.unwrap();
    assert_eq!(read(cut).await, ("x".to_owned(), Err(HttpProblem::Incomplete)));
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let handler = access_to(nobody, "");
    assert_eq!(problem(send(&handler, get(&format!("http://{nobody}/"))).await), HttpProblem::Refused);
}
