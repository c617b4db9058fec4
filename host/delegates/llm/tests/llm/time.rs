//! Deadlines, time-outs, and how long backends are left alone.

use std::time::{Duration, Instant, SystemTime};

use bulkhead_core::{DelegateError, Span};
use bulkhead_llm::{Llm, TokenMeter};

use crate::server::{Server, Step, half};
use crate::{PATIENCE, ask, caller, each, grant, request, settings, told};

fn asked_to_wait(status: u16, wait: String) -> Step {
    Step::Status(status, vec![("Retry-After", wait)], String::new())
}

#[tokio::test]
async fn a_backend_is_left_alone_for_as_many_seconds_as_it_asks_for() {
    let server = Server::start([asked_to_wait(429, "1".to_owned()), Step::Whole("x")]).await;
    let before = Instant::now();
    ask(settings(&[("a", &server)]), 1).await.unwrap();
    assert!(before.elapsed() >= Duration::from_secs(1));
    assert_eq!(server.counts().requests, 2);
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the backend names a date")]
async fn a_backend_is_left_alone_until_the_date_it_names() {
    let date = SystemTime::now() + Duration::from_secs(3);
    let server = Server::start([asked_to_wait(503, httpdate::fmt_http_date(date)), Step::Whole("x")]).await;
    ask(settings(&[("a", &server)]), 1).await.unwrap();
    // A date has no parts of a second.
    assert!(SystemTime::now() + Duration::from_secs(1) >= date);
    assert_eq!(server.counts().requests, 2);
}

#[tokio::test]
async fn a_wait_that_the_attempt_has_no_time_for_is_not_waited_for() {
    let server = Server::start([asked_to_wait(429, "300".to_owned())]).await;
    let settings = settings(&[("a", &server)]);
    let (grant, llm) = (grant(&settings), Llm::new(settings).unwrap());
    let before = Instant::now();
    for _ in 0..2 {
        let text =
            told(llm.generate(&caller(PATIENCE), &grant, 0, &TokenMeter::new(), request(1)).await, "unavailable");
        assert!(text.contains("`a`:") && text.contains("it asks to be left alone for"), "{text}");
    }
    assert!(before.elapsed() < PATIENCE);
    assert_eq!(server.counts().requests, 1, "it is not asked again by the next call either");
}

#[tokio::test]
async fn who_waits_for_a_slot_leaves_a_backend_alone_that_has_asked_for_it_meanwhile() {
    let server = Server::start([asked_to_wait(429, "300".to_owned()), Step::Whole("x")]).await;
    let settings = each(settings(&[("a", &server)]), |_, backend| backend.concurrency = 1.try_into().unwrap());
    let text = told(ask(settings, 3).await, "unavailable");
    assert!(text.contains("it asks to be left alone for"), "{text}");
    assert_eq!(server.counts().requests, 1);
}

#[tokio::test]
async fn one_that_asks_to_be_left_alone_leaves_the_others_to_be_asked() {
    let [alone, good] =
        [Server::start([asked_to_wait(429, "300".to_owned())]).await, Server::start([Step::Whole("x")]).await];
    let settings = each(settings(&[("alone", &alone), ("good", &good)]), |name, backend| {
        backend.weight = u32::from(name == "alone");
    });
    let (grant, llm) = (grant(&settings), Llm::new(settings).unwrap());
    for _ in 0..3 {
        llm.generate(&caller(PATIENCE), &grant, 0, &TokenMeter::new(), request(1)).await.unwrap();
    }
    assert_eq!((alone.counts().requests, good.counts().requests), (1, 3));
}

#[tokio::test]
async fn the_deadline_ends_a_call_and_its_connections() {
    for step in [Step::Hang(Vec::new()), Step::Hang(half())] {
        let server = Server::start([step]).await;
        let settings = settings(&[("a", &server)]);
        let (grant, llm, meter) = (grant(&settings), Llm::new(settings).unwrap(), TokenMeter::new());
        let result = llm.generate(&caller(Duration::from_millis(300)), &grant, 0, &meter, request(3)).await;
        assert_eq!(result, Err(DelegateError::TimedOut));
        server.until(|counts| counts.closed == 3).await;
        assert!(meter.spent() >= 3 * 7, "the backend may have worked all the while");
        let late = llm.generate(&caller(Duration::ZERO), &grant, 0, &meter, request(1)).await;
        assert_eq!(late, Err(DelegateError::TimedOut));
        assert_eq!(server.counts().requests, 3);
    }
}

#[tokio::test]
async fn a_try_that_takes_too_long_is_made_elsewhere() {
    for (step, told_so) in
        [(Step::Hang(Vec::new()), "said nothing within 0.1 s"), (Step::Hang(half()), "was not done within")]
    {
        let [slow, good] = [Server::start([step]).await, Server::start([Step::Whole("x")]).await];
        let both = each(settings(&[("slow", &slow), ("good", &good)]), |name, backend| {
            if name == "slow" {
                backend.timeout = Span::from_millis(100);
            } else {
                backend.weight = 0;
            }
        });
        assert_eq!(ask(both.clone(), 1).await.unwrap()[0].backend, "good");
        slow.until(|counts| counts.closed == 1).await;
        let mut alone = both;
        alone.backends.remove("good");
        alone.retries = 1.try_into().unwrap();
        let text = told(ask(alone, 1).await, "unavailable");
        assert!(text.contains(told_so), "{text}");
    }
}

#[tokio::test]
async fn one_that_never_answers_leaves_another_its_share_of_the_time_whatever_its_own_time_out() {
    for (step, told_so) in [(Step::Hang(Vec::new()), "nothing within"), (Step::Hang(half()), "nothing more for")] {
        let [slow, ill, good] = [[step].to_vec(), vec![Step::status(503)], vec![Step::Whole("x")]].map(Server::start);
        let (slow, ill, good) = tokio::join!(slow, ill, good);
        let all = each(settings(&[("good", &good), ("ill", &ill), ("slow", &slow)]), |name, backend| {
            backend.weight = u32::from(name == "slow");
        });
        let mut hopeless = all.clone();
        hopeless.backends.remove("good");
        hopeless.retries = 2.try_into().unwrap();
        for (settings, fares) in [(all, true), (hopeless, false)] {
            let (grant, llm) = (grant(&settings), Llm::new(settings).unwrap());
            let within = caller(Duration::from_millis(1_500));
            let answer = llm.generate(&within, &grant, 0, &TokenMeter::new(), request(1)).await;
            if fares {
                assert_eq!(answer.unwrap()[0].backend, "good");
            } else {
                let text = told(answer, "unavailable");
                assert!(text.contains(told_so) && text.contains("its share of the time"), "{text}");
            }
        }
    }
}

#[tokio::test]
async fn one_that_is_silent_until_the_run_is_over_rests_where_that_was_long() {
    let server = Server::start([Step::Hang(Vec::new())]).await;
    let mut settings = settings(&[("a", &server)]);
    settings.failures = 1.try_into().unwrap();
    let (grant, llm, meter) = (grant(&settings), Llm::new(settings).unwrap(), TokenMeter::new());
    let short = llm.generate(&caller(Duration::from_millis(100)), &grant, 0, &meter, request(1)).await;
    assert_eq!(short, Err(DelegateError::TimedOut));
    let caller = caller(PATIENCE);
    let long = tokio::select! {
        ended = llm.generate(&caller, &grant, 0, &meter, request(1)) => ended,
        () = async {
            server.until(|counts| counts.requests == 2).await;
            tokio::time::pause();
            tokio::time::advance(PATIENCE).await;
            std::future::pending().await
        } => unreachable!(),
    };
    assert_eq!(long, Err(DelegateError::TimedOut));
    tokio::time::resume();
    let caller = crate::caller(3 * PATIENCE);
    let text = told(llm.generate(&caller, &grant, 0, &meter, request(1)).await, "unavailable");
    assert!(text.contains("it rests after failures in a row"), "{text}");
    assert_eq!(server.counts().requests, 2);
}

#[tokio::test]
async fn a_call_that_is_dropped_closes_its_connection_and_frees_its_slot() {
    let server = Server::start([Step::Hang(half()), Step::Hang(Vec::new()), Step::Whole("x")]).await;
    let settings = each(settings(&[("a", &server)]), |_, backend| backend.concurrency = 1.try_into().unwrap());
    let (grant, llm, caller) = (grant(&settings), Llm::new(settings).unwrap(), caller(PATIENCE));
    for round in 1..=2 {
        let meter = TokenMeter::new();
        tokio::select! {
            ended = llm.generate(&caller, &grant, 0, &meter, request(2)) => panic!("{ended:?}"),
            () = server.until(|counts| counts.requests == round) => {}
        }
        server.until(|counts| counts.closed == round).await;
        assert!(meter.spent() >= 7);
    }
    llm.generate(&caller, &grant, 0, &TokenMeter::new(), request(2)).await.unwrap();
}
