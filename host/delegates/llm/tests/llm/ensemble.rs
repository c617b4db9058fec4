//! Which backend answers.

use bulkhead_core::{Caller, Traceparent};
use bulkhead_llm::{Llm, LlmGrant, TokenMeter};

use crate::server::{Server, Step, half};
use crate::{PATIENCE, ask, caller, each, grant, request, settings, told};

#[tokio::test]
async fn an_answer_comes_in_pieces_or_as_a_whole() {
    let pieces = Server::start([Step::Stream(&["hel", "lo ", "wörld"], Some((7, 3)))]).await;
    let whole = Server::start([Step::Whole("hello")]).await;
    let [one] = &ask(settings(&[("pieces", &pieces)]), 1).await.unwrap()[..] else { panic!("one") };
    assert_eq!((one.backend.as_str(), one.text.as_str()), ("pieces", "hello wörld"));
    assert_eq!((one.prompt_tokens, one.completion_tokens), (7, 3));
    let [one] = &ask(settings(&[("whole", &whole)]), 1).await.unwrap()[..] else { panic!("one") };
    assert_eq!((one.backend.as_str(), one.text.as_str(), one.completion_tokens), ("whole", "hello", 20));
    let [seen] = &pieces.seen()[..] else { panic!("one") };
    assert_eq!(seen.line, "POST /v1/chat/completions HTTP/1.1");
    assert_eq!(seen.authorization, None);
    assert_eq!(seen.body["model"], "model-of-pieces");
    assert_eq!(seen.body["stream_options"]["include_usage"], true);
    assert_eq!(seen.body["messages"], serde_json::json!([{ "role": "user", "content": "say hello" }]));
    assert!(seen.body.get("temperature").is_none());
}

#[tokio::test]
async fn a_backend_is_told_where_the_question_stands_in_its_trace() {
    let server = Server::start([Step::status(503), Step::Whole("x")]).await;
    let settings = settings(&[("a", &server)]);
    let (grant, llm) = (grant(&settings), Llm::new(settings).unwrap());
    let place = Traceparent::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").ok();
    for traceparent in [place, None] {
        let caller = Caller { traceparent, ..caller(PATIENCE) };
        llm.generate(&caller, &grant, 0, &TokenMeter::new(), request(1)).await.unwrap();
    }
    let told: Vec<_> = server.seen().into_iter().map(|seen| seen.traceparent).collect();
    let place = place.map(String::from);
    assert_eq!(told, [place.clone(), place, None], "each try of a call, and none where there is no trace");
}

#[tokio::test]
async fn what_goes_wrong_at_one_backend_is_answered_by_another() {
    let html = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>";
    for step in [
        Step::status(408),
        Step::status(429),
        Step::status(500),
        Step::status(503),
        Step::status(401),
        Step::status(403),
        Step::status(404),
        Step::status(400),
        Step::Raw(Vec::new()),
        Step::Raw(b"garbage\r\n\r\n".to_vec()),
        Step::Raw(html.into()),
        Step::Raw(half()),
    ] {
        let (bad, good) = (Server::start([step.clone()]).await, Server::start([Step::Whole("well")]).await);
        // The good one is asked first only where no other can be.
        let settings = each(settings(&[("bad", &bad), ("good", &good)]), |name, backend| {
            backend.weight = u32::from(name == "bad");
        });
        let candidates = ask(settings, 1).await.unwrap_or_else(|error| panic!("{step:?}: {error}"));
        assert_eq!(candidates[0].backend, "good", "{step:?}");
        assert_eq!((bad.counts().requests, good.counts().requests), (1, 1), "{step:?}");
    }
}

#[tokio::test]
async fn a_backend_that_nobody_listens_at_is_passed_over() {
    let gone = Server::start([Step::Whole("never")]).await;
    let mut both = settings(&[("gone", &gone)]);
    drop(gone);
    let text = told(ask(both.clone(), 1).await, "unavailable");
    assert!(text.contains("`gone`: it cannot be reached"), "{text}");
    let good = Server::start([Step::Whole("well")]).await;
    both.backends.extend(each(settings(&[("good", &good)]), |_, backend| backend.weight = 0).backends);
    assert_eq!(ask(both, 1).await.unwrap()[0].backend, "good");
}

