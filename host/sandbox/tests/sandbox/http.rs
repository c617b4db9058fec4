//! `wasi:http` as a guest finds it, whoever sends its requests.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bulkhead_core::{Candidate, ChatRequest, Container, DelegateError, Device, Exit, Interruption, Job, Limit, RunEnd};
use bulkhead_sandbox::{DelegateAnswer, Delegates, HttpBody, HttpFailure, HttpProblem, HttpRequest, Stop};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, StreamBody};
use serde_json::Value;

use crate::harness::{Ears, Run};

/// Sends nothing: it answers what the test says, when the test says.
struct Answers<F> {
    asked: AtomicUsize,
    answer: F,
}

impl<F> Answers<F> {
    fn with(answer: F) -> Arc<Self> {
        Arc::new(Self { asked: AtomicUsize::new(0), answer })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// Answers at once.
fn answers(
    answer: impl Fn(HttpRequest) -> Sent + Send + Sync,
) -> Arc<Answers<impl Fn(HttpRequest) -> Sending + Send + Sync>> {
    Answers::with(move |request| -> Sending { Box::pin(std::future::ready(answer(request))) })
}

fn other<T: Send + 'static>() -> DelegateAnswer<T> {
    Box::pin(std::future::ready(Err(DelegateError::Denied("not asked for here".to_owned()))))
}

type Sent = Result<http::Response<HttpBody>, HttpFailure>;
type Sending = DelegateAnswer<http::Response<HttpBody>, HttpFailure>;

impl<F: Fn(HttpRequest) -> Sending + Send + Sync> Delegates for Answers<F> {
    fn run_container(&self, _: Container) -> DelegateAnswer<Exit> {
        other()
    }

    fn devices(&self) -> DelegateAnswer<Vec<Device>> {
        Box::pin(std::future::ready(Err(DelegateError::Gone("the lease is not confirmed".to_owned()))))
    }

    fn run_job(&self, _: Job) -> DelegateAnswer<Exit> {
        other()
    }

    fn generate(&self, _: ChatRequest) -> DelegateAnswer<Vec<Candidate>> {
        other()
    }

