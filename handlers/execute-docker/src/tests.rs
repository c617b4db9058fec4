//! What a task of kind EXECUTE gives.

use bulkhead_sdk::docker::{Container, Mount};
use bulkhead_sdk::testing::{TestRun, TestTask};
use bulkhead_sdk::{DelegateError, Exit, Usage};
use serde_json::{Value, json};
use tempfile::TempDir;

use handlers_shared::Payload;

use crate::{ExecuteDocker, container};

fn schema(text: &str) -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(text).expect("JSON");
    jsonschema::validator_for(&schema).expect("a schema")
}

/// A payload with the fields that must be there, and these.
fn payload(more: Value) -> Value {
    let mut payload = json!({"image": "alpine:3", "command": ["sh", "main"], "workspace_uri": "workspace:a"});
    payload.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    payload
}

fn workspace() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn run(folder: &TempDir, more: Value, answer: Result<Exit, DelegateError>) -> TestRun {
    let task = TestTask::new(payload(more)).workspace(folder.path());
    task.docker(move |_| answer.clone()).run::<ExecuteDocker>()
}

#[test]
fn a_program_sees_the_workspace_and_nothing_is_asked_for_that_the_payload_does_not() {
    let run = run(&workspace(), json!({}), Ok(Exit::default()));
    let expected = Container {
        image: "alpine:3".to_owned(),
        command: vec!["sh".to_owned(), "main".to_owned()],
        working_dir: Some("/workspace".to_owned()),
        mounts: vec![Mount { source: ".".to_owned(), target: "/workspace".to_owned(), read_only: false }],
        ..Container::default()
    };
    assert_eq!(run.containers, [expected]);
}

#[test]
fn environment_input_and_limits_are_handed_on() {
    let limits = json!({"memory": "64MiB", "cpus": 0.5, "processes": 8});
    let more = json!({"env": {"B": "2", "A": "1"}, "stdin": "in", "limits": limits});
    let run = run(&workspace(), more, Ok(Exit::default()));
    let container = &run.containers[0];
    assert_eq!(container.env, [("A".to_owned(), "1".to_owned()), ("B".to_owned(), "2".to_owned())]);
    assert_eq!(container.stdin, b"in");
    assert_eq!((container.memory_bytes, container.cpus, container.processes), (Some(64 << 20), Some(0.5), Some(8)));
    assert_eq!((container.network, container.gpus), (false, 0));
}

#[test]
fn the_source_is_there_when_the_program_starts_and_a_retry_writes_it_again() {
    let folder = workspace();
    let main = folder.path().join("main");
    for _ in 0..2 {
        let seen = main.clone();
        let task = TestTask::new(payload(json!({"source": "echo 1"}))).workspace(folder.path()).docker(move |_| {
            let stdout = std::fs::read(&seen).map_err(|error| DelegateError::Failed(error.to_string()))?;
            Ok(Exit { stdout, ..Exit::default() })
        });
        assert_eq!(task.run::<ExecuteDocker>().result()["stdout"], "echo 1");
        std::fs::write(&main, "what the program made of it").expect("a file");
    }
}

#[test]
fn a_program_that_fails_is_a_result() {
    let usage = Usage { wall_ms: 12, cpu_ms: 7, peak_memory_bytes: 4096 };
    let exit = Exit {
        code: 137,
        stdout: b"one\n".to_vec(),
        stderr: b"Killed".to_vec(),
        out_of_memory: true,
        usage,
        ..Exit::default()
    };
    let result = run(&workspace(), json!({}), Ok(exit)).result();
    let expected = json!({
        "exit_code": 137, "stdout": "one\n", "stderr": "Killed", "wall_ms": 12, "cpu_ms": 7,
        "peak_memory_bytes": 4096, "truncated": false, "out_of_memory": true,
    });
    assert_eq!(result, expected);
    assert!(schema(include_str!("../schema/result.json")).is_valid(&result));
}

