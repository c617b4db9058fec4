//! What a task of kind MUTATE gives.

use bulkhead_sdk::llm::{Candidate, Role};
use bulkhead_sdk::testing::{TestRun, TestTask};
use bulkhead_sdk::{Child, DelegateError, Outcome};
use serde_json::{Value, json};

use crate::settings::Settings;
use crate::{PatchMutator, Payload};

const SOURCE: &str = "def f(x):\n    return x + x\n";
const DIFF: &str = "@@ -1,2 +1,2 @@\n def f(x):\n-    return x + x\n+    return 2 * x\n";
const NEW: &str = "def f(x):\n    return 2 * x\n";

fn schema(text: &str) -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(text).expect("JSON");
    jsonschema::validator_for(&schema).expect("a schema")
}

/// A payload with the fields that must be there, and these.
fn payload(more: Value) -> Value {
    let mut payload = json!({"workspace_uri": "workspace:a", "source": SOURCE, "parents": []});
    payload.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    payload
}

/// Runs the handler on a payload with these fields; the model gives these answers.
fn run(more: Value, answers: &[&str]) -> TestRun {
    let candidates: Vec<Candidate> = answers.iter().map(|answer| Candidate::new("small", *answer)).collect();
    TestTask::new(payload(more)).llm(move |_| Ok(candidates.clone())).run::<PatchMutator>()
}

fn then(run: &TestRun) -> &[Child] {
    match &run.outcome {
        Ok(Outcome::Complete { then, .. }) => then,
        other => panic!("the handler did not complete: {other:?}"),
    }
}

#[test]
fn a_patch_becomes_a_new_source() {
    let run = run(json!({}), &[&format!("Doubling is one step.\n\n```diff\n{DIFF}```\n")]);
    let diff = format!("--- a/source\n+++ b/source\n{DIFF}");
    assert_eq!(run.result(), json!({"source": NEW, "diff": diff, "backend": "small"}));
    assert!(schema(include_str!("../schema/result.json")).is_valid(&run.result()));
    assert!(then(&run).is_empty());
}

#[test]
fn the_first_candidate_that_applies_is_taken_and_the_others_are_told_of() {
    let candidates = || {
        let tokens = |backend: &str, text: &str| Candidate {
            prompt_tokens: 10,
            completion_tokens: 5,
            ..Candidate::new(backend, text)
        };
        vec![tokens("one", "Nothing to change."), tokens("two", DIFF), tokens("three", DIFF)]
    };
    let run = TestTask::new(payload(json!({}))).llm(move |_| Ok(candidates())).run::<PatchMutator>();
    assert_eq!(run.result()["backend"], "two");
    let Ok(Outcome::Complete { metadata, .. }) = &run.outcome else { panic!("{:?}", run.outcome) };
    let expected =
        json!({"candidate": 1, "refused": ["`one`: it has no diff"], "prompt_tokens": 30, "completion_tokens": 15});
    assert_eq!(metadata, &expected);
}

#[test]
fn where_none_applies_the_task_is_dead_and_says_why_for_each() {
    let run = run(json!({}), &["@@ -1 +1 @@\n-def g(x):\n+def f(y):", "No.", "@@ -1 +1 @@\n-def f(x):\n+def f(x):"]);
    let failure = run.failure();
    assert_eq!((failure.code.as_str(), failure.retryable), ("bad_patch", false));
    let expected = "none of 3 candidates applies: `small`: hunk 1 fits nowhere: line 1 is `def f(x):`, and the diff has \
                    `def g(x):`; `small`: it has no diff; `small`: it changes nothing";
    assert_eq!(failure.message, expected);
    assert_eq!(failure.details["refused"].as_array().map(Vec::len), Some(3));
}

