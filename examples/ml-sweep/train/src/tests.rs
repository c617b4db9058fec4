//! Parameters that lead somewhere, and parameters that do not.

use bulkhead_sdk::prelude::*;
use bulkhead_sdk::testing::{TestRun, TestTask};

use crate::Train;

fn train(parameters: Value) -> TestRun {
    TestTask::new(parameters).settings(json!({"seed": 7, "points": 200})).run::<Train>()
}

#[test]
fn the_same_parameters_give_the_same_curve() {
    let run = || train(json!({"degree": 8, "rate": 0.3, "epochs": 50})).result();
    assert_eq!(run(), run());
    assert_eq!(run()["weights"].as_array().map(Vec::len), Some(9));
}

#[test]
fn a_curve_that_bends_more_comes_closer() {
    let error = |degree: u32| {
        let result = train(json!({"degree": degree, "rate": 0.3, "epochs": 200})).result();
        result["error"].as_f64().expect("a number")
    };
    assert!(error(2) > 0.03 && error(12) < 0.005, "{} {}", error(2), error(12));
}

#[test]
fn a_rate_that_is_too_high_fails_for_good_and_says_so() {
    let run = train(json!({"degree": 8, "rate": 2.2, "epochs": 200}));
    assert_eq!((run.failure().code.as_str(), run.failure().retryable), ("diverged", false));
    assert!(run.failure().message.contains("the rate 2.2 is too high"), "{:?}", run.failure());
}

#[test]
fn a_curve_without_end_is_refused() {
    assert_eq!(train(json!({"degree": 65, "rate": 0.1, "epochs": 1})).failure().code, "bad_parameters");
    assert_eq!(train(json!({"degree": 1, "rate": 0.1, "epoch": 1})).failure().code, "bad_payload");
}

#[test]
fn who_trains_long_tells_how_far_it_is() {
    let told = train(json!({"degree": 2, "rate": 0.01, "epochs": 2500})).progress;
    assert_eq!(told.iter().map(|told| told.fraction).collect::<Vec<_>>(), [Some(0.4), Some(0.8)]);
}
