//! The example etl: rows of a large file, added up in batches, with a host that is killed half-way.

use std::process::Command;
use std::time::Duration;

use bulkhead_tests::{Folder, Host, eventually, places, skipped, within};
use serde_json::{Value, json};

/// All batches, on a machine that does other things, too.
const LIMIT: Duration = Duration::from_secs(300);

const ROWS: u64 = 20_000;
const BATCH: u64 = 1_000;
const CHECKPOINT: u64 = 10;

/// A folder as the example's README makes it, with batches as small as the file; `settings` come on top.
fn folder(settings: &str) -> Folder {
    let example = places::root().join("examples/etl");
    let read = |file: &str| std::fs::read_to_string(example.join(file)).expect("a file of the example");
    let folder = Folder::with_settings(&format!("{}\n{settings}", read("bulkhead.toml")));
    let template = read("workflows/etl.yaml")
        .replace("batch_size: 50000", &format!("batch_size: {BATCH}"))
        .replace("checkpoint_rows: 5000", &format!("checkpoint_rows: {CHECKPOINT}"));
    for place in ["workflows", "data"] {
        std::fs::create_dir(folder.path().join(place)).expect("a folder can be made");
    }
    folder.write("workflows/etl.yaml", template);
    for name in ["etl_analyze", "etl_transform", "etl_load"] {
        folder.drop_in(name, &std::fs::read(places::handler("examples/etl", name)).expect("the component"));
    }
    folder
}

/// What a script of the example writes to standard output.
fn script(folder: &Folder, name: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(places::python().expect("python3"));
    command.arg(places::root().join("examples/etl").join(name)).args(arguments).current_dir(folder.path());
    let output = command.output().expect("it can be started");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("a text")
}

fn start(host: &Host, submission: &Value) {
    let answer = host.client.post("/v1/workflows", submission);
    assert_eq!(answer.status, 201, "{answer:?}");
}

/// A step of a workflow, as it is now.
fn step(host: &Host, id: &str, name: &str) -> Value {
    let workflow = host.client.get(&format!("/v1/workflows/{id}")).body;
    let mut steps = workflow["steps"].as_array().expect("steps").iter();
    steps.find(|step| step["name"] == name).unwrap_or_else(|| panic!("no step {name}: {workflow:#}")).clone()
}

#[test]
fn each_row_is_counted_once_though_the_host_is_killed_half_way() {
    if places::python().is_none() {
        return skipped("python3 is not here");
    }
    let folder = folder("");
    folder.write("data/sales.csv", script(&folder, "make_csv.py", &[&ROWS.to_string()]));
    let host = folder.host();
    host.cli(&folder, &["workspace", "push", "sales", "data"]).good();
    start(&host, &json!({"template": "etl", "id": "sales", "input": {"file": "sales.csv"}}));
    let transform = step(&host, "sales", "transform")["task"].as_str().expect("a task").to_owned();
    let batches = ROWS / BATCH;
    within(LIMIT, "half of the batches are done", || {
        let done = host.client.count(&format!("parent={transform}&state=succeeded"));
        (done >= batches / 2).then_some(())
    });
    host.kill();
    let host = folder.host();
    let workflow = within(LIMIT, "it ends", || {
        let workflow = host.client.get("/v1/workflows/sales?wait=30s").body;
        matches!(workflow["state"].as_str(), Some("succeeded" | "failed" | "blocked")).then_some(workflow)
    });
    assert_eq!(workflow["state"], "succeeded", "{workflow:#}");

    // What is reported is what is in the workspace, and what Python makes of the same file.
    host.cli(&folder, &["workspace", "pull", "sales", "back"]).good();
    let report = std::fs::read_to_string(folder.path().join("back/report.json")).expect("the report");
    let report: Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!((&report, &report["batches"]), (&step(&host, "sales", "load")["result"], &json!(batches)));
    let told = script(&folder, "check.py", &["data/sales.csv", "back/report.json"]);
    assert!(told.contains("20,000 rows in 20 batches: each was counted once"), "{told}");

    // Nothing was begun anew: each batch has the checkpoints that it would have had, and one attempt that succeeded.
    let children = host.client.get(&format!("/v1/tasks?parent={transform}&limit=1000")).body;
    let children = children["items"].as_array().expect("a list");
    assert_eq!(children.len() as u64, batches);
    let mut lost = 0;
    for child in children {
        let task = host.client.task(child["id"].as_str().expect("an id"));
        assert_eq!(task["stage"], BATCH / CHECKPOINT - 1, "{task:#}");
        let ends: Vec<&str> = task["attempts"]
            .as_array()
            .expect("attempts")
            .iter()
            .filter_map(|attempt| attempt["end"].as_str())
            .collect();
        let (last, before) = ends.split_last().expect("an attempt");
        assert!(*last == "succeeded" && before.iter().all(|end| *end == "worker_lost"), "{ends:?}");
        lost += before.len();
    }
    assert!(lost > 0, "the host was killed while it worked");
}

#[test]
fn the_workspace_of_a_workflow_stays_while_the_workflow_is_there_and_goes_with_it() {
    // Own ids and what a fan-out leaves are kept longer by themselves.
    let retention = "[retention]\nsucceeded = \"1s\"\ndead = \"1s\"\n[store]\nkey_ttl = \"1s\"\n";
    let folder = folder(&format!("[workspace]\nkeep_unused = \"1s\"\n{retention}"));
    let mut host = folder.host();
    let push = |host: &Host, id: &str, file: &str| {
        let answer = host.client.put(&format!("/v1/workspaces/{id}/files/sales.csv"), file.as_bytes());
        assert_eq!(answer.status, 201, "{answer:?}");
    };
    let submission =
        |id: &str, delay: &str| json!({"template": "etl", "id": id, "input": {"file": "sales.csv"}, "delay": delay});
    let there = |id: &str| folder.path().join("workspaces").join(id).exists();
    start(&host, &submission("waits", "1h"));
    push(&host, "waits", "");
    // Of those that nobody knows, the second is looked at after the first has gone.
    for id in ["first", "second"] {
        push(&host, id, "");
        eventually("a workspace of nobody is gone", || (!there(id)).then_some(()));
    }
    assert!(there("waits"));

    start(&host, &submission("ends", "2s"));
    push(&host, "ends", "order,day,country,product,quantity,price\n1,2026-03-14,DE,Lamp,3,19.90\n");
    let workflow = host.client.get("/v1/workflows/ends?wait=60s").body;
    assert_eq!(workflow["state"], "succeeded", "{workflow:#}");
    assert!(there("ends"));
    // A host looks for what is over when it starts, and then each minute.
    while host.client.get("/v1/workflows/ends").status != 404 {
        assert_eq!(host.stop(), Some(0));
        host = folder.host();
    }
    eventually("its workspace is gone", || (!there("ends")).then_some(()));
    assert!(there("waits"));
}