#[test]
fn the_model_is_asked_as_the_settings_say() {
    let settings = json!({
        "model": "m", "temperature": 0.9, "max_tokens": 500, "candidates": 5, "system": "Be brief.",
        "template": "{{prompt}}|{{parents}}|{{source}}",
    });
    let more =
        json!({"prompt": "Say {{source}}.", "parents": [{"source": "a\n", "score": 1}, {"source": "b", "score": 2.5}]});
    let task = TestTask::new(payload(more)).settings(settings).llm(|_| Ok(vec![Candidate::new("small", DIFF)]));
    let run = task.run::<PatchMutator>();
    let request = &run.requests[0];
    assert_eq!((request.model.as_deref(), request.temperature), (Some("m"), Some(0.9)));
    assert_eq!((request.max_tokens, request.candidates), (Some(500), 5));
    assert_eq!((request.messages[0].role, request.messages[0].content.as_str()), (Role::System, "Be brief."));
    let parents = "Score 2.5:\n```\nb\n```\n\nScore 1:\n```\na\n```";
    let expected = format!("Say {{{{source}}}}.|{parents}|```\n{SOURCE}```");
    assert_eq!((request.messages[1].role, request.messages[1].content.as_str()), (Role::User, expected.as_str()));
}

#[test]
fn without_settings_the_model_learns_what_to_do_all_the_same() {
    let run = run(json!({}), &[DIFF]);
    let request = &run.requests[0];
    assert_eq!((request.candidates, request.temperature, request.model.as_deref()), (3, None, None));
    assert!(request.messages[0].content.contains("unified diff"));
    let asked = &request.messages[1].content;
    assert!(asked.contains("its score rises") && asked.contains("(none)") && asked.contains(SOURCE), "{asked}");
}

#[test]
fn a_retry_asks_the_same_question() {
    let parents: Vec<Value> = (0..30).map(|score| json!({"source": format!("{score}"), "score": score})).collect();
    let asked = |id: &str, attempt| {
        let task = TestTask::new(payload(json!({"parents": parents}))).id(id).attempt(attempt, 3);
        task.llm(|_| Ok(vec![Candidate::new("small", DIFF)])).run::<PatchMutator>().requests
    };
    assert_eq!(asked("a", 1), asked("a", 2));
    assert_ne!(asked("a", 1), asked("b", 1));
}

#[test]
fn what_the_delegate_says_decides_whether_it_is_tried_again() {
    let text = || "why".to_owned();
    for (error, code, retryable) in [
        (DelegateError::Denied(text()), "denied", false),
        (DelegateError::Unavailable(text()), "unavailable", true),
        (DelegateError::TimedOut, "timed_out", true),
    ] {
        let run = TestTask::new(payload(json!({}))).llm(move |_| Err(error.clone())).run::<PatchMutator>();
        assert_eq!((run.failure().code.as_str(), run.failure().retryable), (code, retryable));
    }
}

#[test]
fn an_execution_follows_with_the_new_source() {
    let run = run(json!({"execute": {"image": "python:3.13-slim", "command": ["python", "main"]}}), &[DIFF]);
    let [child] = then(&run) else { panic!("one task: {:?}", run.outcome) };
    assert_eq!((child.kind.as_str(), child.requires.len()), ("EXECUTE", 0));
    let expected = json!({
        "image": "python:3.13-slim", "command": ["python", "main"], "workspace_uri": "workspace:a", "source": NEW,
    });
    assert_eq!(child.payload, expected);
}

#[test]
fn the_new_source_takes_the_place_of_a_null_among_files() {
    let files = json!({"f.py": null, "bench.py": "import f"});
    let run = run(json!({"execute": {"workspace_uri": "workspace:b", "source": files, "gpus": 1}}), &[DIFF]);
    let child = &then(&run)[0];
    assert_eq!(child.payload["source"], json!({"f.py": NEW, "bench.py": "import f"}));
    assert_eq!(
        (&child.payload["workspace_uri"], child.requires.as_slice()),
        (&json!("workspace:b"), &["gpu".to_owned()][..])
    );
}

#[test]
fn the_options_of_an_execution_are_those_of_the_task_and_no_part_of_its_payload() {
    let options = json!({"workspace": "workspace:a", "timeout": "5m"});
    let run = run(json!({"execute": {"image": "a", "options": options}}), &[DIFF]);
    let child = &then(&run)[0];
    assert_eq!(child.options.as_ref(), Some(&options));
    assert_eq!(child.payload, json!({"image": "a", "workspace_uri": "workspace:a", "source": NEW}));
    assert_eq!(then(&self::run(json!({"execute": {"options": null}}), &[DIFF]))[0].options, None);
    let refused = self::run(json!({"execute": {"options": "workspace:a"}}), &[DIFF]);
    assert_eq!((refused.failure().code.as_str(), refused.requests.len()), ("bad_payload", 0));
}

