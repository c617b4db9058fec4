//! Lists on the command line.

use bulkhead_tests::Folder;
use serde_json::{Value, json};

#[test]
fn lists_are_narrowed_by_tags() {
    let folder = Folder::with_guests(&["echo", "panic"]);
    let host = folder.host();
    let tagged = |kind: &str, tags: Value| {
        let id = host.client.submit(&json!({ "kind": kind, "tags": tags, "max_attempts": 1 }));
        host.client.ended(&id);
        id
    };
    let both = tagged("ECHO", json!({ "team": "blue", "formula": "a=b" }));
    let one = tagged("ECHO", json!({ "team": "blue" }));
    let other = tagged("ECHO", json!({ "team": "red" }));
    let dead = tagged("PANIC", json!({ "team": "blue" }));

    let listed = |list: [&str; 2], tags: &[&str]| -> Vec<String> {
        let narrowed = tags.iter().flat_map(|tag| ["--tag", tag]);
        let arguments: Vec<&str> = ["--output", "json"].into_iter().chain(list).chain(narrowed).collect();
        let mut ids: Vec<String> = host
            .cli(&folder, &arguments)
            .json()
            .as_array()
            .into_iter()
            .flatten()
            .map(|task| task["id"].as_str().expect("an id").to_owned())
            .collect();
        ids.sort_unstable();
        ids
    };
    let sorted = |ids: &[&String]| -> Vec<String> {
        let mut ids: Vec<String> = ids.iter().map(|id| (*id).clone()).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(listed(["task", "list"], &["team=blue"]), sorted(&[&both, &one, &dead]));
    assert_eq!(listed(["task", "list"], &["team=blue", "formula=a=b"]), sorted(&[&both]));
    assert_eq!(listed(["task", "list"], &["team=red"]), sorted(&[&other]));
    assert_eq!(listed(["task", "list"], &["team="]), sorted(&[]));
    assert_eq!(listed(["dlq", "list"], &["team=blue"]), sorted(&[&dead]));
    assert_eq!(listed(["dlq", "list"], &["team=red"]), sorted(&[]));
    host.cli(&folder, &["task", "list", "--tag", "team"]).failed(2, &["a tag is NAME=VALUE: `team`"]);
}
