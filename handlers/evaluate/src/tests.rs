//! What a task of kind EVALUATE gives.

use bulkhead_sdk::UpstreamEnd;
use bulkhead_sdk::testing::{TestRun, TestTask};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::settings::Settings;
use crate::{Evaluate, Payload};

fn schema(text: &str) -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(text).expect("JSON");
    jsonschema::validator_for(&schema).expect("a schema")
}

/// A workspace with these files in it.
fn workspace(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).expect("a file");
    }
    folder
}

/// Settings whose pool `default` has these evaluators.
fn pool(evaluators: Value) -> Value {
    json!({"pools": {"default": {"evaluators": evaluators}}})
}

fn execution() -> Value {
    json!({
        "exit_code": 0, "stdout": "12 passed\ntime: 250.5 ms\n", "stderr": "", "wall_ms": 300, "cpu_ms": 200,
        "peak_memory_bytes": 1048576, "truncated": false, "out_of_memory": false,
    })
}

/// Evaluates the run of an execution by the pool `default`; there is no workspace.
fn evaluated(settings: Value) -> TestRun {
    TestTask::new(json!({"workspace_uri": "workspace:a", "run": execution()})).settings(settings).run::<Evaluate>()
}

/// The one score of one evaluator, and why its value is missing.
fn one(mut evaluator: Value) -> (Value, Value) {
    evaluator["name"] = json!("it");
    let result = evaluated(pool(json!([evaluator]))).result();
    assert_eq!(result["score"], result["scores"]["it"]);
    (result["score"].clone(), result["missing"]["it"].clone())
}

#[test]
fn a_score_is_the_weighted_mean_of_what_evaluators_say() {
    let settings = pool(json!([
        {"name": "ends well", "type": "exit_code", "weight": 2},
        {"name": "passed", "type": "regex", "pattern": "(\\d+) passed", "best": 16, "worst": 0},
        {"name": "time", "type": "metric", "run": "wall_ms", "worst": 1000, "best": 200},
    ]));
    let result = evaluated(settings).result();
    let expected = json!({
        "score": 0.90625,
        "scores": {"ends well": 1.0, "passed": 0.75, "time": 0.875},
        "values": {"ends well": 1.0, "passed": 12.0, "time": 300.0},
        "missing": {},
    });
    assert_eq!(result, expected);
    assert!(schema(include_str!("../schema/result.json")).is_valid(&result));
}

#[test]
fn a_metric_is_a_field_of_the_run_or_a_file() {
    assert_eq!(one(json!({"type": "metric", "run": "cpu_ms"})).0, 200.0);
    assert_eq!(one(json!({"type": "metric", "run": "out_of_memory"})).0, 0.0);
    assert_eq!(one(json!({"type": "metric", "run": "wall_ms", "direction": "minimize"})).0, 1.0 / 301.0);
    let folder = workspace(&[("loss.txt", " 2.5e-1\n")]);
    let settings = pool(json!([{"name": "loss", "type": "metric", "file": "loss.txt"}]));
    let task = TestTask::new(json!({"workspace_uri": "workspace:a"})).workspace(folder.path()).settings(settings);
    assert_eq!(task.run::<Evaluate>().result()["score"], 0.25);
}

#[test]
fn an_exit_code_is_one_of_those_expected_or_not() {
    assert_eq!(one(json!({"type": "exit_code"})).0, 1.0);
    assert_eq!(one(json!({"type": "exit_code", "expected": [1, 0]})).0, 1.0);
    assert_eq!(one(json!({"type": "exit_code", "expected": [3]})).0, 0.0);
}

#[test]
fn a_pattern_is_found_or_gives_the_number_in_its_group() {
    assert_eq!(one(json!({"type": "regex", "pattern": "passed"})).0, 1.0);
    assert_eq!(one(json!({"type": "regex", "pattern": "failed"})), (json!(0.0), Value::Null));
    assert_eq!(one(json!({"type": "regex", "pattern": "time: ([0-9.]+)"})).0, 250.5);
    assert_eq!(one(json!({"type": "regex", "pattern": "(t)ime: (?<value>[0-9.]+)"})).0, 250.5);
    assert_eq!(one(json!({"type": "regex", "pattern": "^$", "run": "stderr"})).0, 1.0);
    assert_eq!(one(json!({"type": "regex", "pattern": "(\\d+) failed"})).1, "the pattern is not found");
    assert_eq!(one(json!({"type": "regex", "pattern": "(passed)"})).1, "`passed` is not a number");
}