#[test]
fn an_execution_without_a_place_for_the_source_is_refused_before_the_model_is_asked() {
    for source in [json!("x"), json!({}), json!({"a": "x"}), json!(1)] {
        let run = run(json!({"execute": {"source": source}}), &[DIFF]);
        assert_eq!((run.failure().code.as_str(), run.failure().retryable), ("bad_payload", false));
        assert!(run.requests.is_empty());
    }
}

#[test]
fn a_source_that_the_host_would_not_take_is_one_that_does_not_apply() {
    let large = format!("@@ -1 +1,2 @@\n def f(x):\n+# {}", "x".repeat(600 << 10));
    let more = json!({"execute": {"image": "a", "command": []}});
    assert_eq!(run(more.clone(), &[&large, DIFF]).result()["source"], NEW);
    let run = run(more, &[&large]);
    assert!(run.failure().message.contains("the new source is too large"), "{}", run.failure().message);
}

#[test]
fn the_schema_of_payloads_takes_what_the_handler_takes_and_refuses_what_it_refuses() {
    let schema = schema(include_str!("../schema/payload.json"));
    let taken = |payload: &Value| {
        let read = TestTask::new(payload).llm(|_| Ok(vec![Candidate::new("small", DIFF)])).run::<PatchMutator>();
        let is_read = read.outcome.is_ok();
        assert!(
            is_read || serde_json::from_value::<Payload>(payload.clone()).is_err() || payload.get("execute").is_some()
        );
        (schema.is_valid(payload), is_read)
    };
    for more in [
        json!({}),
        json!({"parents": [{"source": "x", "score": -1.5}], "prompt": "faster"}),
        json!({"execute": {"image": "a", "command": []}}),
        json!({"execute": {"source": {"a": null}}}),
        json!({"execute": {"source": null}}),
        json!({"execute": {"options": {"workspace": "workspace:a"}}}),
        json!({"execute": null, "prompt": null}),
    ] {
        assert_eq!(taken(&payload(more.clone())), (true, true), "{more}");
    }
    for more in [
        json!({"source": 1}),
        json!({"source": {"a": "x"}}),
        json!({"parents": null}),
        json!({"parents": ["x"]}),
        json!({"parents": [{"source": "x"}]}),
        json!({"parents": [{"source": "x", "score": "1"}]}),
        json!({"parents": [{"source": "x", "score": 1, "name": "a"}]}),
        json!({"workspace_uri": "a"}),
        json!({"execute": []}),
        json!({"execute": {"options": "workspace:a"}}),
        json!({"execute": {"source": "x"}}),
        json!({"execute": {"source": {"a": "x"}}}),
        json!({"temperature": 1}),
    ] {
        assert_eq!(taken(&payload(more.clone())), (false, false), "{more}");
    }
}

#[test]
fn settings_that_make_no_sense_are_refused_and_the_schema_knows_them() {
    let schema = schema(include_str!("../schema/settings.json"));
    let taken = |settings: &Value| {
        let read =
            serde_json::from_value::<Settings>(settings.clone()).is_ok_and(|settings| settings.checked().is_ok());
        (schema.is_valid(settings), read)
    };
    for settings in [
        json!({}),
        json!({"model": "m", "temperature": 2, "max_tokens": 1, "candidates": 64, "parents": 0, "exploration": 1}),
        json!({"system": "", "template": "{{source}}", "prompt": ""}),
    ] {
        assert_eq!(taken(&settings), (true, true), "{settings}");
    }
    for settings in [
        json!({"candidates": 0}),
        json!({"candidates": 65}),
        json!({"temperature": 2.1}),
        json!({"exploration": -0.1}),
        json!({"parents": -1}),
        json!({"template": "no program"}),
        json!({"max_tokens": "many"}),
        json!({"tempreature": 1}),
    ] {
        assert_eq!(taken(&settings), (false, false), "{settings}");
    }
    let run = TestTask::new(payload(json!({}))).settings(json!({"candidates": 0})).run::<PatchMutator>();
    assert_eq!((run.failure().code.as_str(), run.failure().retryable), ("bad_settings", false));
    let said = "[handler.patch-mutator.settings]: `candidates` must be 1 to 64, not 0";
    assert_eq!(run.failure().message, said);
}
