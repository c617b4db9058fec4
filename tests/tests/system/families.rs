//! Tasks that wait: for their children, for an answer, for an operator.

use bulkhead_tests::{Folder, Host, eventually};
use serde_json::{Value, json};

fn host(guests: &[&str]) -> (Folder, Host) {
    let folder = Folder::with_guests(guests);
    let host = folder.host();
    (folder, host)
}

/// Submits a parent and waits until it has ended.
fn ended(host: &Host, lines: &str) -> Value {
    let id = host.client.submit(&json!({ "kind": "FAMILY", "payload": lines }));
    host.client.ended(&id)
}

#[test]
fn a_parent_sees_how_its_children_ended() {
    let (_folder, host) = host(&["family", "echo", "fail"]);
    let task = ended(&host, "best\nECHO 7\nFAIL null\nECHO [1]");
    let ends = json!([["c0", {"succeeded": 7}], ["c1", {"failed": "EMPTY_CART"}], ["c2", {"succeeded": [1]}]]);
    assert_eq!(task["result"], json!({ "ends": ends, "named": true, "nobody": false, "state": "kept" }), "{task}");
    assert_eq!((&task["stage"], &task["attempt"]), (&json!(1), &json!(1)));
    let id = task["id"].as_str().unwrap();
    let children = host.client.get(&format!("/v1/tasks?parent={id}")).body;
    assert_eq!(children["items"].as_array().unwrap().len(), 3);
    assert_eq!(host.client.task(children["items"][0]["id"].as_str().unwrap())["parent"], *id);
}

#[test]
fn a_strict_parent_is_dead_with_its_child_named() {
    let (_folder, host) = host(&["family", "fail", "sleep_forever"]);
    let id = host.client.submit(&json!({ "kind": "FAMILY", "payload": "strict\nFAIL null\nSLEEP null" }));
    let task = host.client.ended(&id);
    assert_eq!((&task["state"], &task["reason"]), (&json!("dead"), &json!("permanent")));
    assert!(task["error"]["message"].as_str().unwrap().contains("`c0`"), "{task}");
    let sleeper = host.client.get(&format!("/v1/tasks?parent={id}&kind=SLEEP")).body["items"][0]["id"].clone();
    assert_eq!(host.client.ended(sleeper.as_str().unwrap())["state"], "cancelled");
}

#[test]
fn a_thousand_children_are_waited_for() {
    let (_folder, host) = host(&["family", "echo"]);
    let lines: Vec<String> = (0..1_000).map(|number| format!("ECHO {number}")).collect();
    let task = ended(&host, &format!("best\n{}", lines.join("\n")));
    let ends = task["result"]["ends"].as_array().unwrap();
    assert_eq!(ends.len(), 1_000);
    assert!(ends.iter().enumerate().all(|(number, end)| end[1]["succeeded"] == number), "{task}");
}

#[test]
fn an_answer_is_given_by_hand() {
    let (folder, host) = host(&["asks_for_answer"]);
    let id = host.client.submit(&json!({ "kind": "APPROVE" }));
    let task = eventually("it waits", || Some(host.client.task(&id)).filter(|task| task["state"] == "suspended"));
    assert_eq!((&task["reason"], &task["waits"]["metadata"]), (&json!("answer"), &json!({ "amount": 7 })));
    assert!(host.cli(&folder, &["task", "show", &id]).good().contains("may it go on?"));
    host.cli(&folder, &["task", "resume", &id, "--payload", "yes"]).failed(2, &["the payload is refused"]);
    host.cli(&folder, &["task", "resume", &id, "--payload", "\"yes\""]).good();
    assert_eq!(host.client.ended(&id)["result"], json!({ "answer": "yes", "stage": 1 }));
    host.cli(&folder, &["task", "resume", &id]).failed(1, &["is succeeded"]);

    let id = host.client.submit(&json!({ "kind": "APPROVE", "payload": 50 }));
    assert_eq!(host.client.ended(&id)["result"], "nobody answered");
}

#[test]
fn an_operator_holds_tasks_back() {
    let (folder, host) = host(&["echo"]);
    let cli = |arguments: &[&str]| host.cli(&folder, arguments).good().to_owned();
    assert!(cli(&["task", "pause", "--kind", "ECHO"]).contains("ECHO"));
    let id = host.client.submit(&json!({ "kind": "ECHO", "payload": 1 }));
    assert_eq!(host.client.get(&format!("/v1/tasks/{id}?wait=200ms")).body["state"], "ready");
    assert!(cli(&["task", "pause", &id]).contains("paused"));
    assert!(cli(&["task", "resume", "--kind", "ECHO"]).contains("nothing is paused"));
    assert_eq!(host.client.get(&format!("/v1/tasks/{id}?wait=200ms")).body["state"], "paused");
    assert!(cli(&["task", "resume", &id]).contains("ready"));
    assert_eq!(host.client.ended(&id)["state"], "succeeded");
}

#[test]
fn a_dead_letter_is_closed_by_hand() {
    let (folder, host) = host(&["panic"]);
    let id = host.client.submit(&json!({ "kind": "PANIC" }));
    assert_eq!(host.client.ended(&id)["state"], "dead");
    host.cli(&folder, &["dlq", "resolve", &id, "--result", "{\"by\":\"hand\"}"]).good();
    let task = host.client.task(&id);
    assert_eq!((&task["state"], &task["result"]), (&json!("resolved"), &json!({ "by": "hand" })));
}
