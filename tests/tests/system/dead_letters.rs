//! Dead letters: written out, tried again at a pace, removed.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use bulkhead_tests::Folder;
use serde_json::{Value, json};

#[test]
fn dead_letters_are_exported_retried_at_a_rate_and_purged() {
    let folder = Folder::with_guests(&["panic", "fail"]);
    let host = folder.host();
    let kinds = ["PANIC", "PANIC", "PANIC", "FAIL"];
    let tasks: Vec<Value> = kinds.iter().map(|kind| json!({ "kind": kind, "max_attempts": 1 })).collect();
    let ids = host.client.submit_all(&tasks);
    ids.iter().for_each(|id| assert_eq!(host.client.ended(id)["state"], "dead"));

    let lines = |arguments: &[&str]| -> Vec<Value> {
        let ran = host.cli(&folder, arguments);
        ran.good().lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    };
    let exported = lines(&["dlq", "export"]);
    assert_eq!(exported.len(), 4);
    assert!(exported.iter().all(|task| task["attempts"].as_array().is_some_and(|attempts| attempts.len() == 1)));
    assert_eq!(lines(&["dlq", "export", "--kind", "FAIL"])[0]["id"], *ids[3]);
    assert_eq!(lines(&["dlq", "export", "--reason", "trap"]).len(), 3);

    let retried = host.cli(&folder, &["dlq", "retry", "--kind", "PANIC", "--rate", "2"]);
    assert!(retried.good().contains("3 dead letters"), "{retried:?}");
    // They die again, each once.
    let epochs = |task: Value| task["epoch"].clone();
    ids[..3].iter().for_each(|id| {
        bulkhead_tests::eventually("it died again", || (host.client.task(id)["state"] == "dead").then_some(()));
        assert_eq!(epochs(host.client.task(id)), 2);
    });

    let resolved = host.cli(&folder, &["--output", "json", "dlq", "resolve", &ids[0], &ids[1]]).json();
    assert_eq!((&resolved[0]["id"], &resolved[1]["state"]), (&json!(ids[0]), &json!("resolved")), "{resolved}");

    assert!(host.cli(&folder, &["dlq", "purge", "--older-than", "1h"]).good().starts_with("0 "));
    assert!(host.cli(&folder, &["dlq", "purge", "--older-than", "0s", "--kind", "FAIL"]).good().starts_with("1 "));
    assert_eq!(host.client.get(&format!("/v1/tasks/{}", ids[3])).status, 404);
    assert_eq!(host.client.count("state=dead"), 1);
}

#[test]
fn a_caller_waits_for_room_in_the_queue() {
    let folder = Folder::with_settings("[store]\nmax_pending = 2\n[worker]\ncpu_slots = 1\nmax_concurrent = 1\n");
    folder.drop_in("nap", &bulkhead_test_guests::guest_bytes("nap"));
    let host = folder.host();
    host.cli(&folder, &["task", "pause", "--all"]).good();
    (0..2).for_each(|_| drop(host.client.submit(&json!({ "kind": "NAP", "payload": 1 }))));
    let refused = host.client.try_post("/v1/tasks", "application/json", br#"{"kind":"NAP"}"#).expect("an answer");
    assert_eq!(refused.status, 429, "{refused:?}");
    let never = host.client.try_post("/v1/tasks", "application/json", br#"[{"kind":"N"},{"kind":"N"},{"kind":"N"}]"#);
    assert_eq!(never.expect("an answer").status, 422);
    let mut command = folder.command();
    command.args(["--url", &host.url, "submit", "NAP", "--payload", "1", "--wait"]);
    let mut waiting =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut said = String::new();
    BufReader::new(waiting.stderr.take().expect("its words")).read_line(&mut said).expect("a line");
    assert!(said.contains("waiting for room in the queue: 2 tasks wait already"), "{said}");
    host.cli(&folder, &["task", "resume", "--all"]).good();
    assert!(waiting.wait().expect("it ends").success());
}
