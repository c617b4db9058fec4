//! What a guest answers is what the host reports.

use std::time::Duration;

use bulkhead_core::{BatchPlan, Category, Due, Limit, RunEnd, Size, Span};

use crate::harness::Run;

#[tokio::test]
async fn a_payload_comes_back_byte_for_byte() {
    let payload = " {\"b\": 1.00, \"ä\":[1e2] , \"b\":2} ";
    assert_eq!(Run::of("echo").payload(payload).result().await, payload);
}

#[tokio::test]
async fn a_run_reports_what_it_used() {
    let report = Run::of("noop").report().await;
    let RunEnd::Completed(completion) = report.end else { panic!("{:?}", report.end) };
    assert_eq!((completion.result.as_str(), completion.metadata.as_str(), completion.then.len()), ("null", "{}", 0));
    assert!(report.fuel > 100 && report.fuel < 1_000_000, "{}", report.fuel);
    assert!(report.peak_memory >= 64 << 10, "{}", report.peak_memory);
    assert!(report.elapsed > Duration::ZERO);
}

#[tokio::test]
async fn the_same_run_costs_the_same_fuel() {
    let run = Run::of("echo").payload("[1,2,3]");
    assert_eq!(run.report().await.fuel, run.report().await.fuel);
}

#[tokio::test]
async fn a_failure_comes_through_and_is_bounded() {
    let RunEnd::Failed(failure) = Run::of("fail").end().await else { panic!("no failure") };
    assert_eq!(
        (failure.category, failure.code.as_str(), failure.message.len()),
        (Category::Validation, "EMPTY_CART", 9)
    );
    assert!(failure.retryable);
    assert_eq!(failure.retry_after, Some(Duration::from_millis(1500)));
    assert_eq!(failure.details.as_str(), r#"{"items":0}"#);
    let RunEnd::Failed(long) = Run::of("fail").payload(1 << 20).end().await else { panic!("no failure") };
    assert!(long.message.len() < 10_000, "{}", long.message.len());
}

#[tokio::test]
async fn a_skip_and_a_false_dispatch_decline() {
    assert_eq!(Run::of("skip").end().await, RunEnd::Declined("not today".to_owned()));
    assert_eq!(Run::of("dispatch_false").end().await, RunEnd::Declined("dispatch".to_owned()));
}

#[tokio::test]
async fn a_checkpoint_keeps_state_and_progress() {
    let RunEnd::Checkpointed(checkpoint) = Run::of("checkpoint").end().await else { panic!("no checkpoint") };
    assert_eq!(checkpoint.state.as_str(), r#"{"page":7}"#);
    assert_eq!((checkpoint.processed, checkpoint.total), (7, Some(9)));
}

#[tokio::test]
async fn children_are_held_to_the_rules_of_a_submission() {
    let RunEnd::Completed(completion) = Run::of("then_children").payload("\"RENDER\"").end().await else {
        panic!("not completed")
    };
    assert_eq!(completion.metadata.as_str(), r#"{"m":1}"#);
    let [first, second] = &completion.then[..] else { panic!("{:?}", completion.then) };
    assert_eq!((first.name.as_deref(), second.name.as_deref()), (Some("first"), None));
    assert_eq!(first.task.route.kind.as_str(), "RENDER");
    assert_eq!(first.task.route.requires.to_string(), "cpu llm");
    assert_eq!(first.task.payload.as_str(), r#"{"of":"parent"}"#);
    assert_eq!(first.task.due, Due::After(Duration::from_millis(1500)));
    let extras = first.task.extras.as_ref().unwrap();
    assert_eq!((extras.key.as_deref(), extras.options.timeout), (Some("key-1"), Some(Span::from_secs(5))));

    let end = Run::of("then_children").payload("\"two words\"").end().await;
    assert!(matches!(&end, RunEnd::Invalid(why) if why.starts_with("then[0]: kind must be")), "{end:?}");
}

#[tokio::test]
async fn a_result_over_its_bound_is_a_limit_and_bad_json_is_invalid() {
    assert_eq!(Run::of("big_result").payload(1000).result().await.len(), 1002);
    for bytes in [1 << 20, 40 << 20] {
        let run = Run::of("big_result").payload(bytes).memory(Size::from_mib(200));
        assert_eq!(run.end().await, RunEnd::LimitReached(Limit::Result), "{bytes}");
    }
    let end = Run::of("bad_json").end().await;
    assert!(matches!(&end, RunEnd::Invalid(why) if why.starts_with("result: not valid JSON")), "{end:?}");
}

#[tokio::test]
async fn ranges_come_as_they_were_cut_and_one_that_ends_before_it_starts_is_refused() {
    let end = Run::of("cuts").payload(3).end().await;
    let RunEnd::Batched(plan) = end else { panic!("{end:?}") };
    let cut: Vec<_> =
        plan.cursors.iter().map(|cursor| (cursor.start, cursor.end, cursor.metadata.to_string())).collect();
    assert_eq!(cut[2], (20, 30, "{\"number\":2}".to_owned()));
    assert_eq!((cut.len(), plan.result.as_str()), (3, "\"cut\""));
    assert_eq!(BatchPlan::kept_cursors(&plan.clone().with_cursors_kept().metadata), plan.cursors);
    let end = Run::of("cuts").payload("\"backwards\"").end().await;
    assert!(matches!(&end, RunEnd::Invalid(why) if why == "cursors[0]: ends at 1, before it starts at 2"), "{end:?}");
    let end = Run::of("cuts").payload(10_001).end().await;
    assert!(matches!(&end, RunEnd::Invalid(why) if why.contains("10001; the limit is 10000")), "{end:?}");
}

#[tokio::test]
async fn a_decision_names_what_it_chose() {
    let end = Run::of("chooses").payload("\"left,right\"").end().await;
    let RunEnd::Decided(decision) = end else { panic!("{end:?}") };
    assert_eq!((decision.steps, decision.result.as_str()), (vec!["left".to_owned(), "right".to_owned()], "\"chosen\""));
    let names: Vec<String> = (0..101).map(|number| format!("s{number}")).collect();
    let end = Run::of("chooses").payload(format!("\"{}\"", names.join(","))).end().await;
    assert!(matches!(&end, RunEnd::Invalid(why) if why.contains("101 steps are chosen; the limit is 100")), "{end:?}");
}

#[tokio::test]
async fn a_panic_is_a_trap_that_names_the_functions() {
    let end = Run::of("panic").end().await;
    let RunEnd::Trapped { code, backtrace } = end else { panic!("{end:?}") };
    assert_eq!(code, "unreachable");
    assert!(backtrace.contains("burst"), "{backtrace}");
    assert!(backtrace.len() < 5000);
}
