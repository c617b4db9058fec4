//! What is published of the format is what the loader takes.

use std::path::{Path, PathBuf};

use bulkhead_workflow::{Template, TemplateSettings, json_schema};
use serde_json::{Map, Value};

/// A file of the repository.
pub(crate) fn at_root(file: &str) -> PathBuf {
    // Asked when it runs: checkouts may share one target folder.
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&package).join("../..").join(file)
}

/// Checks that a published file is as it should be; writes it with BULKHEAD_BLESS=1.
pub(crate) fn is_current(file: &str, text: &str) {
    let path = at_root(file);
    if std::env::var_os("BULKHEAD_BLESS").is_some() {
        std::fs::write(&path, text).expect("the file is written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = found.lines().zip(text.lines()).position(|(found, new)| found != new);
    let line = differs.unwrap_or_else(|| found.lines().count().min(text.lines().count())) + 1;
    assert!(found == text, "{file} is not current from line {line}: run this test with BULKHEAD_BLESS=1");
}

fn reads(text: &str) -> Result<Template, String> {
    Template::read("test.yaml", text, &TemplateSettings::default()).map_err(|errors| errors.to_string())
}

/// The keys of a table of the schema, reached by a path of properties and items.
fn keys(schema: &Value, path: &[&str]) -> Map<String, Value> {
    let mut table = schema.clone();
    for part in path {
        let within = |table: &Value| {
            let found = if *part == "[]" { table["items"].clone() } else { table["properties"][part].clone() };
            (!found.is_null()).then_some(found)
        };
        table = tables(&table).iter().find_map(within).unwrap_or_else(|| panic!("no {path:?}"));
    }
    let found = tables(&table).into_iter().find_map(|table| table["properties"].as_object().cloned());
    found.unwrap_or_else(|| panic!("no table at {path:?}"))
}

/// The schema itself and those of which it must fulfil one.
fn tables(schema: &Value) -> Vec<Value> {
    let mut all = vec![schema.clone()];
    for one in schema["anyOf"].as_array().into_iter().flatten() {
        all.extend(tables(one));
    }
    all
}

#[test]
fn the_published_schema_is_current_and_a_schema() {
    let schema = json_schema();
    jsonschema::meta::validate(&schema).expect("a JSON Schema");
    let text = serde_json::to_string_pretty(&schema).expect("JSON") + "\n";
    is_current("docs/reference/workflow-template.schema.json", &text);
}

#[test]
fn every_key_of_the_schema_is_taken_by_the_loader() {
    let schema = json_schema();
    let taken = |text: &str| {
        let refused = reads(text).err().unwrap_or_default();
        assert!(!refused.contains("has no key"), "{text}: {refused}");
    };
    for key in keys(&schema, &[]).keys().filter(|key| *key != "steps" && *key != "name") {
        taken(&format!("name: a\n{key}:\nsteps: [{{name: one, kind: A}}]\n"));
    }
    let step = keys(&schema, &["steps", "[]"]);
    assert!(step.len() > 20);
    for key in step.keys() {
        taken(&format!("name: a\nsteps: [{{{key}: }}]\n"));
    }
    for table in ["handler", "retry", "lifecycle", "batch_config", "join"] {
        for key in keys(&schema, &["steps", "[]", table]).keys() {
            taken(&format!("name: a\nsteps: [{{name: one, kind: A, {table}: {{{key}: }}}}]\n"));
        }
    }
    for key in keys(&schema, &["steps", "[]", "publishes_events", "[]"]).keys() {
        taken(&format!("name: a\nsteps: [{{name: one, kind: A, publishes_events: [{{{key}: }}]}}]\n"));
    }
}

#[test]
fn every_key_that_the_loader_knows_is_in_the_schema() {
    let schema = json_schema();
    let known = |text: &str| -> Vec<String> {
        let refused = reads(text).err().unwrap_or_default();
        let list =
            refused.split("known keys: ").nth(1).expect("the known keys").lines().next().unwrap_or_default().to_owned();
        list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let published = |path: &[&str]| -> Vec<String> { keys(&schema, path).keys().cloned().collect() };
    let sorted = |mut keys: Vec<String>| {
        keys.sort();
        keys
    };
    assert_eq!(sorted(known("name: a\nqqq: 1\nsteps: [{name: one, kind: A}]\n")), sorted(published(&[])));
    assert_eq!(sorted(known("name: a\nsteps: [{name: one, kind: A, qqq: 1}]\n")), sorted(published(&["steps", "[]"])));
    for table in ["handler", "retry", "lifecycle", "batch_config"] {
        let text = format!("name: a\nsteps: [{{name: one, kind: A, {table}: {{qqq: 1}}}}]\n");
        assert_eq!(sorted(known(&text)), sorted(published(&["steps", "[]", table])), "{table}");
    }
}

#[test]
fn the_schema_takes_the_templates_and_refuses_what_the_loader_refuses() {
    let validator = jsonschema::validator_for(&json_schema()).expect("a schema");
    let minimal = serde_json::json!({"name": "a", "steps": [{"name": "one", "kind": "A"}]});
    assert!(validator.is_valid(&minimal));
    for (pointer, key, value) in [
        ("", "colour", serde_json::json!("red")),
        ("/steps/0", "depend_on", serde_json::json!([])),
        ("/steps/0", "type", serde_json::json!("desicion")),
        ("/steps/0", "priority", serde_json::json!(21)),
        ("/steps/0", "retry", serde_json::json!({"limits": 3})),
        ("/steps/0", "depends_on", serde_json::json!(3)),
        ("", "version", serde_json::json!([1])),
    ] {
        let mut changed = minimal.clone();
        changed.pointer_mut(pointer).expect("a place")[key] = value;
        // JSON is YAML, too.
        assert_eq!((validator.is_valid(&changed), reads(&changed.to_string()).is_ok()), (false, false), "{changed}");
    }
    for (pointer, key, value) in [
        ("", "version", serde_json::json!(1.0)),
        ("", "description", Value::Null),
        ("", "task_handler", serde_json::json!({"anything": 1})),
        ("/steps/0", "depends_on", serde_json::json!([])),
        ("/steps/0", "retry", serde_json::json!({"max_attempts": 3, "backoff": null})),
        ("/steps/0", "for_each", serde_json::json!([1, null])),
        ("/steps/0", "when", serde_json::json!("input.a")),
    ] {
        let mut changed = minimal.clone();
        changed.pointer_mut(pointer).expect("a place")[key] = value;
        assert_eq!((validator.is_valid(&changed), reads(&changed.to_string()).is_ok()), (true, true), "{changed}");
    }
}

#[test]
fn every_template_of_the_page_loads() {
    let page = std::fs::read_to_string(at_root("docs/workflows.md")).expect("the page");
    let templates: Vec<&str> =
        page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default()).collect();
    assert!(templates.len() >= 8);
    for text in templates {
        let template = reads(text).unwrap_or_else(|errors| panic!("{errors}\n{text}"));
        assert_eq!(template.warnings(), [], "{text}");
        assert!(template.not_acted_on().is_empty(), "{text}");
    }
}

#[test]
fn the_reference_of_keys_is_current() {
    let schema = json_schema();
    let mut page = KEYS.to_owned();
    let step = ["steps", "[]"];
    let mut table = |title: &str, path: &[&str]| {
        page.push_str(&format!("\n## {title}\n\n| key | | |\n|---|---|---|\n"));
        for (key, value) in keys(&schema, path) {
            let about = value["description"].as_str().unwrap_or_default();
            page.push_str(&format!("| `{key}` | {} | {about} |\n", kinds(&value)));
        }
    };
    table("The template", &[]);
    table("`lifecycle`", &["lifecycle"]);
    table("A step", &step);
    for inner in ["handler", "retry", "lifecycle", "batch_config", "join"] {
        table(&format!("`{inner}` of a step"), &[step[0], step[1], inner]);
    }
    table("An event of `publishes_events`", &[step[0], step[1], "publishes_events", "[]"]);
    is_current("docs/reference/workflow-template.md", &page);
}

const KEYS: &str = "# Keys of a workflow template

Every key of a template, as the loader knows it; [workflows.md](../workflows.md) shows them at work. Null is allowed everywhere, and
means that the key is not there. Other keys are refused with the nearest name. The same as a JSON Schema:
[workflow-template.schema.json](workflow-template.schema.json).

This page is written by a test: `BULKHEAD_BLESS=1 cargo test -p bulkhead-workflow` writes it anew.
";

/// What a value may be, in a few words.
fn kinds(schema: &Value) -> String {
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().filter_map(Value::as_str).map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" ");
    }
    if let Some(shapes) = schema["anyOf"].as_array() {
        let null = |shape: &&Value| shape["type"] != "null";
        return shapes.iter().filter(null).map(kinds).collect::<Vec<_>>().join(" or ");
    }
    let one = |name: &str| match name {
        "string" => "text".to_owned(),
        "boolean" => "`true` or `false`".to_owned(),
        "array" => "list".to_owned(),
        "object" => "table".to_owned(),
        "integer" => match (schema["minimum"].as_i64(), schema["maximum"].as_i64()) {
            (Some(least), Some(most)) => format!("{least} to {most}"),
            (Some(least), None) => format!("from {least}"),
            _ => "number".to_owned(),
        },
        other => other.to_owned(),
    };
    match &schema["type"] {
        Value::String(name) => one(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).map(one).collect::<Vec<_>>().join(" or "),
        _ => String::new(),
    }
}
