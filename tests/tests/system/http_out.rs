//! Handlers that ask others by HTTP, under their grant.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use bulkhead_tests::{Folder, Host, eventually};
use serde_json::{Value, json};

/// What a server has seen.
#[derive(Debug, Default)]
struct Seen {
    requests: Vec<String>,
    /// Connections that are open and wait.
    waiting: usize,
}

/// A server that echoes what it is sent, leads away, or keeps silent until whoever asks is gone.
#[derive(Debug, Clone)]
struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let server = Self { address: listener.local_addr().expect("an address"), seen: Arc::default() };
        let listening = server.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = listening.clone();
                std::thread::spawn(move || server.serve(stream));
            }
        });
        server
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn see<T>(&self, look: impl FnOnce(&mut Seen) -> T) -> T {
        look(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn serve(&self, mut stream: TcpStream) -> Option<()> {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).ok()?;
            bytes.extend(byte);
        }
        let head = String::from_utf8_lossy(&bytes).into_owned();
        self.see(|seen| seen.requests.push(head.clone()));
        let path = head.split(' ').nth(1).unwrap_or_default();
        if path == "/silent" {
            self.see(|seen| seen.waiting += 1);
            let _ = stream.read(&mut [0]);
            self.see(|seen| seen.waiting -= 1);
            return None;
        }
        let status = path.strip_prefix("/status/").unwrap_or("200");
        let location = if status == "302" { "location: http://169.254.169.254/latest/meta-data\r\n" } else { "" };
        let answer = format!("HTTP/1.1 {status} Words\r\n{location}content-length: {}\r\n\r\n{head}", head.len());
        stream.write_all(answer.as_bytes()).ok()
    }
}

fn folder(settings: &str) -> Folder {
    let folder = Folder::with_settings(settings);
    folder.drop_in("fetch", &bulkhead_test_guests::guest_bytes("fetch"));
    folder
}

fn submit(host: &Host, words: &str) -> String {
    host.client.submit(&json!({ "kind": "FETCH", "payload": words, "max_attempts": 1 }))
}

/// What came of a request.
fn told(host: &Host, words: &str) -> Value {
    host.client.ended(&submit(host, words))["result"].clone()
}

#[test]
fn without_a_grant_a_handler_loads_and_is_denied_and_its_log_names_the_setting() {
    let server = Server::start();
    let folder = folder("");
    let host = folder.host();
    let id = submit(&host, &format!("GET {}", server.url("/")));
    assert_eq!(host.client.ended(&id)["result"]["error"], "ErrorCode::HttpRequestDenied");
    let logs = host.client.get(&format!("/v1/tasks/{id}/logs")).body.to_string();
    assert!(logs.contains("[handler.fetch.grants.http]"), "{logs}");
    server.see(|seen| assert!(seen.requests.is_empty()));
}

#[test]
fn a_granted_request_is_made_with_its_secret_that_nobody_sees() {
    let server = Server::start();
    let origin = server.url("");
    let folder = folder(&format!(
        "[handler.fetch.grants.http]\norigins = [{origin:?}]\naddresses = [\"127.0.0.1/32\"]\n\
         [handler.fetch.grants.http.headers.{origin:?}]\nAuthorization = \"Bearer env:API_TOKEN\"\n"
    ));
    let host = Host::start(&folder, &[("API_TOKEN", "sesame-4711")]).expect("a host");
    let told_of = told(&host, &format!("GET {} authorization=mine x-a=b", server.url("/a?b=c")));
    assert_eq!((&told_of["status"], &told_of["broken"]), (&json!(200), &Value::Null), "{told_of}");
    let came = server.see(|seen| seen.requests[0].clone());
    assert!(came.starts_with("GET /a?b=c HTTP/1.1\r\n") && came.contains("x-a: b\r\n"), "{came}");
    assert!(came.contains("authorization: Bearer sesame-4711\r\n") && !came.contains("mine"), "{came}");
    let echo = told_of["text"].as_str().expect("a text");
    assert!(echo.contains("authorization: Bearer ***********\r\n"), "{echo}");
    // Statuses pass; a redirect leads nowhere by itself.
    for status in ["204", "302", "404", "429", "503"] {
        let told = told(&host, &format!("GET {}", server.url(&format!("/status/{status}"))));
        assert_eq!(told["status"].to_string(), status);
    }
    assert_eq!(server.see(|seen| seen.requests.len()), 6);
    // What the operator is shown, and what is written down, has no secret in it.
    let shown = folder.command().args(["config", "show"]).env("API_TOKEN", "sesame-4711").output().expect("it runs");
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("env:API_TOKEN") && !shown.contains("sesame"), "{shown}");
    assert!(!host.log().contains("sesame"), "{}", host.log());
    assert_eq!(host.client.metric("delegate_calls_total{delegate=\"http\",result=\"ok\"}"), 6.0);
}

