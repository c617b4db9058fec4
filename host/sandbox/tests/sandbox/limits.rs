//! What a guest may hold and say.

use std::sync::Arc;

use bulkhead_core::{Limit, RunEnd, Size};

use crate::harness::{Ears, Run};

#[tokio::test]
async fn memory_beyond_the_limit_is_a_limit_and_no_trap() {
    let report = Run::of("eat_memory").memory(Size::from_mib(16)).report().await;
    assert_eq!(report.end, RunEnd::LimitReached(Limit::Memory));
    assert!(report.peak_memory <= 16 << 20 && report.peak_memory > 8 << 20, "{}", report.peak_memory);
}

#[tokio::test]
async fn memory_beyond_what_the_pool_has_is_the_same_limit() {
    let end = Run::of("eat_memory").memory(Size::from_mib(4096)).end().await;
    assert_eq!(end, RunEnd::LimitReached(Limit::Memory));
}

#[tokio::test]
async fn a_sandbox_that_cannot_even_begin_is_the_same_limit() {
    let end = Run::of("noop").memory(Size::from_kib(64)).end().await;
    assert_eq!(end, RunEnd::LimitReached(Limit::Memory));
}

#[tokio::test]
async fn memory_within_the_limit_is_given() {
    let report = Run::of("take_memory").payload(20).report().await;
    assert!(matches!(report.end, RunEnd::Completed(_)), "{:?}", report.end);
    assert!(report.peak_memory > 20 << 20);
}

#[tokio::test]
async fn recursion_without_end_is_a_trap() {
    let end = Run::of("deep_recursion").end().await;
    assert!(matches!(&end, RunEnd::Trapped { code, .. } if code == "stack overflow"), "{end:?}");
}

#[tokio::test]
async fn logs_beyond_the_bound_are_dropped_and_counted() {
    let ears = Arc::new(Ears::default());
    let mut run = Run::of("log_flood").payload(100).observed_by(&ears);
    run.limits.logs = Size::from_kib(10);
    let report = run.report().await;
    assert!(matches!(report.end, RunEnd::Completed(_)), "{:?}", report.end);
    let heard = ears.heard().len();
    assert!((8..=10).contains(&heard), "{heard}");
    assert!(report.dropped_log_bytes >= 90 << 10, "{}", report.dropped_log_bytes);
}

#[tokio::test]
async fn whatever_a_guest_says_is_heard_escaped_and_line_by_line() {
    let ears = Arc::new(Ears::default());
    Run::of("says").observed_by(&ears).result().await;
    assert_eq!(
        ears.heard(),
        [
            r#"warn one\nline \u{1b}[31m\u{0} {"a":1}"#,
            "info out {}",
            "half half way Some(0.5) {}",
            "cart_emptied {}",
            "warn no line end {}",
        ]
    );
}

#[tokio::test]
async fn an_audit_code_that_is_no_code_is_invalid() {
    let end = Run::of("bad_audit").end().await;
    assert!(matches!(&end, RunEnd::Invalid(why) if why.starts_with("context.audit: code")), "{end:?}");
}
