//! The tokens of a task.

use bulkhead_core::ChatRequest;
use bulkhead_llm::{LimitField, Llm, LlmGrant, LlmMetrics, TokenMeter};

use crate::server::{Server, Step, half};
use crate::{PATIENCE, caller, each, grant, request, settings, told};

#[tokio::test]
async fn a_budget_is_used_up_over_several_calls_and_then_denied() {
    let server = Server::start([Step::Whole("x")]).await;
    let settings = settings(&[("a", &server)]);
    let grant = LlmGrant { tokens: 120, ..grant(&settings) };
    let llm = Llm::new(settings).unwrap();
    let mut spent = 0;
    for _ in 0..3 {
        let meter = TokenMeter::new();
        llm.generate(&caller(PATIENCE), &grant, spent, &meter, request(1)).await.unwrap();
        assert_eq!(meter.spent(), 50);
        spent += meter.spent();
        // The next attempt of the task may have less.
        if spent == 100 {
            let most = server.seen().last().unwrap().body["max_tokens"].as_u64().unwrap();
            assert_eq!(most, 120 - 50 - 7);
        }
    }
    let meter = TokenMeter::new();
    let text = told(llm.generate(&caller(PATIENCE), &grant, spent, &meter, request(1)).await, "denied");
    assert!(text.contains("`handler.poet.grants.llm.tokens`") && text.contains("150"), "{text}");
    // The same where one meter goes through all calls.
    meter.add(spent);
    told(llm.generate(&caller(PATIENCE), &grant, 0, &meter, request(1)).await, "denied");
    assert_eq!(server.counts().requests, 3);
}

#[tokio::test]
async fn candidates_share_what_is_left() {
    let server = Server::start([Step::Whole("x")]).await;
    let settings = settings(&[("a", &server)]);
    let grant = LlmGrant { tokens: 1_000, ..grant(&settings) };
    let llm = Llm::new(settings).unwrap();
    let meter = TokenMeter::new();
    llm.generate(&caller(PATIENCE), &grant, 200, &meter, request(4)).await.unwrap();
    assert_eq!(meter.spent(), 200);
    assert!(server.seen().iter().all(|seen| seen.body["max_tokens"] == 800 / 4 - 7));
    let wanted = ChatRequest { max_tokens: Some(50), ..request(2) };
    llm.generate(&caller(PATIENCE), &grant, 0, &meter, wanted).await.unwrap();
    assert_eq!(server.seen().last().unwrap().body["max_tokens"], 50);
}

#[tokio::test]
async fn a_backend_is_told_no_longer_answer_than_its_model_gives_in_the_field_that_it_knows() {
    let server = Server::start([Step::Whole("x")]).await;
    let settings = each(settings(&[("a", &server)]), |_, backend| {
        backend.max_tokens = Some(40.try_into().unwrap());
        backend.limit_field = LimitField::MaxCompletionTokens;
    });
    let (grant, llm) = (grant(&settings), Llm::new(settings).unwrap());
    for (wanted, told) in [(None, 40), (Some(50), 40), (Some(30), 30)] {
        let request = ChatRequest { max_tokens: wanted, ..request(1) };
        llm.generate(&caller(PATIENCE), &grant, 0, &TokenMeter::new(), request).await.unwrap();
        let body = server.seen().last().unwrap().body.clone();
        assert_eq!((&body["max_completion_tokens"], body.get("max_tokens")), (&told.into(), None));
    }
}

#[tokio::test]
async fn where_no_usage_is_reported_a_quarter_of_the_bytes_counts() {
    let server = Server::start([Step::Stream(&["01234567", "89"], None)]).await;
    let settings = settings(&[("a", &server)]);
    let (grant, llm, meter) = (grant(&settings), Llm::new(settings).unwrap(), TokenMeter::new());
    let got = llm.generate(&caller(PATIENCE), &grant, 0, &meter, request(1)).await.unwrap();
    assert_eq!((got[0].prompt_tokens, got[0].completion_tokens, meter.spent()), (7, 3, 10));
}

