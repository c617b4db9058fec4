//! What is typed: `bulkhead workflow …` and `bulkhead new workflow`.

use bulkhead_tests::{Folder, places};
use serde_json::{Value, json};

use super::{ORDER, folder, put};

#[test]
fn templates_are_checked_without_a_host() {
    let folder = Folder::fresh();
    folder.write("good.yaml", ORDER);
    folder.write(
        "bad.yaml",
        "name: a\nsteps:\n  - {name: one, kind: K, depends_on: [tow]}\n  - {name: two, kind: K, timout_seconds: 5}\n",
    );
    folder.write("tasker.yaml", "name: t\ntask_handler: {callable: x}\nsteps:\n  - {name: one, kind: K}\n");
    folder
        .bulkhead(&["workflow", "check", "good.yaml", "bad.yaml"])
        .failed(1, &["bad.yaml:3:", "bad.yaml:4:", "`two`", "`timeout_seconds`"]);
    let good = folder.bulkhead(&["workflow", "check", "good.yaml"]);
    assert_eq!(good.good(), "good.yaml: shop/order@1.0.0: 4 steps");
    let tasker = folder.bulkhead(&["workflow", "check", "tasker.yaml"]);
    assert!(tasker.good().contains("tasker.yaml:2: task_handler: not acted on"), "{tasker:#?}");
    folder.bulkhead(&["workflow", "check", "nothing.yaml"]).failed(1, &["nothing.yaml: cannot be read"]);
    let told = folder.bulkhead(&["--output", "ndjson", "workflow", "check", "bad.yaml", "good.yaml"]);
    assert_eq!(told.code, Some(1));
    let lines: Vec<Value> = told.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!((&lines[0]["errors"][0]["line"], &lines[1]["template"]), (&json!(3), &json!("shop/order@1.0.0")));
}

#[test]
fn an_environment_changes_what_is_read() {
    let folder = Folder::with_settings("workflow.environment = \"production\"\n");
    let template = "name: a\nsteps:\n  - {name: one, kind: K}\nenvironments:\n  production:\n    steps: [{name: one, kind: P}]\n  test:\n    steps: [{name: one, kind: T}]\n";
    folder.write("a.yaml", template);
    let graph = folder.bulkhead(&["workflow", "graph", "a.yaml", "--format", "json"]).json();
    assert_eq!(graph["steps"][0]["kind"], "P");
    folder.bulkhead(&["workflow", "check", "a.yaml", "--environment", "test"]).good();
}

#[test]
fn a_workflow_is_started_shown_listed_and_drawn() {
    let folder = folder(&["steps"], &[("order.yaml", ORDER)]);
    let host = folder.host();
    let cli = |arguments: &[&str]| host.cli(&folder, arguments);
    let input = r#"{"cart": [{"sku": "a"}, {"sku": "b"}], "exact": 1.50}"#;
    let ended = cli(&["workflow", "start", "order", "--input", input, "--tag", "for=test", "--tenant", "t", "--wait"]);
    let results = ended.json();
    assert_eq!((results["mail"]["step"].as_str(), results.as_object().map(|all| all.len())), (Some("mail"), Some(1)));
    let id = cli(&["workflow", "start", "order", "--input", input, "--key", "k", "--id", "mine"]).good().to_owned();
    assert_eq!(id, "mine");
    assert_eq!(
        cli(&["workflow", "start", "order", "--input", input, "--key", "k", "--id", "mine", "--wait"]).code,
        Some(0)
    );
    cli(&["workflow", "start", "order", "--input", "{}"]).failed(2, &["shop/order@1.0.0", "cart"]);
    cli(&["workflow", "start", "odrer"]).failed(2, &["did you mean `order`?"]);

    let shown = cli(&["workflow", "show", "mine"]);
    for words in ["state         succeeded", "STEP", "critical path: validate", "SLOWEST ATTEMPTS", "\"exact\":1.5"] {
        assert!(shown.good().contains(words), "`{words}` is not in {shown:#?}");
    }
    let step = cli(&["--output", "json", "workflow", "show", "mine"]).json()["steps"][1]["task"].clone();
    let task = cli(&["task", "show", step.as_str().expect("a task")]);
    assert!(task.good().contains("step          pay of workflow mine (order)"), "{task:#?}");
    cli(&["workflow", "show", "nobody"]).failed(2, &["there is no workflow `nobody`"]);

    let listed = cli(&["--output", "json", "workflow", "list", "--tenant", "t"]).json();
    assert_eq!((listed[0]["tags"]["for"].as_str(), listed.as_array().map(Vec::len)), (Some("test"), Some(1)));
    let page = cli(&["--output", "json", "workflow", "list", "--limit", "1"]);
    assert_eq!(page.json()[0]["id"], "mine");
    let cursor = page.stderr.split("--cursor ").nth(1).expect("a cursor").trim().to_owned();
    let rest = cli(&["--output", "json", "workflow", "list", "--cursor", &cursor]).json();
    assert_eq!(rest.as_array().map(Vec::len), Some(1), "{rest:#}");
    cli(&["workflow", "list", "--cursor", "nobody"]).failed(2, &["not a cursor of this list: `nobody`"]);
    assert!(cli(&["workflow", "list", "--state", "succeeded,failed"]).good().contains("shop/order@1.0.0"));
    cli(&["workflow", "list", "--state", "done"]).failed(2, &["`done` is no state of a workflow"]);

    assert!(cli(&["workflow", "graph", "mine"]).good().contains("classDef state_succeeded"));
    assert!(cli(&["workflow", "graph", "order", "--format", "dot"]).good().starts_with("digraph \"shop/order@1.0.0\""));
    assert_eq!(cli(&["workflow", "graph", "shop/order@1.0.0", "--format", "json"]).json()["edges"][0]["to"], "pay");
    cli(&["workflow", "graph", "nobody"]).failed(2, &["neither a workflow nor a template `nobody`"]);
    let templates = cli(&["workflow", "templates"]);
    assert!(templates.good().contains("From a cart to a mail"), "{templates:#?}");
}

