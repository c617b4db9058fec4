//! A task of kind EVOLVE from its first stage to its end, with children that end as the test says.

use bulkhead_sdk::prelude::*;
use bulkhead_sdk::testing::{TestRun, TestTask};
use bulkhead_sdk::{Child, Join, UpstreamEnd};

use crate::Evolve;

/// How a whole evolution went.
struct Course {
    result: Result<Value, Failure>,
    /// The children of each stage.
    spawned: Vec<Vec<Child>>,
    progress: Vec<String>,
    warnings: Vec<String>,
    largest_state: usize,
}

impl Course {
    fn result(&self) -> &Value {
        self.result.as_ref().expect("it succeeds")
    }

    /// The children of a kind, by name.
    fn names(&self, kind: &str) -> Vec<&str> {
        let all = self.spawned.iter().flatten().filter(|child| child.kind == kind);
        all.filter_map(|child| child.name.as_deref()).collect()
    }
}

fn payload(more: Value) -> Value {
    let mut payload = json!({
        "source": "100", "image": "awk:1", "command": ["awk", "-f", "main"], "generations": 3, "population": 2, "pool": "speed",
    });
    payload.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    payload
}

/// Runs it to its end. `end` says how a child ends, by its kind, name and payload.
fn evolve(payload: &Value, end: impl Fn(&str, &str, &Value) -> UpstreamEnd) -> Course {
    let mut course = Course {
        result: Ok(Value::Null),
        spawned: Vec::new(),
        progress: Vec::new(),
        warnings: Vec::new(),
        largest_state: 0,
    };
    let mut task = TestTask::new(payload).id("e");
    for stage in 1.. {
        let run: TestRun = task.run::<Evolve>();
        course.progress.extend(run.progress.into_iter().map(|progress| progress.text));
        course.warnings.extend(run.logs.into_iter().map(|(_, message, _)| message));
        let (children, state) = match run.outcome {
            Ok(Outcome::Spawn { children, join: Join::BestEffort, state: Some(state) }) => (children, state),
            Ok(Outcome::Complete { result, .. }) => {
                course.result = Ok(result);
                break;
            }
            Ok(other) => panic!("{other:?}"),
            Err(failure) => {
                course.result = Err(failure);
                break;
            }
        };
        course.largest_state = course.largest_state.max(state.to_string().len());
        task = TestTask::new(payload).id("e").resumed(stage, state);
        for child in &children {
            let name = child.name.as_deref().expect("a name");
            task = task.upstream_ended(name, end(&child.kind, name, &child.payload));
        }
        course.spawned.push(children);
    }
    course
}

fn good(result: Value) -> UpstreamEnd {
    UpstreamEnd::Succeeded(result)
}

fn bad(code: &str) -> UpstreamEnd {
    UpstreamEnd::Failed(Failure::permanent(code, "why"))
}

/// A program is a number, which is its time: each change takes its own number off it, and less time is a better score.
fn works(kind: &str, name: &str, payload: &Value) -> UpstreamEnd {
    match kind {
        "MUTATE" => {
            let time: i64 = payload["source"].as_str().expect("a text").parse().expect("a number");
            let change: i64 = name.rsplit('.').next().expect("a change").parse().expect("a number");
            good(json!({"source": (time - change).to_string(), "diff": "", "backend": "b"}))
        }
        "EXECUTE" => good(json!({"exit_code": 0, "stdout": payload["source"]})),
        _ => {
            let time: f64 = payload["run"]["stdout"].as_str().expect("a text").parse().expect("a number");
            good(json!({"score": 1.0 - time / 100.0, "scores": {}, "values": {}, "missing": {}}))
        }
    }
}

#[test]
fn the_score_rises_from_generation_to_generation() {
    let course = evolve(&payload(json!({"keep": 1})), works);
    let best = json!({"source": "94", "score": 0.06, "generation": 3});
    let result = course.result();
    assert_eq!((&result["best"]["source"], &result["best"]["generation"]), (&best["source"], &best["generation"]));
    assert_eq!(result["baseline"], 0.0);
    let scores: Vec<f64> =
        result["generations"].as_array().expect("a list").iter().filter_map(|row| row["best"].as_f64()).collect();
    assert!(scores.len() == 3 && scores.is_sorted_by(|one, other| one < other), "{scores:?}");
    let first = &result["generations"][0];
    assert!((first["mean"].as_f64().expect("a number") - 0.015).abs() < 1e-9, "{first}");
    assert_eq!((&first["tried"], &first["failed_runs"]), (&json!(2), &json!(0)));
    assert_eq!(course.names("MUTATE"), ["1.1", "1.2", "2.1", "2.2", "3.1", "3.2"]);
    assert_eq!(course.names("EXECUTE"), ["0.1", "1.1", "1.2", "2.1", "2.2", "3.1", "3.2"]);
    assert_eq!(course.names("EVALUATE"), course.names("EXECUTE"));
    assert_eq!(course.progress.len(), 4);
    assert!(course.progress[3].starts_with("generation 3 of 3: best 0.06"), "{:?}", course.progress);
}