#[test]
fn a_pointer_reads_the_run_its_output_or_a_file() {
    assert_eq!(one(json!({"type": "json_pointer", "pointer": "/wall_ms"})).0, 300.0);
    let folder = workspace(&[("report.json", r#"{"tests": [{"ok": true}], "a/b": {"~": "7"}}"#)]);
    let settings = pool(json!([
        {"name": "ok", "type": "json_pointer", "file": "report.json", "pointer": "/tests/0/ok"},
        {"name": "escaped", "type": "json_pointer", "file": "report.json", "pointer": "/a~1b/~0"},
        {"name": "printed", "type": "json_pointer", "run": "stdout", "pointer": "/f1"},
        {"name": "all", "type": "json_pointer", "run": "stderr", "pointer": ""},
    ]));
    let run = json!({"stdout": "{\"f1\": 0.5}\n", "stderr": "3"});
    let task = TestTask::new(json!({"workspace_uri": "workspace:a", "run": run})).workspace(folder.path());
    let result = task.settings(settings).run::<Evaluate>().result();
    assert_eq!(result["values"], json!({"ok": 1.0, "escaped": 7.0, "printed": 0.5, "all": 3.0}));
}

#[test]
fn a_value_that_is_missing_is_worth_nothing_and_the_result_says_why() {
    let folder = workspace(&[("text.txt", "many"), ("bad.json", "{"), ("nan.txt", "NaN")]);
    std::fs::create_dir(folder.path().join("folder")).expect("a folder");
    std::fs::write(folder.path().join("large.txt"), vec![b'1'; (1 << 20) + 1]).expect("a file");
    for (evaluator, why) in [
        (json!({"type": "metric", "file": "none.txt", "direction": "minimize"}), "is not in the workspace"),
        (json!({"type": "metric", "file": "text.txt", "worst": 10, "best": 0}), "`many` is not a number"),
        (json!({"type": "metric", "file": "nan.txt"}), "`NaN` is not a number"),
        (json!({"type": "metric", "file": "folder"}), "is no file"),
        (json!({"type": "metric", "file": "large.txt"}), "is larger than 1048576 bytes"),
        (json!({"type": "metric", "run": "loss"}), "the run has no `loss`"),
        (json!({"type": "exit_code"}), "the run has no `exit_code`"),
        (json!({"type": "regex", "pattern": "x", "run": "wall_ms"}), "the `wall_ms` of the run is no text"),
        (json!({"type": "json_pointer", "file": "bad.json", "pointer": "/a"}), "`bad.json` is no JSON"),
        (json!({"type": "json_pointer", "pointer": "/nested/0"}), "nothing is at `/nested/0`"),
        (json!({"type": "json_pointer", "pointer": "/nested"}), "it is not a number"),
        (json!({"type": "json_pointer", "pointer": "/nothing"}), "it is null"),
    ] {
        let mut evaluator = evaluator;
        evaluator["name"] = json!("it");
        let run = json!({"wall_ms": 1, "nested": {}, "nothing": null});
        let task = TestTask::new(json!({"workspace_uri": "workspace:a", "run": run})).workspace(folder.path());
        let result = task.settings(pool(json!([evaluator.clone()]))).run::<Evaluate>().result();
        assert_eq!((&result["score"], &result["values"]["it"]), (&json!(0.0), &Value::Null), "{evaluator}");
        let said = result["missing"]["it"].as_str().expect("a reason");
        assert!(said.contains(why), "{evaluator}: {said}");
        assert!(schema(include_str!("../schema/result.json")).is_valid(&result));
    }
}

#[test]
fn where_the_settings_say_so_a_value_that_is_missing_is_a_failure() {
    let loss = json!({"name": "loss", "type": "metric", "run": "loss"});
    let whole_pool = json!({"pools": {"default": {"missing": "fail", "evaluators": [loss]}}});
    let mut one = loss;
    one["missing"] = json!("fail");
    for settings in [whole_pool, pool(json!([one, {"name": "ok", "type": "exit_code"}]))] {
        let run = evaluated(settings);
        assert_eq!((run.failure().code.as_str(), run.failure().retryable), ("missing_value", false));
        assert_eq!(run.failure().message, "the pool `default`: `loss`: the run has no `loss`");
    }
    let lenient = json!({"name": "loss", "type": "metric", "run": "loss", "missing": "zero"});
    let settings = json!({"pools": {"default": {"missing": "fail", "evaluators": [lenient]}}});
    assert_eq!(evaluated(settings).result()["score"], 0.0);
}

#[test]
fn in_a_workflow_the_run_is_what_a_step_gave() {
    let settings =
        json!({"pools": {"default": {"step": "execute", "evaluators": [{"name": "ok", "type": "exit_code"}]}}});
    let task = || TestTask::new(json!({"workspace_uri": "workspace:a"})).settings(settings.clone());
    let result = |task: TestTask| task.run::<Evaluate>().result();
    assert_eq!(result(task().upstream("execute", execution()))["score"], 1.0);
    let skipped = result(task().upstream_ended("execute", UpstreamEnd::Skipped));
    assert_eq!(skipped["missing"]["ok"], "the step `execute` did not succeed with an object");
    let none = result(task());
    assert!(none["missing"]["ok"].as_str().is_some_and(|why| why.contains("does not follow a step `execute`")));
}

#[test]
fn only_who_reads_files_needs_a_workspace() {
    let run = evaluated(pool(json!([{"name": "loss", "type": "metric", "file": "loss.txt"}])));
    assert_eq!((run.failure().code.as_str(), run.failure().retryable), ("no_workspace", false));
    assert!(run.failure().message.contains("[handler.evaluate.grants]"), "{}", run.failure().message);
}

#[test]
fn a_pool_that_is_not_there_is_named_with_those_that_are() {
    let task = |settings: Value| {
        TestTask::new(json!({"workspace_uri": "workspace:a", "pool": "sped"})).settings(settings).run::<Evaluate>()
    };
    let run = task(json!({"pools": {"speed": {}, "size": {}}}));
    assert_eq!((run.failure().code.as_str(), run.failure().retryable), ("no_pool", false));
    assert!(run.failure().message.contains("`sped`, but `size`, `speed`"), "{}", run.failure().message);
    assert!(task(json!({})).failure().message.contains("[handler.evaluate.settings.pools.sped]"));
}

/// Evaluators that make sense.
fn good() -> Vec<Value> {
    vec![
        json!({"type": "metric", "run": "wall_ms", "weight": 0.5, "direction": "minimize"}),
        json!({"type": "metric", "file": "a/b.txt", "worst": 1, "best": 0, "missing": "fail"}),
        json!({"type": "exit_code"}),
        json!({"type": "exit_code", "expected": [0, 1]}),
        json!({"type": "regex", "pattern": "a(b)"}),
        json!({"type": "json_pointer", "pointer": "/a"}),
        json!({"type": "json_pointer", "pointer": "", "file": "a.json"}),
    ]
}

/// Evaluators that make none, and what is said of them.
fn bad() -> Vec<(Value, &'static str)> {
    vec![
        (json!({}), "missing field `type`"),
        (json!({"type": "guess"}), "unknown variant `guess`"),
        (json!({"type": "metric"}), "a metric needs"),
        (json!({"type": "metric", "run": "a", "file": "b"}), "do not go together"),
        (json!({"type": "metric", "run": "a", "pattern": "b"}), "`pattern` does not go with its type"),
        (json!({"type": "metric", "run": "a", "weight": -1}), "`weight` must be"),
        (json!({"type": "metric", "run": "a", "direction": "up"}), "unknown variant `up`"),
        (json!({"type": "metric", "run": "a", "best": 1}), "`worst` and `best` go together"),
        (json!({"type": "metric", "run": "a", "wieght": 1}), "unknown field `wieght`"),
        (json!({"type": "metric", "run": "a", "missing": "skip"}), "unknown variant `skip`"),
        (json!({"type": "exit_code", "run": "code"}), "from the run alone"),
        (json!({"type": "exit_code", "expected": 0}), "invalid type"),
        (json!({"type": "regex"}), "needs a `pattern`"),
        (json!({"type": "json_pointer"}), "needs a `pointer`"),
        (json!({"type": "json_pointer", "pointer": "a"}), "must be empty or begin with `/`"),
        (json!({"type": "json_pointer", "pointer": "/a", "expected": [1]}), "`expected` does not go with its type"),
    ]
}

/// Others, which the schema cannot tell.
fn bad_by_meaning() -> Vec<(Value, &'static str)> {
    vec![
        (json!({"type": "metric", "file": "../a"}), "inside the workspace"),
        (json!({"type": "metric", "run": "a", "worst": 1, "best": 1}), "must differ"),
        (json!({"type": "metric", "run": "a", "worst": 1, "best": 2, "direction": "minimize"}), "does not fit"),
        (json!({"type": "regex", "pattern": "("}), "`pattern`: regex parse error"),
        (json!({"type": "exit_code", "weight": 0}), "no evaluator has a `weight` above 0"),
    ]
}

#[test]
fn a_pool_that_makes_no_sense_is_refused_and_named() {
    for (mut evaluator, words) in bad().into_iter().chain(bad_by_meaning()) {
        evaluator["name"] = json!("it");
        let run = evaluated(pool(json!([evaluator.clone()])));
        assert_eq!((run.failure().code.as_str(), run.failure().retryable), ("bad_settings", false), "{evaluator}");
        let said = &run.failure().message;
        assert!(said.starts_with("[handler.evaluate.settings.pools.default]: ") && said.contains(words), "{said}");
    }
    let same = json!({"name": "it", "type": "exit_code"});
    assert!(evaluated(pool(json!([same, same]))).failure().message.contains("two evaluators have the name `it`"));
    assert!(evaluated(pool(json!([]))).failure().message.contains("must have 1 to 1000"));
}

#[test]
fn a_mistake_in_one_pool_does_not_stand_in_the_way_of_another() {
    let mut settings = pool(json!([{"name": "ok", "type": "exit_code"}]));
    settings["pools"]["broken"] = json!({"evaluators": 7});
    assert_eq!(evaluated(settings).result()["score"], 1.0);
}

#[test]
fn the_schema_of_settings_takes_what_the_handler_takes_and_refuses_what_it_refuses() {
    let schema = schema(include_str!("../schema/settings.json"));
    let taken = |mut evaluator: Value| {
        evaluator["name"] = json!("it");
        let settings = pool(json!([evaluator]));
        let read = serde_json::from_value::<Settings>(settings.clone()).expect("settings").pool("default");
        (schema.is_valid(&settings), read.is_ok())
    };
    for evaluator in good() {
        assert_eq!(taken(evaluator.clone()), (true, true), "{evaluator}");
    }
    for (evaluator, _) in bad() {
        assert_eq!(taken(evaluator.clone()), (false, false), "{evaluator}");
    }
}

#[test]
fn the_schema_of_payloads_takes_what_the_handler_takes_and_refuses_what_it_refuses() {
    let schema = schema(include_str!("../schema/payload.json"));
    let taken =
        |payload: &Value| (schema.is_valid(payload), serde_json::from_value::<Payload>(payload.clone()).is_ok());
    for payload in [
        json!({"workspace_uri": "workspace:a"}),
        json!({"workspace_uri": "workspace:a", "pool": "speed", "run": execution()}),
        json!({"workspace_uri": "workspace:a", "run": null}),
    ] {
        assert_eq!(taken(&payload), (true, true), "{payload}");
    }
    for payload in [
        json!({}),
        json!({"workspace_uri": "a"}),
        json!({"workspace_uri": "workspace:a", "pool": 1}),
        json!({"workspace_uri": "workspace:a", "pool": null}),
        json!({"workspace_uri": "workspace:a", "run": [1]}),
        json!({"workspace_uri": "workspace:a", "pools": "a"}),
    ] {
        assert_eq!(taken(&payload), (false, false), "{payload}");
    }
}
