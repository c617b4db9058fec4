//! Models that are compared.

use bulkhead_sdk::UpstreamEnd;
use bulkhead_sdk::prelude::*;
use bulkhead_sdk::testing::TestTask;

use crate::Select;

fn model(degree: u32, error: f64) -> Value {
    json!({"degree": degree, "rate": 0.1, "epochs": 1, "error": error, "training_error": 0.5, "weights": [1.5, degree]})
}

#[test]
fn the_model_with_the_least_error_is_the_best_and_the_others_follow() {
    let failed = |code: &str| UpstreamEnd::Failed(Failure::permanent(code, "why"));
    let result = TestTask::new(Value::Null)
        .upstream("train_001", model(2, 0.25))
        .upstream_ended("train_002", failed("diverged"))
        .upstream("train_003", model(4, 0.125))
        .upstream_ended("train_004", failed("diverged"))
        .upstream_ended("train_005", UpstreamEnd::Cancelled)
        .upstream("train_006", model(6, 0.25))
        .upstream_ended("train_007", UpstreamEnd::Resolved(Value::Null))
        .run::<Select>()
        .result();
    assert_eq!((&result["best"]["name"], &result["best"]["weights"]), (&json!("train_003"), &json!([1.5, 4.0])));
    let names: Vec<&str> =
        result["table"].as_array().expect("a list").iter().filter_map(|row| row["name"].as_str()).collect();
    assert_eq!(names, ["train_003", "train_001", "train_006"]);
    assert_eq!(result["table"][0].get("weights"), None);
    assert_eq!(result["failed"], json!({"cancelled": 1, "diverged": 2, "resolved": 1}));
}

#[test]
fn nothing_is_selected_from_nothing() {
    let run = TestTask::new(Value::Null).upstream_ended("train_001", UpstreamEnd::Skipped).run::<Select>();
    assert_eq!((run.failure().code.as_str(), run.failure().retryable), ("no_model", false));
}
