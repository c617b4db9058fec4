//! What runs tell of themselves is kept with their task.

use bulkhead_tests::{Folder, eventually};
use serde_json::{Value, json};

#[test]
fn logs_progress_and_audits_are_kept_with_the_task() {
    let folder = Folder::with_guests(&["tells"]);
    let host = folder.host();
    let id = host.client.submit(&json!({ "kind": "TELL" }));
    let task = host.client.ended(&id);
    assert_eq!(task["progress"]["fraction"], 1.0, "{task}");
    assert_eq!((&task["progress"]["stage"], &task["progress"]["text"]), (&json!("counting"), &json!("2 of 2")));

    let logs = host.client.get(&format!("/v1/tasks/{id}/logs")).body;
    let run = &logs["items"][0];
    assert_eq!(
        (&run["epoch"], &run["attempt"], &run["stage"], &logs["next"]),
        (&json!(1), &json!(1), &json!(0), &json!(null))
    );
    let lines: Vec<(&str, &str)> = run["lines"].as_array().expect("lines").iter().map(line).collect();
    assert_eq!(lines, [("info", "it begins"), ("info", "plain words")]);
    assert_eq!(run["lines"][0]["fields"], json!({ "of": 2 }));

    let audit = host.client.get(&format!("/v1/tasks/{id}/audit")).body;
    let codes: Vec<&Value> = audit["items"].as_array().expect("entries").iter().map(|entry| &entry["code"]).collect();
    assert_eq!(codes, ["first_half_done", "second_half_done"]);
    assert_eq!(audit["items"][0]["details"], json!({ "n": 1 }));

    let shown = host.cli(&folder, &["task", "logs", &id]);
    assert!(shown.good().contains(r#"1.1.0 info  it begins {"of":2}"#), "{shown:?}");
    assert!(host.cli(&folder, &["task", "audit", &id]).good().contains("first_half_done"));
    host.cli(&folder, &["task", "logs", "nobody"]).failed(2, &["there is no task `nobody`"]);
}

#[test]
fn progress_is_seen_while_the_task_runs() {
    let folder = Folder::with_guests(&["tells"]);
    let host = folder.host();
    let id = host.client.submit(&json!({ "kind": "TELL", "payload": 60_000 }));
    let task = eventually("progress", || Some(host.client.task(&id)).filter(|task| task.get("progress").is_some()));
    assert_eq!((&task["state"], &task["progress"]["fraction"]), (&json!("running"), &json!(0.5)));
    host.cli(&folder, &["task", "cancel", &id]).good();
    // What was told before the end is kept with it.
    assert_eq!(host.client.ended(&id)["state"], "cancelled");
    let audit = host.client.get(&format!("/v1/tasks/{id}/audit")).body;
    assert_eq!(audit["items"].as_array().map(Vec::len), Some(1), "{audit}");
}

fn line(line: &Value) -> (&str, &str) {
    (line["level"].as_str().unwrap_or_default(), line["message"].as_str().unwrap_or_default())
}
