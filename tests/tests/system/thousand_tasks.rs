//! The example of a thousand tasks, of which one in twenty goes wrong.

use bulkhead_tests::{Folder, places};
use serde_json::{Value, json};

#[test]
fn a_thousand_tasks_end_as_the_example_says() {
    let example = places::root().join("examples/thousand-tasks");
    let folder = Folder::fresh();
    let component = places::handler("examples/thousand-tasks", "thousand-tasks");
    folder.drop_in("thousand_tasks", &std::fs::read(component).expect("the component"));
    let host = folder.host();
    let file = example.join("tasks.ndjson");
    let file = file.to_str().expect("a path in UTF-8");
    let ran = host.cli(&folder, &["submit", "--file", file, "--wait", "--output", "json"]);
    assert_eq!(ran.code, Some(1), "some failed: {ran:#?}");
    let expected = std::fs::read_to_string(example.join("expected.json")).expect("the example");
    let ends: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(ends, serde_json::from_str::<Value>(&expected).expect("JSON"));

    // The same file again is the same tasks.
    let again = host.cli(&folder, &["submit", "--file", file, "--output", "json"]).json();
    assert_eq!(again, json!({"accepted": 0, "duplicates": 1000}));
    assert_eq!(host.client.count("kind=INVOICE"), 1000);

    // What it added up, added up here.
    let tasks = std::fs::read_to_string(file).expect("the example");
    for line in tasks.lines().step_by(97) {
        let task: Value = serde_json::from_str(line).expect("JSON");
        let ended = host.client.task(task["id"].as_str().unwrap_or_default());
        if ended["state"] == "succeeded" {
            let cents = |line: &Value| line["quantity"].as_u64().zip(line["unit_price"].as_u64()).map(|(q, p)| q * p);
            let net: u64 = task["payload"]["lines"].as_array().into_iter().flatten().filter_map(cents).sum();
            assert_eq!(ended["result"]["net"], json!(net), "{ended:#}");
        }
    }
}
