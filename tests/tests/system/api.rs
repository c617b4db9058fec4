//! A handler that calls an API by the SDK: what becomes of its task, whatever the API answers.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use bulkhead_tests::{Folder, Host, eventually, places};
use serde_json::{Value, json};

/// An API that answers as it is asked to by its path, and when it was asked for which.
#[derive(Debug, Clone)]
struct Api {
    address: SocketAddr,
    asked: Arc<Mutex<HashMap<String, Vec<Instant>>>>,
}

impl Api {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let api = Self { address: listener.local_addr().expect("an address"), asked: Arc::default() };
        let listening = api.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let api = listening.clone();
                std::thread::spawn(move || api.serve(stream));
            }
        });
        api
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn asked(&self, path: &str) -> Vec<Instant> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned().unwrap_or_default()
    }

    fn serve(&self, mut stream: TcpStream) -> Option<()> {
        let head = head(&mut stream)?;
        let path = head.split(' ').nth(1)?.to_owned();
        let count = {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            let times = asked.entry(path.clone()).or_default();
            times.push(Instant::now());
            times.len()
        };
        let mut words = path.split('?').next()?.trim_start_matches('/').split('/');
        let (what, status) = (words.next()?, words.next().unwrap_or("200"));
        let mut answer = |status: &str, headers: &str, body: &[u8]| {
            let length = if status == "204" { String::new() } else { format!("content-length: {}\r\n", body.len()) };
            stream.write_all(format!("HTTP/1.1 {status} Words\r\n{length}{headers}\r\n").as_bytes()).ok()?;
            stream.write_all(body).ok()
        };
        match what {
            "status" => answer(status, "", b""),
            "leads-away" => answer("302", "location: http://169.254.169.254/latest/meta-data\r\n", b""),
            "after" => answer("503", &format!("Retry-After: {status}\r\n"), b""),
            "date" => answer("429", &format!("Retry-After: {}\r\n", in_seconds(status.parse().ok()?)), b""),
            "once" if count == 1 => answer("503", "Retry-After: 1\r\n", b""),
            "big" => answer(status, "", &vec![b'x'; (8 << 20) + 1]),
            "length" => {
                let length =
                    head.to_ascii_lowercase().split("content-length: ").nth(1)?.split("\r\n").next()?.parse().ok()?;
                let mut body = vec![0; length];
                stream.read_exact(&mut body).ok()?;
                let length = length.to_string();
                let head = format!("HTTP/1.1 200 Words\r\ncontent-length: {}\r\n\r\n{length}", length.len());
                stream.write_all(head.as_bytes()).ok()
            }
            "early" => {
                answer("413", "", b"")?;
                until_gone(&mut stream)
            }
            "closes" => None,
            "cut" => {
                stream.write_all(format!("HTTP/1.1 {status} Words\r\ncontent-length: 10\r\n\r\nfew").as_bytes()).ok()
            }
            "no-http" => stream.write_all(b"Hello!\r\n\r\n").ok(),
            "silent" => until_gone(&mut stream),
            "stops" => {
                stream.write_all(b"HTTP/1.1 200 Words\r\ncontent-length: 10\r\n\r\nfew").ok()?;
                until_gone(&mut stream)
            }
            "drips" => {
                stream.write_all(b"HTTP/1.1 200 Words\r\ncontent-length: 1000000\r\n\r\n").ok()?;
                stream.set_read_timeout(Some(Duration::from_millis(10))).ok()?;
                // A byte now and then, until whoever asked is gone.
                while !matches!(stream.read(&mut [0]), Ok(0)) {
                    stream.write_all(b".").ok()?;
                }
                None
            }
            _ => answer("200", "", b"fine"),
        }
    }
}