#[test]
fn what_the_delegate_says_decides_whether_it_is_tried_again() {
    let text = || "why".to_owned();
    for (error, code, retryable) in [
        (DelegateError::Denied(text()), "denied", false),
        (DelegateError::Unavailable(text()), "unavailable", true),
        (DelegateError::Invalid(text()), "invalid", false),
        (DelegateError::TimedOut, "timed_out", true),
        (DelegateError::Failed(text()), "failed", true),
    ] {
        let run = run(&workspace(), json!({}), Err(error));
        assert_eq!((run.failure().code.as_str(), run.failure().retryable), (code, retryable));
    }
}

#[test]
fn without_a_workspace_the_setting_is_named_and_nothing_runs() {
    let run = TestTask::new(payload(json!({}))).docker(|_| Ok(Exit::default())).run::<ExecuteDocker>();
    let failure = run.failure();
    assert_eq!((failure.code.as_str(), failure.retryable), ("no_workspace", false));
    assert!(failure.message.contains("[handler.execute-docker.grants]"), "{}", failure.message);
    assert!(run.containers.is_empty());
}

#[test]
fn a_source_that_leads_out_is_refused_and_nothing_runs() {
    let run = run(&workspace(), json!({"source": {"../main": "x"}}), Ok(Exit::default()));
    assert_eq!((run.failure().code.as_str(), run.containers.len()), ("bad_payload", 0));
}

#[test]
fn what_asks_for_devices_is_left_to_another_handler() {
    assert!(TestTask::new(payload(json!({}))).dispatch::<ExecuteDocker>());
    assert!(!TestTask::new(payload(json!({"gpus": 1}))).dispatch::<ExecuteDocker>());
    assert!(!TestTask::new(json!({"program": "train"})).dispatch::<ExecuteDocker>());
}

#[test]
fn the_schema_takes_what_the_handler_takes_and_refuses_what_it_refuses() {
    let schema = schema(include_str!("../schema/payload.json"));
    let taken = |payload: &Value| {
        let read = serde_json::from_value::<Payload>(payload.clone());
        (schema.is_valid(payload), read.is_ok_and(|payload| container(&payload).is_ok()))
    };
    for more in [
        json!({}),
        json!({"command": []}),
        json!({"gpus": null, "program": null}),
        json!({"source": "x", "env": {"A": "1"}, "stdin": "x"}),
        json!({"source": {"a.py": "x"}, "limits": {}}),
        json!({"source": null}),
        json!({"limits": {"memory": 1048576, "cpus": 1, "processes": 4}}),
        json!({"limits": {"memory": "1.5 GiB"}}),
    ] {
        assert_eq!(taken(&payload(more.clone())), (true, true), "{more}");
    }
    for more in [
        json!({"image": 1}),
        json!({"image": null}),
        json!({"command": "sh main"}),
        json!({"command": [1]}),
        json!({"workspace_uri": "/tmp"}),
        json!({"workspace_uri": "workspace:"}),
        json!({"source": ["x"]}),
        json!({"source": {"a": 1}}),
        json!({"env": {"A": 1}}),
        json!({"env": ["A=1"]}),
        json!({"stdin": 1}),
        json!({"limits": {"memory": "much"}}),
        json!({"limits": {"memory": -1}}),
        json!({"limits": {"cpus": "1"}}),
        json!({"limits": {"processes": 1.5}}),
        json!({"limits": {"pids": 1}}),
        json!({"limits": {"gpu_memory": 1}}),
        json!({"network": true}),
        json!({"gpus": 1}),
        json!({"program": "train"}),
    ] {
        assert_eq!(taken(&payload(more.clone())), (false, false), "{more}");
    }
    for field in ["image", "workspace_uri"] {
        let mut payload = payload(json!({}));
        payload.as_object_mut().expect("an object").remove(field);
        assert_eq!(taken(&payload), (false, false), "without {field}");
    }
}
