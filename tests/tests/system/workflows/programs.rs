//! Steps that run programs in containers: no handler of one's own is needed.

use bulkhead_tests::{Engine, Folder, IMAGE, places};
use serde_json::{Value, json};

use super::{put, settled, start, states, step};

/// Containers that leave each other files, one for each item of the workflow's input, and one that does not run.
const TEMPLATE: &str = r#"
name: programs
steps:
  - name: prepare
    executor: docker
    handler: {initialization: {image: IMAGE, command: [sh, main], source: "echo from the first > greeting"}}
  - name: each
    executor: docker
    depends_on: [prepare]
    when: input.wanted
    for_each: input.runs
    handler: {initialization: {image: IMAGE, command: ["false"]}}
  - name: never
    executor: docker
    depends_on: [prepare]
    when: not input.wanted
    handler: {initialization: {image: IMAGE, command: ["false"]}}
"#;

#[test]
fn steps_run_containers_on_the_workspace_of_their_workflow_and_by_its_input() {
    let Some(engine) = Engine::find() else { return };
    let folder = Folder::with_settings(&format!(
        "[docker]\nsocket = {:?}\n[handler.execute-docker.grants]\nworkspace = \"read-write\"\n\
         [handler.execute-docker.grants.docker]\nimages = [{IMAGE:?}]\n",
        engine.socket()
    ));
    let component = std::fs::read(places::handler("handlers", "execute_docker")).expect("the component");
    folder.drop_in("execute-docker", &component);
    std::fs::create_dir(folder.path().join("workflows")).expect("a folder can be made");
    put(&folder, "programs.yaml", &TEMPLATE.replace("IMAGE", &format!("{IMAGE:?}")));
    let host = folder.host();
    let runs = json!([{"command": ["cat", "greeting"]}, {"command": ["sh", "-c", "echo second; exit 3"]}]);
    let id = start(&host, "programs", &json!({"wanted": true, "runs": runs}));
    let ended = settled(&host, &id);
    assert_eq!(states(&ended), ["succeeded", "succeeded", "skipped"], "{ended:#}");

    let each = step(&ended, "each")["task"].as_str().expect("a task");
    let tasks = host.client.get(&format!("/v1/tasks?parent={each}")).body;
    let ends = tasks["items"].as_array().expect("tasks").iter().map(|task| {
        let result = host.client.ended(task["id"].as_str().expect("an id"))["result"].clone();
        (result["exit_code"].as_i64(), result["stdout"].as_str().map(str::to_owned))
    });
    let mut ends: Vec<(Option<i64>, Option<String>)> = ends.collect();
    ends.sort();
    let expected = [(0, "from the first\n"), (3, "second\n")];
    assert_eq!(ends, expected.map(|(code, text)| (Some(code), Some(text.to_owned()))), "{tasks:#}");
    assert_eq!(step(&ended, "never")["error"], Value::Null);
}
