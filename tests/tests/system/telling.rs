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
    let document = host.cli(&folder, &["--output", "json", "task", "logs", &id]).json();
    assert_eq!((&document[0]["message"], &document[0]["attempt"]), (&json!("it begins"), &json!(1)), "{document}");
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

#[test]
fn what_others_say_is_shown_and_never_obeyed() {
    let folder = Folder::with_guests(&["echo"]);
    let host = folder.host();
    let said = "x\u{1b}[2J\u{9b}31m\r\u{202e}gpj\nstate         dead";
    let payload = json!(said).to_string();
    let submit = ["submit", "ECHO", "--payload", &payload, "--wait"];
    let result = host.cli(&folder, &submit);
    assert_eq!(result.json(), said);
    let id = host.client.submit(&json!({ "kind": "ECHO", "payload": said }));
    assert_eq!(host.client.ended(&id)["result"], said);
    let shown = host.cli(&folder, &["task", "show", &id]);
    assert!(shown.good().contains(r"x\u{1b}[2J\u{9b}31m\r\u{202e}gpj"), "{shown:?}");
    let states: Vec<&str> = shown.stdout.lines().filter(|line| line.starts_with("state")).collect();
    assert_eq!(states, ["state         succeeded"]);
    let document = host.cli(&folder, &["--output", "json", "task", "show", &id]);
    assert_eq!(document.json()["payload"], said);
    let unknown = host.cli(&folder, &["task", "show", "\u{1b}[2J"]);
    unknown.failed(2, &[]);
    for printed in [result.stdout, shown.stdout, document.stdout, unknown.stderr] {
        let obeyed = |character: char| character == '\u{202e}' || character.is_control() && character != '\n';
        assert!(!printed.contains(obeyed), "{printed:?}");
    }
}

fn line(line: &Value) -> (&str, &str) {
    (line["level"].as_str().unwrap_or_default(), line["message"].as_str().unwrap_or_default())
}
