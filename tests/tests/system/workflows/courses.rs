//! Where workflows go: branches, lists, batches, steps that die, and what operators ask.

use bulkhead_tests::{Folder, Host, eventually};
use serde_json::{Value, json};

use super::{folder, put, settled, start, states, step, workflow};

/// A host with these guests and one template.
fn host(guests: &[&str], template: &str) -> (Folder, Host) {
    let folder = folder(guests, &[("it.yaml", template)]);
    let host = folder.host();
    (folder, host)
}

#[test]
fn a_decision_takes_one_branch_and_the_branches_meet_again() {
    let template = r"
name: approval
steps:
  - {name: route, kind: STEP, type: decision, handler: {method: decide manager}}
  - {name: auto, kind: STEP, depends_on: [route]}
  - {name: manager, kind: STEP, depends_on: [route]}
  - {name: finish, kind: STEP, type: deferred_convergence, depends_on: [auto, manager]}
";
    let (_folder, host) = host(&["steps"], template);
    let ended = settled(&host, &start(&host, "approval", &json!({})));
    assert_eq!(states(&ended), ["succeeded", "skipped", "succeeded", "succeeded"], "{ended:#}");
    let upstream = &step(&ended, "finish")["result"]["upstream"];
    assert_eq!((&upstream["auto"], &upstream["manager"]["step"]), (&json!("skipped"), &json!("manager")), "{ended:#}");
    let path: Vec<&str> =
        ended["critical_path"].as_array().expect("a path").iter().filter_map(|part| part["step"].as_str()).collect();
    assert_eq!(path, ["route", "manager", "finish"]);
}

#[test]
fn a_decision_for_a_step_that_is_not_there_ends_badly() {
    let template = r"
name: approval
steps:
  - {name: route, kind: STEP, type: decision, handler: {method: decide nobody}}
  - {name: auto, kind: STEP, depends_on: [route]}
";
    let (_folder, host) = host(&["steps"], template);
    let ended = settled(&host, &start(&host, "approval", &json!({})));
    let route = step(&ended, "route");
    assert_eq!((&route["state"], &route["reason"]), (&json!("dead"), &json!("invalid_outcome")), "{ended:#}");
    assert!(route["error"]["message"].as_str().is_some_and(|words| words.contains("nobody")), "{ended:#}");
}

#[test]
fn a_task_runs_for_each_of_a_list_and_so_many_are_enough() {
    let template = r"
name: models
steps:
  - {name: plan, kind: STEP}
  - {name: train, kind: STEP, depends_on: [plan], for_each: input.models, join: at-least(2)}
  - {name: compare, kind: STEP, depends_on: [train]}
";
    let (_folder, host) = host(&["steps"], template);
    let ended = settled(&host, &start(&host, "models", &json!({ "models": ["a", "b", "c"] })));
    assert_eq!(states(&ended), ["succeeded"; 3], "{ended:#}");
    let upstream = step(&ended, "compare")["result"]["upstream"].as_object().expect("those before it");
    let seen: Vec<(&str, &Value)> = upstream.iter().map(|(name, end)| (name.as_str(), &end["payload"])).collect();
    assert!(seen.len() == 3 && seen.contains(&("train_001", &json!("a"))), "{ended:#}");
    assert!(seen.contains(&("train_003", &json!("c"))), "{ended:#}");
    let slow: Vec<&str> = ended["slowest_attempts"]
        .as_array()
        .expect("attempts")
        .iter()
        .filter_map(|slow| slow["step"].as_str())
        .collect();
    assert!(slow.contains(&"train_002"), "{ended:#}");
    // A list of nothing is no task, and nothing is wrong with that.
    let ended = settled(&host, &start(&host, "models", &json!({ "models": [] })));
    assert_eq!(states(&ended), ["succeeded"; 3], "{ended:#}");
}

/// A batch of three ranges, of which the middle one fails.
fn batch(strategy: &str) -> String {
    format!(
        r"
name: import
steps:
  - name: analyze
    kind: STEP
    type: batchable
    handler: {{method: batch 25 10}}
    batch_config: {{batch_size: 10, parallelism: 3, worker_template: rows, failure_strategy: {strategy}}}
  - {{name: rows, kind: STEP, type: batch_worker, depends_on: [analyze], handler: {{method: fail 10}}}}
  - {{name: report, kind: STEP, type: deferred_convergence, depends_on: [rows]}}
"
    )
}

