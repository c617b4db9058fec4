//! Backends that rest, and how they are looked at.

use std::time::Instant;

use bulkhead_core::Span;
use bulkhead_llm::{Llm, TokenMeter};

use crate::server::{Server, Step};
use crate::{PATIENCE, caller, each, grant, request, settings, told};

#[tokio::test]
async fn a_backend_that_keeps_failing_rests_and_is_not_asked() {
    let server = Server::start([Step::status(503), Step::status(503), Step::Whole("x")]).await;
    let mut settings = settings(&[("a", &server)]);
    settings.failures = 2.try_into().unwrap();
    settings.rest = Span::from_secs(3_600);
    let (grant, llm) = (grant(&settings), Llm::new(settings).unwrap());
    for _ in 0..3 {
        let text =
            told(llm.generate(&caller(PATIENCE), &grant, 0, &TokenMeter::new(), request(1)).await, "unavailable");
        assert!(text.contains("`a`:") && text.contains("is tried again in 3"), "{text}");
    }
    assert_eq!(server.counts().requests, 2);
}

#[tokio::test]
async fn after_its_rest_a_backend_is_asked_again() {
    let server = Server::start([Step::status(503), Step::Whole("x")]).await;
    let mut settings = settings(&[("a", &server)]);
    settings.failures = 1.try_into().unwrap();
    let rest = Span::from_millis(20);
    settings.rest = rest;
    let (grant, llm) = (grant(&settings), Llm::new(settings).unwrap());
    let meter = TokenMeter::new();
    told(llm.generate(&caller(PATIENCE), &grant, 0, &meter, request(1)).await, "unavailable");
    let rested = Instant::now() + rest.duration();
    while Instant::now() < rested {
        tokio::task::yield_now().await;
    }
    // One tries, and the others wait for what becomes of it.
    let candidates = llm.generate(&caller(PATIENCE), &grant, 0, &meter, request(4)).await.unwrap();
    assert_eq!(candidates.len(), 4);
    assert_eq!(server.counts().requests, 5);
}

#[tokio::test]
async fn a_try_that_is_dropped_lets_another_try_whether_the_backend_is_well() {
    let server = Server::start([Step::status(503), Step::Hang(Vec::new()), Step::Whole("x")]).await;
    let mut settings = settings(&[("a", &server)]);
    settings.failures = 1.try_into().unwrap();
    settings.rest = Span::from_millis(1);
    settings.retries = 1.try_into().unwrap();
    let (grant, llm, caller) = (grant(&settings), Llm::new(settings).unwrap(), caller(PATIENCE));
    let meter = TokenMeter::new();
    told(llm.generate(&caller, &grant, 0, &meter, request(1)).await, "unavailable");
    let tried = async {
        loop {
            let ended = llm.generate(&caller, &grant, 0, &meter, request(1)).await;
            assert!(ended.is_err());
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = tried => {}
        () = server.until(|counts| counts.requests == 2) => {}
    }
    llm.generate(&caller, &grant, 0, &meter, request(1)).await.unwrap();
}

#[tokio::test]
async fn what_a_handler_can_bring_about_makes_no_backend_rest() {
    for status in [400, 401, 403, 404, 408, 429] {
        let server = Server::start([Step::status(status), Step::status(status), Step::Whole("x")]).await;
        let mut settings = settings(&[("a", &server)]);
        settings.failures = 1.try_into().unwrap();
        settings.retries = 1.try_into().unwrap();
        let (grant, llm) = (grant(&settings), Llm::new(settings).unwrap());
        for good in [false, false, true] {
            let result = llm.generate(&caller(PATIENCE), &grant, 0, &TokenMeter::new(), request(1)).await;
            assert_eq!(result.is_ok(), good, "{status}: {result:?}");
        }
    }
}

#[tokio::test]
async fn a_look_says_of_each_backend_whether_it_is_there() {
    let [well, odd, keyless, ill] = [200, 404, 401, 500].map(|status| Server::start([Step::status(status)]));
    let (well, odd, keyless, ill) = tokio::join!(well, odd, keyless, ill);
    let gone = Server::start([Step::status(200)]).await;
    let mute = Server::start([Step::Hang(Vec::new())]).await;
    let settings = settings(&[
        ("gone", &gone),
        ("ill", &ill),
        ("keyless", &keyless),
        ("mute", &mute),
        ("odd", &odd),
        ("well", &well),
    ]);
    let key = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&key, "sk-sesame").unwrap();
    let settings = each(settings, |name, backend| {
        backend.key = (name == "well").then(|| bulkhead_llm::KeyPlace::new(&format!("file:{}", key.path().display())));
    });
    drop(gone);
    let found = Llm::new(settings).unwrap().probe().await;
    let names: Vec<&str> = found.iter().map(|health| health.backend.as_str()).collect();
    assert_eq!(names, ["gone", "ill", "keyless", "mute", "odd", "well"]);
    let why = |index: usize| found[index].state.clone().err().unwrap_or_default();
    assert!(why(0).contains("cannot be reached") && why(1).contains("500"), "{found:?}");
    assert!(why(2).contains("401") && why(2).contains("`key`") && why(3).contains("within 3 s"), "{found:?}");
    assert_eq!((&found[4].state, &found[5].state), (&Ok(()), &Ok(())));
    assert_eq!(well.seen()[0].line, "GET /v1/models HTTP/1.1");
    assert_eq!(well.seen()[0].authorization.as_deref(), Some("Bearer sk-sesame"));
}