#[test]
fn what_is_not_granted_is_denied_whatever_the_name_leads_to() {
    let server = Server::start();
    let origin = server.url("");
    let by_name = format!("http://localhost:{}", server.address.port());
    let folder = folder(&format!("[handler.fetch.grants.http]\norigins = [{origin:?}, {by_name:?}]\n"));
    let host = folder.host();
    for (words, code) in [
        (format!("GET {by_name}/"), "DestinationIpProhibited"),
        (format!("GET {origin}/"), "DestinationIpProhibited"),
        (format!("POST {by_name}/ body=x"), "HttpRequestDenied"),
        ("GET http://169.254.169.254/latest/meta-data".to_owned(), "HttpRequestDenied"),
        ("GET https://example.com/".to_owned(), "HttpRequestDenied"),
    ] {
        let told = told(&host, &words);
        assert_eq!(told["error"], format!("ErrorCode::{code}"), "{words}");
    }
    server.see(|seen| assert!(seen.requests.is_empty()));
    assert_eq!(host.client.metric("delegate_calls_total{delegate=\"http\",result=\"denied\"}"), 5.0);
}

#[test]
fn a_request_is_over_when_its_task_is_cancelled_or_its_time_is_over() {
    let server = Server::start();
    let origin = server.url("");
    let folder = folder(&format!(
        "[handler.fetch]\ntimeout = \"2s\"\n\
         [handler.fetch.grants.http]\norigins = [{origin:?}]\naddresses = [\"127.0.0.1/32\"]\ntimeout = \"1h\"\n"
    ));
    let host = folder.host();
    let late = submit(&host, &format!("GET {}", server.url("/silent")));
    let task = host.client.ended(&late);
    assert_eq!((&task["state"], &task["reason"]), (&json!("dead"), &json!("timeout")), "{task:#}");
    eventually("its connection is closed", || (server.see(|seen| seen.waiting) == 0).then_some(()));
    let cancelled = host
        .client
        .submit(&json!({ "kind": "FETCH", "payload": format!("GET {}", server.url("/silent")), "timeout": "1h" }));
    eventually("it waits", || (server.see(|seen| seen.waiting) == 1).then_some(()));
    host.client.post(&format!("/v1/tasks/{cancelled}/cancel"), &json!({}));
    assert_eq!(host.client.ended(&cancelled)["state"], "cancelled");
    eventually("its connection is closed, too", || (server.see(|seen| seen.waiting) == 0).then_some(()));
}

#[test]
fn the_time_of_a_handler_that_is_run_by_hand_is_over_though_it_waits_for_a_response() {
    let server = Server::start();
    let origin = server.url("");
    let folder = folder(&format!(
        "[handler.fetch]\ntimeout = \"1s\"\n\
         [handler.fetch.grants.http]\norigins = [{origin:?}]\naddresses = [\"127.0.0.1/32\"]\n"
    ));
    let payload = format!("\"GET {}\"", server.url("/silent"));
    folder.bulkhead(&["exec", "fetch", "--payload", &payload]).failed(1, &["running time is over"]);
}

#[test]
fn a_request_stands_in_the_trace_of_its_task() {
    let server = Server::start();
    let origin = server.url("");
    let folder =
        folder(&format!("[handler.fetch.grants.http]\norigins = [{origin:?}]\naddresses = [\"127.0.0.1/32\"]\n"));
    let host = folder.host();
    let (trace, span) = ("00-0af7651916cd43dd8448eb211c80319c-", "b7ad6b7169203331-01");
    let words = format!("GET {}", server.url("/"));
    let id = host.client.submit(&json!({ "kind": "FETCH", "payload": words, "traceparent": format!("{trace}{span}") }));
    assert_eq!(host.client.ended(&id)["result"]["status"], 200);
    let came = server.see(|seen| seen.requests[0].clone());
    let place = came.lines().find_map(|line| line.strip_prefix("traceparent: ")).expect("a place in a trace");
    assert!(place.starts_with(trace) && place.ends_with("-01") && !place.ends_with(span), "{place}");
}

#[test]
fn a_grant_that_makes_no_sense_keeps_the_host_from_starting() {
    for (settings, words) in [
        ("origins = [\"https://*\"]", "origin"),
        ("origins = [\"https://a.example\"]\nmethods = [\"TRACE\"]", "handler.fetch.grants.http.methods"),
        (
            "origins = [\"https://a.example\"]\n[handler.fetch.grants.http.headers.\"https://a.example\"]\nX-Api-Key = \"sesame-1\"",
            "X-Api-Key must be",
        ),
    ] {
        let folder = folder(&format!("[handler.fetch.grants.http]\n{settings}\n"));
        let ran = folder.bulkhead(&["run"]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains(words) && !format!("{ran:?}").contains("sesame"), "{ran:?}");
    }
}