#[test]
fn a_batch_goes_on_without_its_bad_ranges_where_it_may() {
    let (_folder, host) = host(&["steps"], &batch("continue_on_failure"));
    let ended = settled(&host, &start(&host, "import", &json!({})));
    assert_eq!((states(&ended), &ended["state"]), (vec!["succeeded"; 3], &json!("succeeded")), "{ended:#}");
    let upstream = &step(&ended, "report")["result"]["upstream"];
    assert_eq!((&upstream["rows_001"]["range"], &upstream["rows_003"]["range"]), (&json!([0, 10]), &json!([20, 25])));
    assert_eq!(upstream["rows_002"], "TOLD_TO", "{ended:#}");
}

#[test]
fn a_batch_ends_with_its_first_bad_range_or_waits_for_it_as_it_was_told() {
    for strategy in ["fail_fast", "isolate"] {
        let (_folder, host) = host(&["steps"], &batch(strategy));
        let ended = settled(&host, &start(&host, "import", &json!({})));
        assert_eq!(states(&ended), ["succeeded", "dead", "blocked"], "{strategy}: {ended:#}");
        assert_eq!((&ended["state"], &ended["failed_steps"]), (&json!("blocked"), &json!(["rows"])), "{strategy}");
    }
}

#[test]
fn a_batch_that_waits_goes_on_once_its_bad_ranges_are_helped_and_its_step_is_retried() {
    let (folder, host) = host(&["steps"], &batch("isolate"));
    let ran = host.cli(&folder, &["workflow", "start", "import", "--id", "i", "--wait"]);
    ran.failed(1, &["requeue or resolve them, then retry the step", "task list --parent", "dlq retry"]);
    let rows = step(&workflow(&host, "i"), "rows")["task"].as_str().expect("a task").to_owned();
    let listed = host.cli(&folder, &["--output", "json", "task", "list", "--parent", &rows, "--state", "dead"]).json();
    let [bad] = listed.as_array().expect("a list").as_slice() else { panic!("{listed:#}") };
    assert_eq!(bad["workflow"]["step"], "rows_002", "{listed:#}");
    host.cli(&folder, &["dlq", "resolve", bad["id"].as_str().expect("an id"), "--result", "\"by hand\""]).good();
    host.cli(&folder, &["dlq", "retry", &rows]).good();
    let ended = settled(&host, "i");
    assert_eq!((states(&ended), &ended["state"]), (vec!["succeeded"; 3], &json!("succeeded")), "{ended:#}");
    let upstream = &step(&ended, "report")["result"]["upstream"];
    assert_eq!(
        (&upstream["rows_001"]["range"], &upstream["rows_002"]),
        (&json!([0, 10]), &json!("by hand")),
        "{ended:#}"
    );
    // Those that had ended well were not run again.
    assert_eq!(host.client.count(&format!("parent={rows}")), 3);
}

#[test]
fn a_step_ends_the_whole_workflow_early_and_well() {
    let template = r"
name: short
steps:
  - {name: look, kind: STEP, handler: {method: terminate}}
  - {name: work, kind: STEP, depends_on: [look]}
";
    let (_folder, host) = host(&["steps"], template);
    let ended = settled(&host, &start(&host, "short", &json!({})));
    assert_eq!((states(&ended), &ended["state"]), (vec!["succeeded", "skipped"], &json!("succeeded")), "{ended:#}");
    assert_eq!(ended["terminated"], true);
}