#[test]
fn children_are_asked_as_their_handlers_take_it() {
    let course = evolve(&payload(json!({"prompt": "Faster."})), works);
    let first = |kind: &str| course.spawned.iter().flatten().find(|child| child.kind == kind).expect("one").clone();
    let expected = json!({"workspace_uri": "workspace:e.0.1", "image": "awk:1", "command": ["awk", "-f", "main"], "source": "100"});
    assert_eq!(first("EXECUTE").payload, expected);
    let run = json!({"exit_code": 0, "stdout": "100"});
    assert_eq!(first("EVALUATE").payload, json!({"workspace_uri": "workspace:e.0.1", "pool": "speed", "run": run}));
    let expected = json!({
        "workspace_uri": "workspace:e.1.1", "source": "100", "parents": [{"source": "100", "score": 0.0}],
        "prompt": "Faster.\n\n(Generation 1, change 1 of 2: look for an idea of its own.)",
    });
    assert_eq!(first("MUTATE").payload, expected);
}

#[test]
fn children_that_fail_are_counted_and_end_nothing() {
    let course =
        evolve(&payload(json!({"population": 8, "generations": 1})), |kind, name, payload| match (kind, name) {
            ("MUTATE", "1.2") => bad("bad_patch"),
            ("MUTATE", "1.3") => bad("unavailable"),
            ("MUTATE", "1.4") => UpstreamEnd::Cancelled,
            ("MUTATE", "1.5") => good(json!({"source": "100"})),
            ("EXECUTE", "1.6") => bad("timed_out"),
            ("EVALUATE", "1.7") => bad("missing_value"),
            _ => works(kind, name, payload),
        });
    let generation = &course.result()["generations"][0];
    let best = generation["best"].as_f64().expect("a number");
    assert!((best - 0.08).abs() < 1e-9, "{generation}");
    let mut expected = json!({
        "generation": 1, "tried": 4, "repeated": 1, "bad_patch": 1, "unavailable": 2, "failed_runs": 2,
    });
    for field in ["best", "mean"] {
        expected[field] = generation[field].clone();
    }
    assert_eq!(generation, &expected);
    assert_eq!(course.warnings.len(), 5, "{:?}", course.warnings);
    assert_eq!(course.warnings[0], "1.2: bad_patch: why");
}

#[test]
fn generations_of_which_nothing_comes_leave_the_first_program_the_best() {
    let course = evolve(&payload(json!({})), |kind, name, payload| match kind {
        "MUTATE" => bad("unavailable"),
        _ => works(kind, name, payload),
    });
    let result = course.result();
    assert_eq!(result["best"], json!({"source": "100", "score": 0.0, "generation": 0}));
    assert_eq!(result["generations"][2]["unavailable"], 2);
    assert_eq!(result["generations"][2]["mean"], Value::Null);
}

#[test]
fn a_first_program_that_does_not_work_is_a_failure_that_says_why() {
    for kind in ["EXECUTE", "EVALUATE"] {
        let course = evolve(
            &payload(json!({})),
            |of, name, payload| {
                if of == kind { bad("denied") } else { works(of, name, payload) }
            },
        );
        let failure = course.result.expect_err("a failure");
        assert_eq!((failure.code.as_str(), failure.retryable), ("no_baseline", false));
        assert_eq!(failure.message, "the first program has no score: denied: why");
    }
}

#[test]
fn the_same_answers_give_the_same_evolution_and_another_seed_another() {
    let spawned = |seed: u64| evolve(&payload(json!({"population": 6, "seed": seed})), works).spawned;
    assert_eq!(spawned(1), spawned(1));
    assert_ne!(spawned(1), spawned(2));
}

#[test]
fn programs_and_their_output_may_be_as_large_as_the_host_takes() {
    let payload = payload(json!({"generations": 2, "population": 64, "keep": 64}));
    let course = evolve(&payload, |kind, name, _| match kind {
        // The change that is too large is one that cannot be used.
        "MUTATE" if name.ends_with(".64") => good(json!({"source": "x".repeat(100_000)})),
        "MUTATE" => good(json!({"source": format!("{name} {}", "x".repeat(2_900))})),
        "EXECUTE" => good(json!({"exit_code": 0, "stdout": "ä".repeat(300_000), "stderr": "\u{1}".repeat(60_000)})),
        _ => good(json!({"score": 1})),
    });
    assert_eq!(course.result()["generations"][1]["bad_patch"], 1);
    assert!(course.largest_state < 1 << 20, "{}", course.largest_state);
    for stage in &course.spawned {
        let bytes: usize = stage.iter().map(|child| child.payload.to_string().len()).sum();
        assert!(bytes < 17 << 20, "{bytes}");
    }
}

#[test]
fn a_payload_that_makes_no_sense_is_refused() {
    let large = "x".repeat(800 << 10);
    for more in [
        json!({"generations": 0}),
        json!({"generations": 301}),
        json!({"population": 0}),
        json!({"population": 65}),
        json!({"keep": 0}),
        json!({"source": large}),
        json!({"source": 1}),
        json!({"sauce": 1}),
    ] {
        let run = TestTask::new(payload(more)).run::<Evolve>();
        assert_eq!((run.failure().code.as_str(), run.failure().retryable), ("bad_payload", false));
    }
}

#[test]
fn a_workspace_has_a_name_that_handlers_take_whatever_the_tasks_id() {
    let run = TestTask::new(payload(json!({}))).id(&"i".repeat(128)).run::<Evolve>();
    let Ok(Outcome::Spawn { children, .. }) = run.outcome else { panic!("children") };
    let uri = children[0].payload["workspace_uri"].as_str().expect("a text");
    assert_eq!(uri.len(), "workspace:".len() + 128);
}
