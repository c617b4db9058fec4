//! What a task of kind RENDER gives.

use std::path::Path;

use bulkhead_sdk::testing::TestTask;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Payload, Render, tree};

fn text(payload: Value) -> Value {
    TestTask::new(payload).run::<Render>().result()
}

fn refused(payload: Value) -> String {
    let run = TestTask::new(payload).run::<Render>();
    let failure = run.failure();
    assert!(!failure.retryable, "{failure:?}");
    format!("{}: {}", failure.code, failure.message)
}

/// A workspace with these files in it.
fn workspace(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, content).expect("a file");
    }
    folder
}

fn render(workspace: &Path, more: Value) -> Result<Vec<String>, String> {
    let mut payload = json!({"template_dir": "template", "output_dir": "out"});
    let payload_fields = payload.as_object_mut().expect("an object");
    payload_fields.extend(more.as_object().expect("an object").clone());
    let payload: Payload = serde_json::from_value(payload).expect("a payload");
    tree::render(workspace, "template", "out", &payload)
        .map_err(|failure| format!("{}: {}", failure.code, failure.message))
}

fn read(workspace: &TempDir, name: &str) -> String {
    std::fs::read_to_string(workspace.path().join("out").join(name)).expect("a file")
}

#[test]
fn a_text_is_rendered_with_its_context() {
    let given = text(json!({"template": "Hello {{ name }}!\n", "context": {"name": "Ada"}}));
    assert_eq!(given, json!({"text": "Hello Ada!"}));
    assert_eq!(text(json!({"template": "{{ 1 + 1 }}"})), json!({"text": "2"}));
}

#[test]
fn a_template_that_is_wrong_is_named_with_its_line() {
    let message = refused(json!({"template": "one\n{% if %}"}));
    assert!(message.starts_with("template_error: syntax error"), "{message}");
    assert!(message.ends_with("(in template:2)"), "{message}");
    let message = refused(json!({"template": "{{ who }}", "options": {"undefined": "strict"}}));
    assert!(message.contains("undefined value"), "{message}");
}

#[test]
fn a_payload_of_the_wrong_shape_is_refused() {
    for (payload, words) in [
        (json!({}), "give `template`, or both"),
        (json!({"template": "x", "template_dir": "y"}), "goes without"),
        (json!({"template_dir": "y"}), "or both"),
        (json!({"template": "x", "context": [1]}), "`context` must be an object"),
        (json!({"template": "x", "kontext": {}}), "unknown field `kontext`"),
        (json!({"template": "x", "copy_without_render": ["*"]}), "goes with `template_dir`"),
    ] {
        let message = refused(payload.clone());
        assert!(message.starts_with("bad_payload: ") && message.contains(words), "{payload}: {message}");
    }
}

