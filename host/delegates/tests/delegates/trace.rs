//! Where calls stand in the trace of their run.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Instant;

use bulkhead_core::{Caller, Traceparent};
use bulkhead_delegates::{DelegateSettings, Grants};
use bulkhead_sandbox::{Delegates as _, HttpPatience, HttpRequest};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use crate::{PATIENCE, caller, delegates};

const RUN: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// A server that answers each request with its header `traceparent`.
async fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (mut lines, mut place) = (BufReader::new(stream).lines(), String::new());
            while let Some(line) = lines.next_line().await.unwrap().filter(|line| !line.is_empty()) {
                place.extend(line.strip_prefix("traceparent: ").map(str::to_owned));
            }
            let answer = format!("HTTP/1.1 200 OK\r\nx-place: {place}\r\ncontent-length: 0\r\n\r\n");
            lines.into_inner().write_all(answer.as_bytes()).await.unwrap();
        }
    });
    address
}

#[tokio::test]
async fn each_call_is_a_span_of_its_own_in_the_trace_of_its_run() {
    let server = server().await;
    let http = format!("origins = [\"http://{server}\"]\naddresses = [\"127.0.0.0/8\"]");
    let grants = Grants { http: Some(toml::from_str(&http).unwrap()), ..Grants::default() };
    let delegates = delegates(DelegateSettings::default(), grants);
    let end = Instant::now() + PATIENCE;
    let caller = Caller { traceparent: Some(Traceparent::parse(RUN).unwrap()), ..caller(end) };
    let run = delegates.for_run(caller, 0, move || Some(end));
    let mut spans = BTreeSet::from([RUN.to_owned()]);
    for _ in 0..3 {
        let body = Empty::<Bytes>::new().map_err(|never| match never {}).boxed_unsync();
        let request = http::Request::get(format!("http://{server}/")).body(body).unwrap();
        let response = run.send(HttpRequest { request, patience: HttpPatience::default() }).await.unwrap();
        let place = response.headers()["x-place"].to_str().unwrap();
        assert!(place.starts_with(&RUN[..36]) && place.ends_with("-01") && place.len() == RUN.len(), "{place}");
        assert!(spans.insert(place.to_owned()), "{place}");
    }
}
