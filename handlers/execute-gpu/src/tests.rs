//! What a task of kind EXECUTE gives that wants GPUs.

use bulkhead_sdk::testing::{TestRun, TestTask};
use bulkhead_sdk::{DelegateError, Exit, Usage};
use serde_json::{Value, json};
use tempfile::TempDir;

use handlers_shared::Payload;

use crate::{ExecuteGpu, work};

fn schema(text: &str) -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(text).expect("JSON");
    jsonschema::validator_for(&schema).expect("a schema")
}

/// A payload with its workspace and these fields.
fn payload(more: Value) -> Value {
    let mut payload = json!({"workspace_uri": "workspace:a"});
    payload.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    payload
}

fn workspace() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn run(folder: &TempDir, more: Value, answer: Result<Exit, DelegateError>) -> TestRun {
    let job = answer.clone();
    let task = TestTask::new(payload(more)).workspace(folder.path());
    task.docker(move |_| answer.clone()).gpu(move |_| job.clone()).run::<ExecuteGpu>()
}

#[test]
fn an_image_runs_with_devices_and_one_where_none_is_named() {
    for (more, gpus) in [(json!({"image": "cuda:11"}), 1), (json!({"image": "cuda:11", "gpus": 2}), 2)] {
        let run = run(&workspace(), more, Ok(Exit::default()));
        let container = &run.containers[0];
        assert_eq!((container.image.as_str(), container.gpus, run.jobs.len()), ("cuda:11", gpus, 0));
        assert_eq!((container.mounts[0].target.as_str(), container.network), ("/workspace", false));
        assert_eq!(container.working_dir.as_deref(), Some("/workspace"));
    }
}

#[test]
fn a_program_runs_with_devices_and_without_a_container() {
    let folder = workspace();
    let more = json!({
        "program": "train", "command": ["--epochs", "3"], "gpus": 2, "env": {"A": "1"}, "stdin": "in",
        "source": {"train.toml": "rate = 1"}, "limits": {"gpu_memory": "8GiB"},
    });
    let run = run(&folder, more, Ok(Exit::default()));
    let job = &run.jobs[0];
    assert_eq!((job.program.as_str(), job.gpus, run.containers.len()), ("train", 2, 0));
    assert_eq!((job.arguments.join(" ").as_str(), job.stdin.as_slice()), ("--epochs 3", b"in".as_slice()));
    assert_eq!(job.env, [("A".to_owned(), "1".to_owned())]);
    assert_eq!(job.memory_bytes_each, Some(8 << 30));
    assert_eq!(std::fs::read_to_string(folder.path().join("train.toml")).expect("a file"), "rate = 1");
}

#[test]
fn a_program_goes_before_an_image() {
    let run = run(&workspace(), json!({"image": "cuda:11", "program": "train"}), Ok(Exit::default()));
    assert_eq!((run.containers.len(), run.jobs.len()), (0, 1));
}

#[test]
fn a_program_that_fails_is_a_result() {
    let usage = Usage { wall_ms: 12, cpu_ms: 7, peak_memory_bytes: 4096 };
    for more in [json!({"program": "train"}), json!({"image": "cuda:11"})] {
        let exit = Exit { code: 3, stderr: b"no".to_vec(), usage, ..Exit::default() };
        let result = run(&workspace(), more, Ok(exit)).result();
        assert_eq!((&result["exit_code"], &result["stderr"], &result["cpu_ms"]), (&json!(3), &json!("no"), &json!(7)));
        assert!(schema(include_str!("../schema/result.json")).is_valid(&result));
    }
}

#[test]
fn what_the_delegate_says_decides_whether_it_is_tried_again() {
    for more in [json!({"program": "train"}), json!({"image": "cuda:11"})] {
        let denied = run(&workspace(), more.clone(), Err(DelegateError::Denied("why".to_owned())));
        assert_eq!((denied.failure().code.as_str(), denied.failure().retryable), ("denied", false));
        let busy = run(&workspace(), more, Err(DelegateError::Unavailable("no device is free".to_owned())));
        assert_eq!((busy.failure().code.as_str(), busy.failure().retryable), ("unavailable", true));
    }
}

#[test]
fn fields_that_do_not_go_together_are_refused() {
    for (more, words) in [
        (json!({}), "give `image` or `program`"),
        (json!({"image": "a", "gpus": 0}), "at least 1"),
        (json!({"image": "", "gpus": 1}), "must name an image"),
        (json!({"image": "a", "limits": {"gpu_memory": 1}}), "is for a `program`"),
        (json!({"program": "a", "limits": {"cpus": 1}}), "are for containers"),
    ] {
        let run = run(&workspace(), more.clone(), Ok(Exit::default()));
        assert_eq!((run.failure().code.as_str(), run.failure().retryable), ("bad_payload", false), "{more}");
        assert!(run.failure().message.contains(words), "{more}: {}", run.failure().message);
        assert_eq!((run.containers.len(), run.jobs.len()), (0, 0));
    }
}

#[test]
fn without_a_workspace_the_setting_is_named_and_nothing_runs() {
    let run = TestTask::new(payload(json!({"program": "train"}))).gpu(|_| Ok(Exit::default())).run::<ExecuteGpu>();
    assert_eq!((run.failure().code.as_str(), run.jobs.len()), ("no_workspace", 0));
    assert!(run.failure().message.contains("[handler.execute-gpu.grants]"), "{}", run.failure().message);
}

#[test]
fn only_what_asks_for_devices_is_taken() {
    let task = |more: Value| TestTask::new(payload(more));
    assert!(task(json!({"image": "a", "gpus": 1})).dispatch::<ExecuteGpu>());
    assert!(task(json!({"program": "train"})).dispatch::<ExecuteGpu>());
    assert!(task(json!({"image": "a"})).requiring(["docker", "gpu"]).dispatch::<ExecuteGpu>());
    assert!(task(json!({"image": "a"})).requiring(["cuda11"]).dispatch::<ExecuteGpu>());
    assert!(!task(json!({"image": "a"})).requiring(["docker"]).dispatch::<ExecuteGpu>());
}

#[test]
fn the_schema_takes_what_the_handler_takes_and_refuses_what_it_refuses() {
    let schema = schema(include_str!("../schema/payload.json"));
    let taken = |payload: &Value| {
        let read = serde_json::from_value::<Payload>(payload.clone());
        (schema.is_valid(payload), read.is_ok_and(|payload| work(&payload).is_ok()))
    };
    for more in [
        json!({"image": "a"}),
        json!({"image": "a", "program": null, "gpus": 4, "command": ["x"], "source": "x"}),
        json!({"image": "a", "limits": {"memory": "1GiB", "cpus": 2, "processes": 64}}),
        json!({"program": "train", "gpus": null}),
        json!({"program": "train", "image": "a"}),
        json!({"program": "train", "limits": {"gpu_memory": 1073741824}}),
    ] {
        assert_eq!(taken(&payload(more.clone())), (true, true), "{more}");
    }
    for more in [
        json!({}),
        json!({"image": "a", "gpus": 0}),
        json!({"image": "a", "gpus": -1}),
        json!({"image": "a", "gpus": "all"}),
        json!({"image": "a", "workspace_uri": "a"}),
        json!({"image": "a", "limits": {"gpu_memory": 1}}),
        json!({"program": "a", "limits": {"memory": 1}}),
        json!({"program": "a", "limits": {"gpus": 1}}),
        json!({"program": "a", "arguments": []}),
        json!({"image": "a", "workspace_uri": null}),
    ] {
        assert_eq!(taken(&payload(more.clone())), (false, false), "{more}");
    }
}
