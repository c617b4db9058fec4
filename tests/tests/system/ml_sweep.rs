//! The example ml-sweep: many models side by side, of which some come to nothing, and the best of them.

use std::process::Command;

use bulkhead_tests::{Folder, Host, eventually, places, skipped};
use serde_json::{Value, json};

/// A folder as the example's README makes it.
fn folder() -> Folder {
    let example = places::root().join("examples/ml-sweep");
    let read = |file: &str| std::fs::read_to_string(example.join(file)).expect("a file of the example");
    let folder = Folder::with_settings(&read("bulkhead.toml"));
    std::fs::create_dir(folder.path().join("workflows")).expect("a folder can be made");
    for template in ["workflows/ml_sweep.yaml", "workflows/ml_sweep_all.yaml"] {
        folder.write(template, read(template));
    }
    for name in ["sweep_train", "sweep_select"] {
        folder.drop_in(name, &std::fs::read(places::handler("examples/ml-sweep", name)).expect("the component"));
    }
    folder
}

/// What a script of the example writes to standard output.
fn script(folder: &Folder, name: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(places::python().expect("python3"));
    command.arg(places::root().join("examples/ml-sweep").join(name)).args(arguments).current_dir(folder.path());
    let output = command.output().expect("it can be started");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("a text")
}

/// The input of the example, with slow models that are less slow, since Python trains them again.
fn input(folder: &Folder) -> Value {
    let mut input: Value = serde_json::from_str(&script(folder, "make_input.py", &[])).expect("JSON");
    for variant in input["variants"].as_array_mut().expect("a list") {
        variant["epochs"] = variant["epochs"].as_u64().expect("a number").min(2_000).into();
    }
    input
}

/// Starts a workflow; gives it once nothing more happens in it.
fn run(host: &Host, template: &str, input: &Value) -> Value {
    let answer = host.client.post("/v1/workflows", &json!({"template": template, "id": template, "input": input}));
    assert_eq!(answer.status, 201, "{answer:?}");
    host.client.get(&format!("/v1/workflows/{template}?wait=60s")).body
}

fn step<'a>(workflow: &'a Value, name: &str) -> &'a Value {
    let steps = workflow["steps"].as_array().expect("steps");
    steps.iter().find(|step| step["name"] == name).unwrap_or_else(|| panic!("no step {name}: {workflow:#}"))
}

#[test]
fn the_best_of_many_models_is_selected_though_some_come_to_nothing() {
    if places::python().is_none() {
        return skipped("python3 is not here");
    }
    let folder = folder();
    let host = folder.host();
    let input = input(&folder);
    folder.write("input.json", input.to_string());
    let ran = host.cli(&folder, &["workflow", "start", "ml_sweep", "--input", "@input.json", "--wait"]);
    // Kept as it was written: what reads floats here is off by their last bit at times.
    folder.write("result.json", ran.good());
    let best = &ran.json()["select"]["best"];
    assert_eq!((&best["degree"], &best["rate"]), (&json!(14), &json!(0.1)), "{best:#}");
    let told = script(&folder, "check.py", &["input.json", "result.json"]);
    assert!(told.contains("Python comes to the same errors, to the last bit"), "{told}");
}

#[test]
fn a_sweep_of_which_too_few_come_to_something_says_what_to_do_and_goes_on_then() {
    if places::python().is_none() {
        return skipped("python3 is not here");
    }
    let folder = folder();
    let host = folder.host();
    let workflow = run(&host, "ml_sweep_all", &input(&folder));
    assert_eq!((&workflow["state"], &step(&workflow, "select")["state"]), (&json!("blocked"), &json!("blocked")));
    let train = step(&workflow, "train")["task"].as_str().expect("a task");
    let shown = host.cli(&folder, &["workflow", "show", "ml_sweep_all"]);
    for said in ["of 64 tasks of this step succeeded; at least 64 must", &format!("then `bulkhead dlq retry {train}`")]
    {
        assert!(shown.good().contains(said), "{shown:?}");
    }

    // As it says: those that came to nothing are resolved, and the step looks again.
    let of = |state: &str| format!("parent={train}&state={state}&limit=1000");
    eventually("all have ended", || (host.client.count(&of("succeeded,dead")) == 64).then_some(()));
    let dead = host.client.get(&format!("/v1/tasks?{}", of("dead"))).body;
    let dead: Vec<&str> =
        dead["items"].as_array().expect("a list").iter().filter_map(|task| task["id"].as_str()).collect();
    assert_eq!(dead.len(), 8);
    host.cli(&folder, &[&["dlq", "resolve"], &dead[..]].concat()).good();
    host.cli(&folder, &["dlq", "retry", train]).good();
    let workflow = host.client.get("/v1/workflows/ml_sweep_all?wait=60s").body;
    assert_eq!(workflow["state"], "succeeded", "{workflow:#}");
    let selection = &step(&workflow, "select")["result"];
    assert_eq!(
        (selection["table"].as_array().map(Vec::len), &selection["failed"]),
        (Some(56), &json!({"resolved": 8}))
    );
}