fn head(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        bytes.extend(byte);
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Keeps silent until whoever asked is gone.
fn until_gone(stream: &mut TcpStream) -> Option<()> {
    while stream.read(&mut [0; 4096]).ok()? > 0 {}
    None
}

/// The moment in so many seconds, as HTTP writes it.
#[expect(clippy::disallowed_methods, reason = "the API names a date")]
fn in_seconds(seconds: u64) -> String {
    let moment = jiff::Timestamp::try_from(SystemTime::now() + Duration::from_secs(seconds)).expect("a moment");
    moment.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// A host whose handler may ask these origins.
fn host(origins: &[String], settings: &str) -> (Folder, Host) {
    let folder = Folder::with_settings(&format!(
        "[handler.api_handler]\nbackoff = {{ curve = \"fixed\", base = \"10ms\" }}\n{settings}\n\
         [handler.api_handler.grants.http]\norigins = {origins:?}\naddresses = [\"127.0.0.0/8\"]\n\
         methods = [\"GET\", \"HEAD\", \"POST\", \"PUT\", \"PATCH\", \"DELETE\"]\ntimeout = \"2s\"\n"
    ));
    let component = places::handler("examples/api-handler", "api-handler");
    folder.drop_in("api_handler", &std::fs::read(component).expect("the component"));
    let host = folder.host();
    (folder, host)
}

fn submit(host: &Host, call: &Value) -> String {
    host.client.submit(&json!({ "kind": "CALL_API", "payload": call, "max_attempts": 2 }))
}

fn get(url: &str) -> Value {
    json!({ "method": "GET", "url": url })
}

/// State, reason, attempts, category and code.
fn end(task: &Value) -> (String, String, usize, String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let attempts = task["attempts"].as_array().map_or(0, Vec::len);
    (
        text(&task["state"]),
        text(&task["reason"]),
        attempts,
        text(&task["error"]["category"]),
        text(&task["error"]["code"]),
    )
}

/// The end of a task whose failure is tried again, or is not.
fn dead(retryable: bool, category: &str, code: &str) -> (String, String, usize, String, String) {
    let (reason, attempts) = if retryable { ("max_attempts", 2) } else { ("permanent", 1) };
    ("dead".to_owned(), reason.to_owned(), attempts, category.to_owned(), code.to_owned())
}

#[test]
fn each_status_ends_a_task_as_its_class_says() {
    let api = Api::start();
    let (_folder, host) = host(&[api.url("")], "");
    let table = [
        (302, "http_error", false),
        (304, "http_error", false),
        (400, "bad_request", false),
        (401, "unauthorized", false),
        (403, "forbidden", false),
        (404, "not_found", false),
        (405, "method_not_allowed", false),
        (406, "client_error", false),
        (408, "request_timeout", true),
        (409, "conflict", false),
        (410, "gone", false),
        (418, "client_error", false),
        (422, "unprocessable_entity", false),
        (425, "client_error", false),
        (429, "rate_limited", true),
        (500, "internal_server_error", true),
        (501, "server_error", false),
        (502, "bad_gateway", true),
        (503, "service_unavailable", true),
        (504, "gateway_timeout", true),
        (505, "server_error", false),
    ];
    let submitted = table.map(|(status, code, retryable)| {
        let url = api.url(&format!("/status/{status}?token=sesame"));
        (status, code, retryable, submit(&host, &get(&url)))
    });
    for (status, code, retryable, id) in submitted {
        let task = host.client.ended(&id);
        let category = if retryable { "retryable" } else { "permanent" };
        assert_eq!(end(&task), dead(retryable, category, code), "{status}: {task:#}");
        assert_eq!(task["error"]["details"]["status"], status, "{task:#}");
        let message = format!("GET {}: answered {status} ({code})", api.url(""));
        assert!(task["error"]["message"].as_str().is_some_and(|text| text.starts_with(&message)), "{task:#}");
        assert!(!task["error"].to_string().contains("sesame"), "{task:#}");
        assert_eq!(api.asked(&format!("/status/{status}?token=sesame")).len(), 1 + usize::from(retryable), "{status}");
    }
    for (method, status) in [("GET", 200), ("POST", 201), ("DELETE", 204), ("HEAD", 200), ("PATCH", 299)] {
        let call = json!({ "method": method, "url": api.url(&format!("/status/{status}")) });
        let task = host.client.ended(&submit(&host, &call));
        assert_eq!((&task["state"], &task["result"]["status"]), (&json!("succeeded"), &json!(status)), "{task:#}");
    }
}

#[test]
fn a_retry_waits_as_long_as_it_was_asked_to_and_at_most_an_hour() {
    let api = Api::start();
    let (_folder, host) = host(&[api.url("")], "");
    let moment =
        |value: &Value| -> jiff::Timestamp { value.as_str().and_then(|text| text.parse().ok()).expect("a moment") };
    // A date has whole seconds, and the server's clock is read before the handler's.
    for (path, range) in [
        ("/after/1000", 999..=1000),
        ("/after/86400", 3599..=3600),
        ("/date/1000", 990..=1000),
        ("/date/86400", 3599..=3600),
    ] {
        let id = submit(&host, &get(&api.url(path)));
        let task = eventually("it waits", || {
            Some(host.client.task(&id)).filter(|task| task["attempts"].as_array().is_some_and(|tried| tried.len() == 1))
        });
        let waits = moment(&task["run_at"]).as_second() - moment(&task["attempts"][0]["ended_at"]).as_second();
        assert!(range.contains(&waits) || range.contains(&(waits - 1)), "{path}: {waits} s: {task:#}");
        assert!(!["succeeded", "dead"].contains(&task["state"].as_str().unwrap_or_default()), "{task:#}");
    }
    // What is over already leaves the wait to the back-off.
    for path in ["/after/0", "/after/soon"] {
        let task = host.client.ended(&submit(&host, &get(&api.url(path))));
        assert_eq!(end(&task), dead(true, "retryable", "service_unavailable"), "{task:#}");
    }
    let task = host.client.ended(&submit(&host, &get(&api.url("/once"))));
    assert_eq!((&task["state"], &task["result"]["body"]), (&json!("succeeded"), &json!("fine")), "{task:#}");
    let asked = api.asked("/once");
    assert!(asked.len() == 2 && asked[1] - asked[0] >= Duration::from_secs(1), "{asked:?}");
}

#[test]
fn broken_connections_and_time_outs_are_tried_again() {
    let api = Api::start();
    // An address that no other test listens on: nobody takes the port that is free again.
    let nobody = TcpListener::bind("127.77.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
    let nobody = format!("http://{nobody}");
    let (_folder, host) = host(&[api.url(""), nobody.clone()], "");
    let within = |path: &str| json!({ "method": "GET", "url": api.url(path), "timeout_ms": 300 });
    let submitted = [
        (get(&nobody), "retryable", "unavailable"),
        (get(&api.url("/closes")), "retryable", "unavailable"),
        (get(&api.url("/cut")), "retryable", "unavailable"),
        (get(&api.url("/no-http")), "retryable", "unavailable"),
        (within("/silent/1"), "timeout", "timed_out"),
        (within("/stops"), "timeout", "timed_out"),
        (within("/drips"), "timeout", "timed_out"),
        // The grant's own time.
        (get(&api.url("/silent/2")), "timeout", "timed_out"),
    ]
    .map(|(call, category, code)| (submit(&host, &call), call, category, code));
    for (id, call, category, code) in submitted {
        let task = host.client.ended(&id);
        assert_eq!(end(&task), dead(true, category, code), "{call}: {task:#}");
    }
}

#[test]
fn what_is_not_granted_is_denied_and_redirects_lead_nowhere() {
    let api = Api::start();
    let by_name = format!("http://localhost:{}", api.address.port());
    // Granted by name, but its address is not.
    let folder = Folder::with_settings(&format!(
        "[handler.api_handler.grants.http]\norigins = [{by_name:?}, {:?}]\n",
        "http://169.254.169.254"
    ));
    let component = places::handler("examples/api-handler", "api-handler");
    folder.drop_in("api_handler", &std::fs::read(component).expect("the component"));
    let host = folder.host();
    for url in [&by_name, "http://169.254.169.254/latest/meta-data", "https://example.com"] {
        let task = host.client.ended(&submit(&host, &get(url)));
        assert_eq!(end(&task), dead(false, "permanent", "denied"), "{url}: {task:#}");
    }
    assert!(api.asked("/").is_empty());
    assert_eq!(host.stop(), Some(0));

    let (_folder, host) = self::host(&[api.url("")], "");
    let task = host.client.ended(&submit(&host, &get(&api.url("/leads-away"))));
    assert_eq!(end(&task), dead(false, "permanent", "http_error"), "{task:#}");
    assert!(task["error"]["message"].as_str().is_some_and(|text| text.ends_with("redirects are not followed")));
    // One call, and none after it.
    assert_eq!(host.client.metric("delegate_calls_total{delegate=\"http\",result=\"ok\"}"), 1.0);
    let task = host.client.ended(&submit(&host, &json!({ "method": "OPTIONS", "url": api.url("/") })));
    assert_eq!(end(&task), dead(false, "permanent", "denied"), "{task:#}");
    let task = host.client.ended(&submit(&host, &get("ftp://sesame")));
    assert_eq!(end(&task), dead(false, "permanent", "invalid"), "{task:#}");
}

#[test]
fn bodies_of_any_length_are_sent_and_those_too_long_are_not_kept() {
    let api = Api::start();
    let (_folder, host) = host(&[api.url("")], "");
    let body = "x".repeat(900_000);
    let post = |path: &str| json!({ "method": "POST", "url": api.url(path), "body": body });
    let task = host.client.ended(&submit(&host, &post("/length")));
    assert_eq!(task["result"]["body"], "900002", "{:#}", task["error"]);
    // Who answers before it has all of it is heard.
    let task = host.client.ended(&submit(&host, &post("/early")));
    assert_eq!(end(&task), dead(false, "permanent", "client_error"), "{:#}", task["error"]);
    assert_eq!(task["error"]["details"]["status"], 413);
    let task = host.client.ended(&submit(&host, &get(&api.url("/big"))));
    assert_eq!(end(&task), dead(false, "permanent", "too_large"), "{:#}", task["error"]);
    // An explanation that is too long, or breaks off, does not hide the status.
    let task = host.client.ended(&submit(&host, &get(&api.url("/big/500"))));
    assert_eq!(end(&task), dead(true, "retryable", "internal_server_error"), "{:#}", task["error"]);
    let task = host.client.ended(&submit(&host, &get(&api.url("/cut/404"))));
    assert_eq!(end(&task), dead(false, "permanent", "not_found"), "{:#}", task["error"]);
}

#[test]
fn a_handler_that_asks_nobody_does_not_import_http() {
    for (workspace, name, imports) in
        [("examples/api-handler", "api-handler", true), ("examples/first-handler", "first-handler", false)]
    {
        let component = std::fs::read(places::handler(workspace, name)).expect("the component");
        let found = component.windows(10).any(|bytes| bytes == b"wasi:http/");
        assert_eq!(found, imports, "{name}");
    }
}