#[test]
fn a_dead_step_is_mended_and_retried_and_the_workflow_goes_on() {
    let template = r"
name: fragile
steps:
  - {name: first, kind: STEP}
  - {name: breaks, kind: PANIC, depends_on: [first], publishes_events: [{name: it.broke, condition: failure}]}
  - {name: after, kind: STEP, depends_on: [breaks]}
  - {name: beside, kind: STEP, depends_on: [first]}
";
    let (folder, host) = host(&["steps", "panic"], template);
    let ran = host.cli(&folder, &["workflow", "start", "fragile", "--wait"]);
    ran.failed(1, &["is blocked", "step breaks is dead (trap)", "bulkhead dlq retry ", "dlq resolve"]);
    let command = ran.stderr.split("`bulkhead ").nth(1).and_then(|rest| rest.split('`').next()).expect("a command");
    let listed = host.cli(&folder, &["--output", "json", "workflow", "list", "--state", "blocked"]).json();
    let id = listed[0]["id"].as_str().expect("one that is blocked").to_owned();
    let blocked = workflow(&host, &id);
    assert_eq!(states(&blocked), ["succeeded", "dead", "blocked", "succeeded"], "{blocked:#}");
    let shown = host.cli(&folder, &["workflow", "show", &id]);
    for words in [
        "state         blocked",
        "fragile@1.0.0",
        "critical path: first",
        "SLOWEST ATTEMPTS",
        "the handler trapped",
        command,
    ] {
        assert!(shown.good().contains(words), "`{words}` is not in {shown:#?}");
    }

    let mended = folder.drop_in("panic", &bulkhead_test_guests::guest_bytes("panic_mended"));
    let digest = |host: &Host| host.client.handler("panic").map(|handler| handler["digest"].clone());
    let before = step(&blocked, "breaks")["task"]
        .as_str()
        .map(|task| host.client.task(task)["attempts"][0]["digests"][0].clone());
    eventually("the mended handler", || (digest(&host) != before).then_some(()));
    assert!(mended.is_file());
    host.cli(&folder, &command.split(' ').collect::<Vec<_>>()).good();
    let ended = settled(&host, &id);
    assert_eq!((states(&ended), &ended["state"]), (vec!["succeeded"; 4], &json!("succeeded")), "{ended:#}");
}

