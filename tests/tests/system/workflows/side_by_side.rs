//! Workflows of several hosts on one PostgreSQL database.

use bulkhead_tests::{Database, Folder, skipped};
use serde_json::{Value, json};

use super::{put, settled, start, states, step, workflow};

const TEMPLATE: &str = r"
name: wide
steps:
  - {name: choose, kind: STEP, type: decision, handler: {method: decide each}}
  - {name: each, kind: STEP, depends_on: [choose], for_each: input.items}
  - {name: never, kind: STEP, depends_on: [choose]}
  - {name: end, kind: STEP, type: deferred_convergence, depends_on: [each, never]}
";

#[test]
fn the_steps_of_a_workflow_run_on_all_hosts_and_each_host_shows_it() {
    let Some(database) = Database::make() else { return skipped("there is no PostgreSQL") };
    let folders =
        ["one", "two"].map(|name| Folder::on_server(&database.url, name, &["steps"], "worker.max_concurrent = 2\n"));
    for folder in &folders {
        std::fs::create_dir(folder.path().join("workflows")).expect("a folder can be made");
    }
    // Only one of them has the template: the other runs its steps all the same.
    put(&folders[0], "wide.yaml", TEMPLATE);
    let hosts = folders.each_ref().map(Folder::host);
    let items: Vec<Value> = (0..40).map(|number| json!(number)).collect();
    let ids: Vec<String> = (0..5).map(|_| start(&hosts[0], "wide", &json!({ "items": items }))).collect();
    let mut workers = std::collections::BTreeSet::new();
    for id in &ids {
        let ended = settled(&hosts[1], id);
        assert_eq!(
            (states(&ended), &ended["state"]),
            (vec!["succeeded", "succeeded", "skipped", "succeeded"], &json!("succeeded"))
        );
        assert_eq!(workflow(&hosts[0], id)["steps"], ended["steps"]);
        let upstream = step(&ended, "end")["result"]["upstream"].as_object().expect("those before it");
        assert_eq!(upstream.values().filter(|end| end["step"].is_string()).count(), 40, "{ended:#}");
        let slow = ended["slowest_attempts"].as_array().expect("attempts");
        workers.extend(slow.iter().filter_map(|slow| slow["worker"].as_str().map(str::to_owned)));
    }
    assert_eq!(workers.len(), 2, "{workers:?}");
    assert_eq!(hosts[1].client.post("/v1/workflows", &json!({ "template": "wide" })).status, 404);
}