#[tokio::test]
async fn a_number_that_no_answer_has_is_counted_as_the_largest_and_no_counter_goes_back() {
    let server = Server::start([Step::Stream(&["x"], Some((u64::MAX, u64::MAX)))]).await;
    let settings = settings(&[("a", &server)]);
    let (grant, meter) = (grant(&settings), TokenMeter::new());
    let registry = prometheus::Registry::new();
    let llm = Llm::new(settings).unwrap().with_metrics(LlmMetrics::register(&registry).unwrap());
    for _ in 0..2 {
        llm.generate(&caller(PATIENCE), &grant, 0, &TokenMeter::new(), request(1)).await.unwrap();
    }
    llm.generate(&caller(PATIENCE), &grant, 0, &meter, request(1)).await.unwrap();
    assert_eq!(meter.spent(), 2 * u64::from(u32::MAX));
    let metrics = prometheus::TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
    let line =
        format!("llm_tokens_total{{backend=\"a\",direction=\"prompt\",handler=\"poet\"}} {}", 3 * u64::from(u32::MAX));
    assert!(metrics.lines().any(|found| found == line), "{line}\n{metrics}");
}

#[tokio::test]
async fn half_an_answer_counts_and_a_refusal_does_not() {
    let server = Server::start([Step::Raw(half()), Step::status(503), Step::status(400)]).await;
    let settings = settings(&[("a", &server)]);
    let (grant, meter) = (grant(&settings), TokenMeter::new());
    let registry = prometheus::Registry::new();
    let llm = Llm::new(settings).unwrap().with_metrics(LlmMetrics::register(&registry).unwrap());
    told(llm.generate(&caller(PATIENCE), &grant, 0, &meter, request(1)).await, "failed");
    // The question, and the 15 bytes that came.
    assert_eq!(meter.spent(), 7 + 4);
    let metrics = prometheus::TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
    for line in [
        "llm_tokens_total{backend=\"a\",direction=\"prompt\",handler=\"poet\"} 7",
        "llm_tokens_total{backend=\"a\",direction=\"completion\",handler=\"poet\"} 4",
        "llm_calls_total{backend=\"a\",outcome=\"broken\"} 1",
        "llm_calls_total{backend=\"a\",outcome=\"server_error\"} 1",
        "llm_calls_total{backend=\"a\",outcome=\"refused\"} 1",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line}\n{metrics}");
    }
}

#[tokio::test]
async fn a_question_counts_unless_there_was_never_a_connection() {
    let server = Server::start([Step::Raw(Vec::new())]).await;
    let mut settings = settings(&[("a", &server)]);
    settings.retries = 1.try_into().unwrap();
    let (grant, llm, meter) = (grant(&settings), Llm::new(settings).unwrap(), TokenMeter::new());
    let text = told(llm.generate(&caller(PATIENCE), &grant, 0, &meter, request(1)).await, "unavailable");
    assert!(text.contains("broke off"), "{text}");
    assert_eq!(meter.spent(), 7, "it may have been worked on");
    drop(server);
    let text = told(llm.generate(&caller(PATIENCE), &grant, 0, &meter, request(1)).await, "unavailable");
    assert!(text.contains("cannot be reached"), "{text}");
    assert_eq!(meter.spent(), 7);
}

#[tokio::test]
async fn tries_that_use_up_the_budget_are_the_last() {
    let server = Server::start([Step::Raw(half())]).await;
    let settings = settings(&[("a", &server)]);
    let (grant, meter) = (LlmGrant { tokens: 20, ..grant(&settings) }, TokenMeter::new());
    let llm = Llm::new(settings).unwrap();
    let text = told(llm.generate(&caller(PATIENCE), &grant, 0, &meter, request(1)).await, "denied");
    assert!(text.contains("grants.llm.tokens") && text.contains("broke off"), "{text}");
    assert_eq!((meter.spent(), server.counts().requests), (20, 2));
}

#[tokio::test]
async fn what_was_used_is_known_after_the_call_was_dropped() {
    let [quick, slow] = [Server::start([Step::Whole("x")]).await, Server::start([Step::Hang(half())]).await];
    let settings = each(settings(&[("quick", &quick), ("slow", &slow)]), |_, backend| {
        backend.concurrency = 1.try_into().unwrap();
    });
    let (grant, llm) = (grant(&settings), Llm::new(settings).unwrap());
    let meter = TokenMeter::new();
    let caller = caller(PATIENCE);
    let mut asking = Box::pin(llm.generate(&caller, &grant, 0, &meter, request(4)));
    tokio::select! {
        ended = &mut asking => panic!("{ended:?}"),
        // Three are answered by the quick one, for 50 tokens each; the fourth hangs.
        () = async {
            slow.until(|counts| counts.now == 1).await;
            quick.until(|counts| counts.requests == 3 && counts.now == 0).await;
            while meter.spent() < 150 { tokio::task::yield_now().await; }
        } => {}
    }
    drop(asking);
    let spent = meter.spent();
    assert!((157..=161).contains(&spent), "{spent}");
    slow.until(|counts| counts.closed == 1).await;
}