#[test]
fn a_dead_step_is_resolved_and_its_result_is_taken_from_there() {
    let template = r"
name: fragile
steps:
  - {name: breaks, kind: STEP, handler: {method: fail}}
  - {name: after, kind: STEP, depends_on: [breaks]}
";
    let (folder, host) = host(&["steps"], template);
    let id = start(&host, "fragile", &json!({}));
    let blocked = settled(&host, &id);
    let task = step(&blocked, "breaks")["task"].as_str().expect("a task");
    host.cli(&folder, &["dlq", "resolve", task, "--result", r#"{"by": "hand"}"#]).good();
    let ended = settled(&host, &id);
    assert_eq!((states(&ended), &ended["state"]), (vec!["resolved", "succeeded"], &json!("succeeded")), "{ended:#}");
    assert_eq!(step(&ended, "after")["result"]["upstream"]["breaks"], json!({ "by": "hand" }));
}

#[test]
fn a_decision_is_resolved_with_the_steps_that_run_and_an_analyzer_with_its_ranges() {
    let template = r"
name: approval
steps:
  - {name: route, kind: STEP, type: decision, handler: {method: decide nobody}}
  - {name: auto, kind: STEP, depends_on: [route]}
  - {name: manager, kind: STEP, depends_on: [route]}
";
    let (folder, host) = host(&["steps"], template);
    put(&folder, "import.yaml", &batch("isolate").replace("batch 25 10", "fail"));
    eventually("the template is there", || {
        (host.client.get("/v1/templates/default/import").status == 200).then_some(())
    });
    let id = start(&host, "approval", &json!({}));
    let route = step(&settled(&host, &id), "route")["task"].as_str().expect("a task").to_owned();
    for result in ["null", r#"["nowhere"]"#] {
        host.cli(&folder, &["dlq", "resolve", &route, "--result", result]).failed(1, &["there are auto, manager"]);
    }
    host.cli(&folder, &["dlq", "resolve", &route, "--result", r#"["manager"]"#]).good();
    assert_eq!(states(&settled(&host, &id)), ["resolved", "skipped", "succeeded"]);

    let id = start(&host, "import", &json!({}));
    let analyze = step(&settled(&host, &id), "analyze")["task"].as_str().expect("a task").to_owned();
    host.cli(&folder, &["dlq", "resolve", &analyze, "--result", "[]"]).failed(1, &[r#"{"cursors": [{"start": 0"#]);
    let ranges = r#"{"cursors": [{"start": 0, "end": 5}, {"start": 5, "end": 9}]}"#;
    host.cli(&folder, &["dlq", "resolve", &analyze, "--result", ranges]).good();
    let ended = settled(&host, &id);
    assert_eq!(states(&ended), ["resolved", "succeeded", "succeeded"], "{ended:#}");
    let upstream = &step(&ended, "report")["result"]["upstream"];
    assert_eq!((&upstream["rows_001"]["range"], &upstream["rows_002"]["range"]), (&json!([0, 5]), &json!([5, 9])));
}

const WAITS: &str = r"
name: waits
steps:
  - {name: ask, kind: APPROVE}
  - {name: after, kind: STEP, depends_on: [ask]}
";

/// A workflow whose first step waits for an answer, and that step's task.
fn waiting(host: &Host) -> (String, String) {
    let id = start(host, "waits", &json!({}));
    let task = eventually("it waits for an answer", || {
        let seen = workflow(host, &id);
        (step(&seen, "ask")["state"] == "suspended").then(|| step(&seen, "ask")["task"].as_str().map(str::to_owned))?
    });
    (id, task)
}

#[test]
fn a_workflow_that_runs_keeps_its_version_and_the_next_has_the_new_one() {
    let (folder, host) = host(&["steps", "asks_for_answer"], WAITS);
    let (id, task) = waiting(&host);
    assert_eq!(workflow(&host, &id)["state"], "waiting");
    put(&folder, "it.yaml", &WAITS.replace("name: waits", "name: waits\nversion: 1.1.0").replace("after", "later"));
    eventually("the new version", || {
        let templates = host.client.get("/v1/templates").body;
        (templates["items"][0]["version"] == "1.1.0").then_some(())
    });
    host.cli(&folder, &["task", "resume", &task, "--payload", "true"]).good();
    let ended = settled(&host, &id);
    assert_eq!((&ended["version"], &ended["state"]), (&json!("1.0.0"), &json!("succeeded")));
    assert_eq!(step(&ended, "after")["result"]["upstream"]["ask"]["answer"], true, "{ended:#}");
    let (next, _) = waiting(&host);
    assert_eq!(step(&workflow(&host, &next), "later")["state"], "waiting");

    // A file that is none any more leaves what is live as it was, and says so.
    put(&folder, "it.yaml", "name: waits\nsteps: []\n");
    let refused = eventually("the error", || {
        let templates = host.client.get("/v1/templates").body;
        templates["refused"][0]["error"].as_str().map(str::to_owned)
    });
    assert!(refused.starts_with("it.yaml:2:"), "{refused}");
    host.cli(&folder, &["workflow", "templates"]).good();
    waiting(&host);
}

#[test]
fn a_workflow_is_paused_resumed_and_cancelled_as_a_whole() {
    let (folder, host) = host(&["steps", "asks_for_answer"], WAITS);
    let (id, task) = waiting(&host);
    assert_eq!(host.cli(&folder, &["workflow", "pause", &id]).good(), format!("{id} waiting"));
    // The answer is taken; what it releases is held.
    host.cli(&folder, &["task", "resume", &task, "--payload", "1"]).good();
    eventually("the step is paused", || (step(&workflow(&host, &id), "ask")["state"] == "paused").then_some(()));
    assert_eq!(workflow(&host, &id)["state"], "waiting");
    host.cli(&folder, &["workflow", "resume", &id]).good();
    assert_eq!(settled(&host, &id)["state"], "succeeded");
    host.cli(&folder, &["workflow", "cancel", &id]).failed(1, &["has ended already: it is succeeded"]);

    let (id, _) = waiting(&host);
    assert_eq!(host.cli(&folder, &["workflow", "cancel", &id]).good(), format!("{id} cancelled"));
    let ended = settled(&host, &id);
    assert_eq!((states(&ended), &ended["state"]), (vec!["cancelled"; 2], &json!("cancelled")), "{ended:#}");
    host.cli(&folder, &["workflow", "cancel", "nobody"]).failed(1, &["there is no workflow `nobody`"]);
}