#[tokio::test]
async fn a_failure_that_passes_is_tried_again_and_one_that_does_not_is_not() {
    let server = Server::start([Step::status(503), Step::status(500), Step::Whole("well")]).await;
    assert_eq!(ask(settings(&[("a", &server)]), 1).await.unwrap()[0].text, "well");
    assert_eq!(server.counts().requests, 3);

    let server = Server::start([Step::status(503)]).await;
    let text = told(ask(settings(&[("a", &server)]), 1).await, "unavailable");
    assert!(text.contains("4 of 4 tries") && text.contains("`a`: it answered 503"), "{text}");
    assert_eq!(server.counts().requests, 4);

    for status in [400, 401, 403, 404, 422] {
        let server = Server::start([Step::status(status)]).await;
        let text = told(ask(settings(&[("a", &server)]), 1).await, "failed");
        assert!(text.contains(&format!("`a`: it answered {status}")), "{text}");
        assert_eq!(server.counts().requests, 1);
    }
}

#[tokio::test]
async fn one_answer_of_many_is_enough() {
    let server = Server::start([Step::status(400), Step::Whole("well"), Step::status(400)]).await;
    assert_eq!(ask(settings(&[("a", &server)]), 5).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn backends_are_asked_in_proportion_to_their_weights() {
    let [light, heavy, spare] = [
        Server::start([Step::Whole("x")]).await,
        Server::start([Step::Whole("x")]).await,
        Server::start([Step::Whole("x")]).await,
    ];
    let settings = each(settings(&[("light", &light), ("heavy", &heavy), ("spare", &spare)]), |name, backend| {
        backend.weight = match name {
            "light" => 1,
            "heavy" => 3,
            _ => 0,
        };
        backend.concurrency = 64.try_into().unwrap();
    });
    let grant = LlmGrant { candidates: 64.try_into().unwrap(), ..grant(&settings) };
    let llm = Llm::new(settings).unwrap();
    for _ in 0..8 {
        let got = llm.generate(&caller(PATIENCE), &grant, 0, &TokenMeter::new(), request(64)).await.unwrap();
        assert_eq!(got.len(), 64);
    }
    // 384 of 512 are expected; the bounds are more than seven standard deviations away.
    let heavy = heavy.counts().requests;
    assert!((310..=455).contains(&heavy), "{heavy}");
    assert_eq!((light.counts().requests + heavy, spare.counts().requests), (512, 0));
}

#[tokio::test]
async fn a_model_is_asked_of_those_that_serve_it_alone() {
    let [one, other] = [Server::start([Step::Whole("x")]).await, Server::start([Step::Whole("x")]).await];
    let settings = settings(&[("one", &one), ("other", &other)]);
    let grant = grant(&settings);
    let llm = Llm::new(settings).unwrap();
    let request = bulkhead_core::ChatRequest {
        model: Some("model-of-other".to_owned()),
        temperature: Some(0.5),
        max_tokens: Some(12),
        ..request(8)
    };
    llm.generate(&caller(PATIENCE), &grant, 0, &TokenMeter::new(), request).await.unwrap();
    assert_eq!((one.counts().requests, other.counts().requests), (0, 8));
    assert_eq!((&other.seen()[0].body["temperature"], &other.seen()[0].body["max_tokens"]), (&0.5.into(), &12.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_requests_are_made_at_once_than_a_backend_has_slots() {
    let [narrow, wide] = [Server::start([Step::Gated]).await, Server::start([Step::Gated]).await];
    let settings = each(settings(&[("narrow", &narrow), ("wide", &wide)]), |name, backend| {
        backend.concurrency = if name == "narrow" { 1 } else { 3 }.try_into().unwrap();
    });
    let asking = tokio::spawn(ask(settings, 12));
    // All slots are used, and whoever waits takes the next that is free, at whichever backend.
    narrow.until(|counts| counts.now == 1).await;
    wide.until(|counts| counts.now == 3).await;
    wide.open(11);
    wide.until(|counts| counts.requests == 11).await;
    narrow.open(12);
    assert_eq!(asking.await.unwrap().unwrap().len(), 12);
    assert_eq!((narrow.counts().most, wide.counts().most), (1, 3));
    assert_eq!((narrow.counts().requests, wide.counts().requests), (1, 11));
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let server = Server::start([Step::Stream(&["x"], Some((1, 1))), Step::Whole("x")]).await;
    let settings = settings(&[("a", &server)]);
    let grant = grant(&settings);
    let llm = Llm::new(settings).unwrap();
    for _ in 0..4 {
        llm.generate(&caller(PATIENCE), &grant, 0, &TokenMeter::new(), request(1)).await.unwrap();
    }
    assert_eq!((server.counts().requests, server.counts().connections), (4, 1));
}