#[test]
fn endless_recursion_is_an_error_not_a_crash() {
    let message = refused(json!({"template": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"}));
    assert!(message.contains("recursion limit exceeded"), "{message}");
}

#[test]
fn without_a_workspace_the_setting_is_named() {
    let message = refused(json!({"template_dir": "a", "output_dir": "b"}));
    assert!(message.starts_with("no_workspace: ") && message.contains("[handler.render.grants]"), "{message}");
}

#[test]
fn a_tree_becomes_a_project() {
    let binary = [0x89, b'P', b'N', b'G', 0, 0xff, b'{', b'{'];
    let workspace = workspace(&[
        ("template/README.md", b"# {{ name }}\n\n{% include \"_templates/licence.txt\" %}"),
        ("template/{{ package }}/__init__.py", b"NAME = {{ name|tojson }}\n"),
        ("template/{{ package }}/{% if web %}web.py{% endif %}", b"import http\n"),
        ("template/{% if docs %}docs{% endif %}/index.md", b"docs\n"),
        ("template/logo.png", &binary),
        ("template/.gitignore", b"*.{{ package }}\n"),
        ("template/static/page.html", b"<b>{{ client_side }}</b>\n"),
        ("template/page.txt", b"{% extends \"_templates/base.txt\" %}{% block body %}{{ name }}{% endblock %}"),
        ("template/_templates/licence.txt", b"MIT\n"),
        ("template/_templates/base.txt", b"<{% block body %}{% endblock %}>\n"),
    ]);
    let context = json!({"name": "Ada's", "package": "ada", "web": true, "docs": false});
    let files = render(workspace.path(), json!({"context": context, "copy_without_render": ["*.html"]}));
    let expected =
        [".gitignore", "README.md", "ada/__init__.py", "ada/web.py", "logo.png", "page.txt", "static/page.html"];
    assert_eq!(files.as_deref(), Ok(&expected.map(str::to_owned)[..]));
    assert_eq!(read(&workspace, "README.md"), "# Ada's\n\nMIT\n");
    assert_eq!(read(&workspace, "ada/__init__.py"), "NAME = \"Ada\\u0027s\"\n");
    assert_eq!(read(&workspace, "page.txt"), "<Ada's>\n");
    assert_eq!(read(&workspace, ".gitignore"), "*.ada\n");
    assert_eq!(read(&workspace, "static/page.html"), "<b>{{ client_side }}</b>\n");
    assert_eq!(std::fs::read(workspace.path().join("out/logo.png")).expect("a file"), binary);
}

#[test]
fn a_wrong_template_leaves_nothing_behind() {
    let workspace = workspace(&[("template/a.txt", b"fine"), ("template/b.txt", b"one\n{{ nosuch() }}")]);
    let message = render(workspace.path(), json!({})).expect_err("a wrong template");
    assert!(message.starts_with("template_error: ") && message.contains("b.txt:2"), "{message}");
    assert!(!workspace.path().join("out").exists());
}

#[test]
fn rendering_again_gives_the_same() {
    let workspace = workspace(&[("template/{{ name }}.txt", b"{{ name }}")]);
    let more = json!({"context": {"name": "x"}});
    assert_eq!(render(workspace.path(), more.clone()), render(workspace.path(), more));
}

#[test]
fn a_name_with_a_hole_or_a_way_out_is_refused() {
    for (name, context, words) in [
        ("template/{{ nme }}.txt", json!({}), "undefined value"),
        ("template/{{ name }}", json!({"name": ".."}), "cannot be the name"),
        ("template/{{ name }}", json!({"name": "a/b"}), "cannot be the name"),
    ] {
        let workspace = workspace(&[(name, b"x")]);
        let message = render(workspace.path(), json!({"context": context})).expect_err(name);
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn two_files_of_one_name_are_refused() {
    let workspace = workspace(&[("template/{{ a }}", b"x"), ("template/b", b"y")]);
    let message = render(workspace.path(), json!({"context": {"a": "b"}})).expect_err("both are `b`");
    assert!(message.contains("both become `b`"), "{message}");
}

#[test]
fn what_is_neither_file_nor_folder_is_refused() {
    let workspace = workspace(&[("template/a", b"x")]);
    std::os::unix::fs::symlink("/etc/passwd", workspace.path().join("template/link")).expect("a link");
    let message = render(workspace.path(), json!({})).expect_err("a link");
    assert!(message.contains("neither a file nor a folder"), "{message}");
}

#[test]
fn folders_stay_inside_the_workspace_and_apart() {
    for (from, into, words) in [
        ("../x", "out", "inside the workspace"),
        ("/etc", "out", "inside the workspace"),
        (".", "out", "must name a folder"),
        ("a", "a/b", "must not lie in one another"),
        ("missing", "out", "has no folder `missing`"),
    ] {
        let workspace = workspace(&[("a/x", b"x")]);
        let payload = Payload::default();
        let failure = tree::render(workspace.path(), from, into, &payload).expect_err(from);
        assert!(failure.message.contains(words), "{failure:?}");
    }
}