    fn send(&self, request: HttpRequest) -> Sending {
        self.asked.fetch_add(1, Ordering::SeqCst);
        (self.answer)(request)
    }
}

fn body(text: impl Into<Bytes>) -> HttpBody {
    Full::new(text.into()).map_err(|never| match never {}).boxed_unsync()
}

fn asks(words: &str, delegates: Option<Arc<dyn Delegates>>) -> Run {
    let mut run = Run::of("fetch").payload(format!("\"{words}\""));
    run.delegates = delegates;
    run
}

async fn told(run: &Run) -> Value {
    let result = run.result().await;
    serde_json::from_str(&result).unwrap_or_else(|error| panic!("{error}: {result}"))
}

#[tokio::test]
async fn without_a_grant_a_request_is_denied_and_the_log_names_the_setting() {
    let ears = Arc::new(Ears::default());
    let run = asks("GET http://example.com/", None).observed_by(&ears);
    assert_eq!(told(&run).await["error"], "ErrorCode::HttpRequestDenied");
    let heard = ears.heard();
    assert!(heard.iter().any(|line| line.contains("add [handler.fetch.grants.http]")), "{heard:?}");
}

#[tokio::test]
async fn at_load_and_in_dispatch_every_request_is_denied_and_nobody_is_asked() {
    // Were it not, the guest would call itself another kind, or decline the task.
    let answering = answers(|_| Ok(http::Response::new(body("hello"))));
    let run = asks("GET http://example.com/", Some(answering.clone()));
    assert_eq!(run.handler.kind().as_str(), "FETCH");
    assert_eq!(told(&run).await["text"], "hello");
    assert_eq!(answering.asked(), 1);
}

#[tokio::test]
async fn request_and_response_pass_as_they_are() {
    let seen = Arc::new(Mutex::new(None));
    let saw = Arc::clone(&seen);
    let answering = answers(move |request: HttpRequest| {
        *saw.lock().unwrap() = Some(request);
        Ok(http::Response::builder()
            .status(418)
            .header("x-mine", "yes")
            .header("connection", "close")
            .body(body("tea"))
            .unwrap())
    });
    let words = "PUT http://example.com:81/a?b=c x-a=1+2 host=evil te=trailers first_byte_ms=7";
    let told = told(&asks(words, Some(answering))).await;
    assert_eq!((&told["status"], &told["text"], &told["broken"]), (&418.into(), &"tea".into(), &Value::Null));
    // What is between neighbours stays with the host.
    assert_eq!(told["headers"], serde_json::json!({ "x-mine": "yes" }));
    assert_eq!(told["sent"], serde_json::json!(["x-a", "refused host", "refused te"]));
    let HttpRequest { request, patience } = seen.lock().unwrap().take().unwrap();
    assert_eq!((request.method().as_str(), request.uri().to_string().as_str()), ("PUT", "http://example.com:81/a?b=c"));
    assert_eq!(request.headers()["x-a"], "1 2");
    assert_eq!(request.headers()["host"], "example.com:81");
    assert_eq!(patience.first_byte, Some(std::time::Duration::from_millis(7)));
}

#[tokio::test]
async fn what_goes_wrong_reaches_the_guest_by_its_code_and_the_log_in_words() {
    for (problem, code) in [
        (HttpProblem::Denied, "HttpRequestDenied"),
        (HttpProblem::AddressDenied, "DestinationIpProhibited"),
        (HttpProblem::NoAddress, "DnsError"),
        (HttpProblem::Refused, "ConnectionRefused"),
        (HttpProblem::Unreachable, "DestinationUnavailable"),
        (HttpProblem::ConnectTimedOut, "ConnectionTimeout"),
        (HttpProblem::Certificate, "TlsCertificateError"),
        (HttpProblem::Tls, "TlsProtocolError"),
        (HttpProblem::Uri, "HttpRequestUriInvalid"),
        (HttpProblem::RequestHeaders, "HttpRequestHeaderSectionSize"),
        (HttpProblem::ResponseHeaders, "HttpResponseHeaderSectionSize"),
        (HttpProblem::TimedOut, "HttpResponseTimeout"),
        (HttpProblem::Silent, "ConnectionReadTimeout"),
        (HttpProblem::Busy, "ConnectionLimitReached"),
        (HttpProblem::Incomplete, "HttpResponseIncomplete"),
        (HttpProblem::Protocol, "HttpProtocolError"),
    ] {
        let answering = answers(move |_| Err(HttpFailure::new(problem, "because of something")));
        let ears = Arc::new(Ears::default());
        let run = asks("GET http://example.com/", Some(answering)).observed_by(&ears);
        let told = told(&run).await;
        assert!(told["error"].as_str().unwrap().contains(code), "{told}");
        assert!(ears.heard().iter().any(|line| line.starts_with("warn http: ")), "{:?}", ears.heard());
    }
}

#[tokio::test]
async fn a_body_that_breaks_says_how() {
    let answering = answers(|_| {
        let frames = [Ok(http_body::Frame::data(Bytes::from_static(b"begun"))), Err(HttpProblem::ResponseBody(5))];
        Ok(http::Response::new(StreamBody::new(futures::stream::iter(frames)).boxed_unsync()))
    });
    let told = told(&asks("GET http://example.com/", Some(answering))).await;
    assert_eq!((&told["text"], &told["length"]), (&"begun".into(), &5.into()));
    assert_eq!(told["broken"], "HTTP response body size exceeds limit: 5 bytes");
}

#[tokio::test]
async fn a_host_that_may_begin_nothing_interrupts_the_run() {
    let answering = answers(|_| Err(HttpFailure::new(HttpProblem::Gone, "the lease is not confirmed")));
    let end = asks("GET http://example.com/", Some(answering)).end().await;
    assert_eq!(end, RunEnd::Interrupted(Interruption::EngineGone));
}

#[tokio::test]
async fn each_byte_of_a_response_is_paid_for() {
    let fuel = |bytes: usize| async move {
        let answering = answers(move |_| Ok(http::Response::new(body(vec![b'x'; bytes]))));
        let report = asks("HEAD http://example.com/", Some(answering)).report().await;
        assert!(matches!(report.end, RunEnd::Completed(_)), "{:?}", report.end);
        report.fuel
    };
    let (little, much) = (fuel(0).await, fuel(1 << 20).await);
    assert!(much > little + (1 << 20), "{little} {much}");
    let answering = answers(|_| Ok(http::Response::new(body(vec![b'x'; 8 << 20]))));
    assert_eq!(asks("GET http://example.com/", Some(answering)).fuel(5_000_000).end().await, RunEnd::OutOfFuel);
}

#[tokio::test]
async fn each_byte_of_a_query_is_paid_for_as_one_of_a_path_is() {
    let fuel = |uri: String| async move {
        let answers = answers(|_| Ok(http::Response::new(body(""))));
        asks(&format!("GET http://example.com{uri}"), Some(answers)).report().await.fuel
    };
    let long = "x".repeat(20_000);
    let (path, query) = (fuel(format!("/a{long}")).await, fuel(format!("/?{long}")).await);
    assert!(path.abs_diff(query) < 10_000, "{path} {query}");
}

#[tokio::test]
async fn a_guest_holds_no_more_headers_and_bodies_than_it_may() {
    assert_eq!(asks("headers 100", None).result().await, "\"100 headers\"");
    assert_eq!(asks("headers 100000", None).end().await, RunEnd::LimitReached(Limit::HostCalls));
    assert_eq!(asks("bodies 100", None).result().await, "\"100 bodies\"");
    assert_eq!(asks("bodies 2000", None).end().await, RunEnd::LimitReached(Limit::Handles));
}

#[tokio::test]
async fn a_guest_that_looks_for_devices_while_nothing_may_begin_is_not_told_that_there_are_none() {
    let mut run = Run::of("delegates").payload("\"devices\"");
    run.delegates = Some(answers(|_| Err(HttpProblem::Denied.into())));
    assert_eq!(run.end().await, RunEnd::Interrupted(Interruption::EngineGone));
}

#[tokio::test]
async fn a_run_that_is_stopped_while_it_waits_for_a_response_is_over() {
    let mut run = asks("GET http://example.com/", None);
    let control = Arc::clone(&run.control);
    run.delegates = Some(Answers::with(move |_| -> Sending {
        control.stop(Stop::Cancel);
        Box::pin(std::future::pending())
    }));
    assert_eq!(run.end().await, RunEnd::Cancelled);
}
