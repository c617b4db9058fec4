//! The built-in handler RENDER, on a host and by `exec`.

use std::path::Path;
use std::process::Command;

use bulkhead_tests::{Folder, places, skipped};
use serde_json::{Value, json};

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
    assert_eq!(host.client.ended(&other)["error"]["code"], "bad_tree");
}

#[test]
fn without_the_grant_there_is_no_folder_and_the_setting_is_named() {
    let folder = Folder::fresh();
    folder.drop_in("render", &render());
    let host = folder.host();
    let payload = json!({"template_dir": "template", "output_dir": "out"});
    let task = host.client.ended(&host.client.submit(&json!({"kind": "RENDER", "payload": payload})));
    assert_eq!(task["error"]["code"], "no_workspace", "{task:#}");
    assert!(task["error"]["message"].as_str().is_some_and(|text| text.contains("[handler.render.grants]")), "{task:#}");
}

/// Renders the service template into `folder`/project by `exec`; gives the files.
fn render_service(folder: &Folder, context: &str) -> Vec<String> {
    let example = places::root().join("examples/service-template");
    copy_tree(&example.join("template"), &folder.path().join("work/template"));
    let context = std::fs::read_to_string(example.join("contexts").join(context)).expect("the example");
    let payload = json!({
        "template_dir": "template",
        "output_dir": "project",
        "context": serde_json::from_str::<Value>(&context).expect("JSON"),
        "copy_without_render": ["*/client.js"],
        "options": {"trim_blocks": true, "lstrip_blocks": true},
    });
    folder.write("payload.json", payload.to_string());
    let handler = places::handler("handlers", "render");
    let handler = handler.to_str().expect("a path in UTF-8");
    let result = folder.bulkhead(&["exec", handler, "--workspace", "work", "--payload", "@payload.json"]).json();
    let files = result["files"].as_array().into_iter().flatten();
    files.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a file");
        }
    }
}

#[test]
fn the_service_template_becomes_a_project_that_passes_its_own_tests() {
    for (context, package, files, absent) in
        [("full.json", "shelf", 39, &[][..]), ("small.json", "notes", 24, &["Dockerfile", "docs", ".github"])]
    {
        let folder = Folder::fresh();
        let rendered = render_service(&folder, context);
        assert_eq!(rendered.len(), files, "{rendered:#?}");
        let project = folder.path().join("work/project");
        for file in &rendered {
            assert!(project.join(file).is_file(), "{file}");
        }
        assert!(absent.iter().all(|name| !project.join(name).exists()), "{rendered:#?}");
        let Some(python) = places::python() else { return skipped("python3 is not here") };
        for arguments in [&["-m", "compileall", "-q", package][..], &["-m", "unittest", "discover", "-s", "tests"]] {
            let ran = Command::new(&python).args(arguments).current_dir(&project).output().expect("it can be started");
            assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        }
    }
}

#[test]
fn binary_and_excluded_files_come_through_byte_for_byte() {
    let folder = Folder::fresh();
    render_service(&folder, "full.json");
    let template =
        places::root().join("examples/service-template/template/{{ package }}/{% if web %}static{% endif %}");
    for file in ["logo.png", "client.js"] {
        let rendered = std::fs::read(folder.path().join("work/project/shelf/static").join(file)).expect("a file");
        assert_eq!(rendered, std::fs::read(template.join(file)).expect("a file"), "{file}");
    }
}