#[test]
fn a_new_template_runs_on_the_host_that_was_running_before_there_was_a_folder() {
    let folder = Folder::fresh();
    folder.drop_in("render", &std::fs::read(places::handler("handlers", "render")).expect("the handler"));
    let host = folder.host();
    let new = folder.bulkhead(&["new", "workflow", "letter"]);
    assert_eq!(new.good(), "workflows/letter.yaml");
    folder.bulkhead(&["new", "workflow", "letter"]).failed(2, &["is there already"]);
    folder.bulkhead(&["new", "workflow", "../letter"]).failed(2, &["`../letter`"]);
    assert_eq!(
        folder.bulkhead(&["workflow", "check", "workflows/letter.yaml"]).good(),
        "workflows/letter.yaml: default/letter@1.0.0: 3 steps"
    );
    bulkhead_tests::eventually("the template is live", || {
        (host.client.get("/v1/templates/default/letter").status == 200).then_some(())
    });
    let input = r#"{"template": "Hello, {{ name }}!", "context": {"name": "Ada"}}"#;
    let results = host.cli(&folder, &["workflow", "start", "letter", "--input", input, "--wait"]).json();
    assert_eq!(results, json!({ "sign": { "text": "Hello, Ada!" } }));
    put(&folder, "bad.yaml", "name: bad\n");
    let doctor = folder.bulkhead(&["--output", "json", "doctor"]).stdout;
    assert!(doctor.contains("1 templates in workflows; refused: bad.yaml"), "{doctor}");
}

#[test]
fn the_format_of_templates_is_told_as_a_schema_and_templates_as_they_are() {
    let folder = folder(&["steps"], &[("order.yaml", ORDER)]);
    let host = folder.host();
    let schema = folder.bulkhead(&["workflow", "schema"]).json();
    assert_eq!(host.client.get("/v1/templates/schema").body, schema);
    let template = host.client.get("/v1/templates/shop/order").body;
    assert_eq!(
        (&template["file"], &template["steps"], &template["warnings"]),
        (&json!("order.yaml"), &json!(4), &json!([]))
    );
    assert_eq!(template["input_schema"]["required"], json!(["cart"]));
    assert_eq!(template["plan"]["steps"][3]["when"], "input.cart|length > 1");
    assert_eq!(host.client.get("/v1/templates/shop/order?version=9.9.9").status, 404);
    assert_eq!(host.client.get("/v1/templates/shop/nothing").status, 404);
    let drawn = host.client.get("/v1/templates/shop/order/graph?format=mermaid");
    assert_eq!(drawn.media_type, "text/vnd.mermaid; charset=utf-8");
    assert!(drawn.body.as_str().is_some_and(|text| text.starts_with("flowchart TD")), "{drawn:?}");
    assert_eq!(host.client.get("/v1/templates/shop/order/graph?format=png").status, 400);
}
