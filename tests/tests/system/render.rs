//! The built-in handler RENDER, on a host and by `exec`.

use bulkhead_tests::{Folder, places};
use serde_json::json;

fn render() -> Vec<u8> {
    std::fs::read(places::handler("handlers", "render")).expect("the component")
}

#[test]
fn a_text_is_rendered_by_the_host() {
    let folder = Folder::fresh();
    folder.drop_in("render", &render());
    let host = folder.host();
    let task = json!({"kind": "RENDER", "payload": {"template": "Hello {{ name }}!", "context": {"name": "Ada"}}});
    assert_eq!(host.client.ended(&host.client.submit(&task))["result"], json!({"text": "Hello Ada!"}));

    // What would run for ever, or needs more than there is, ends as the contract says.
    for (template, reason) in [
        ("{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}", "out_of_fuel"),
        ("{% set ns = namespace(s='x') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}", "limit"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "permanent"),
        ("{% if %}", "permanent"),
    ] {
        let task = json!({"kind": "RENDER", "payload": {"template": template}});
        let task = host.client.ended(&host.client.submit(&task));
        assert_eq!((&task["state"], &task["reason"]), (&json!("dead"), &json!(reason)), "{task:#}");
    }
}

#[test]
fn a_tree_is_rendered_in_the_tasks_own_folder() {
    let folder = Folder::with_settings("[handler.render.grants]\nworkspace = \"read-write\"\n");
    folder.drop_in("render", &render());
    let workspace = folder.path().join("workspaces/mine");
    std::fs::create_dir_all(workspace.join("template")).expect("a folder");
    std::fs::write(workspace.join("template/{{ name }}.txt"), "{{ name|upper }}\n").expect("a file");
    let host = folder.host();
    let payload = json!({"template_dir": "template", "output_dir": "out", "context": {"name": "ada"}});
    let id = host.client.submit(&json!({"kind": "RENDER", "id": "mine", "payload": payload}));
    assert_eq!(host.client.ended(&id)["result"], json!({"files": ["ada.txt"]}));
    assert_eq!(std::fs::read_to_string(workspace.join("out/ada.txt")).expect("a file"), "ADA\n");

    // Another task has another folder.
    let other = host.client.submit(&json!({"kind": "RENDER", "payload": payload}));
    assert_eq!(host.client.ended(&other)["error"]["code"], "BAD_TREE");
}

#[test]
fn without_the_grant_there_is_no_folder_and_the_setting_is_named() {
    let folder = Folder::fresh();
    folder.drop_in("render", &render());
    let host = folder.host();
    let payload = json!({"template_dir": "template", "output_dir": "out"});
    let task = host.client.ended(&host.client.submit(&json!({"kind": "RENDER", "payload": payload})));
    assert_eq!(task["error"]["code"], "NO_WORKSPACE", "{task:#}");
    assert!(task["error"]["message"].as_str().is_some_and(|text| text.contains("[handler.render.grants]")), "{task:#}");
}
