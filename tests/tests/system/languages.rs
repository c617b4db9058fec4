//! Handlers in Python and JavaScript: those of the examples, and guests that do nothing or fail unawares.

use bulkhead_tests::{Folder, Host, places, skipped};
use serde_json::{Value, json};

/// Enough to meet each sandbox of a pool again, were one not fresh.
const RUNS: usize = 50;

/// A host with a language's example and its guest; none where they were not built.
fn host_of(language: &str) -> Option<(Folder, Host)> {
    let Some(built) = places::languages() else {
        skipped(
            "handlers in Python and JavaScript: cargo xtask languages builds them, BULKHEAD_TEST_LANGUAGES names them",
        );
        return None;
    };
    let folder = Folder::fresh();
    for name in [format!("greet_{language}"), format!("noop_{language}")] {
        let file = built.join(format!("{name}.wasm"));
        // A tool that this machine cannot have: `cargo xtask languages` said which.
        let Ok(component) = std::fs::read(&file) else {
            skipped(&format!("`{}` is not there", file.display()));
            return None;
        };
        folder.drop_in(&name, &component);
    }
    let host = folder.host();
    Some((folder, host))
}

/// A task of the kind, ended.
fn run(host: &Host, kind: &str, payload: &Value) -> Value {
    host.client.ended(&host.client.submit(&json!({"kind": kind, "payload": payload, "max_attempts": 1})))
}

fn greets(host: &Host, kind: &str) {
    let greeted = run(host, kind, &json!({"name": "Ada"}));
    assert_eq!((&greeted["state"], &greeted["result"]), (&json!("succeeded"), &json!({"text": "Hello, Ada!"})));
    let attempt = &greeted["attempts"][0];
    let used = |what: &str| attempt[what].as_u64().unwrap_or_default();
    // A hundredth of what a run may use unless told otherwise, and what an interpreter needs for itself.
    assert!((10_000..100_000_000).contains(&used("fuel")), "{attempt}");
    assert!((1 << 20..32 << 20).contains(&used("peak_memory")), "{attempt}");

    let refused = run(host, kind, &json!({}));
    assert_eq!((&refused["state"], &refused["reason"]), (&json!("dead"), &json!("permanent")), "{refused}");
    let error = &refused["error"];
    assert_eq!((&error["code"], &error["category"]), (&json!("NO_NAME"), &json!("validation")), "{refused}");

    let unexpected = run(host, kind, &Value::Null);
    assert_eq!(unexpected["reason"], "max_attempts", "{unexpected}");
    let error = &unexpected["error"];
    assert_eq!((&error["code"], &error["category"]), (&json!("handler_error"), &json!("handler")), "{unexpected}");
}

fn starts_afresh_and_traps_alone(host: &Host, kind: &str) {
    let nothing = run(host, kind, &json!({"n": 1}));
    assert_eq!((&nothing["state"], &nothing["result"]), (&json!("succeeded"), &Value::Null), "{nothing}");

    let tasks = vec![json!({"kind": kind, "payload": "count"}); RUNS];
    let trapping = host.client.submit(&json!({"kind": kind, "payload": "raise"}));
    for id in host.client.submit_all(&tasks) {
        let counted = host.client.ended(&id);
        assert_eq!((&counted["state"], &counted["result"]), (&json!("succeeded"), &json!(1)), "{counted}");
    }
    let trapped = host.client.ended(&trapping);
    assert_eq!((&trapped["state"], &trapped["reason"]), (&json!("dead"), &json!("trap")), "{trapped}");
}

#[test]
fn a_handler_in_python_succeeds_fails_and_traps_in_a_fresh_sandbox_each() {
    let Some((_folder, host)) = host_of("py") else { return };
    greets(&host, "GREET_PY");
    starts_afresh_and_traps_alone(&host, "NOOP_PY");
    // What Python says of an exception that nobody caught is among the guest's log lines.
    let log = host.log();
    assert!(log.contains("ValueError: nobody catches this") && log.contains("noop.py"), "no traceback");
}

#[test]
fn a_handler_in_javascript_succeeds_fails_and_traps_in_a_fresh_sandbox_each() {
    let Some((_folder, host)) = host_of("js") else { return };
    greets(&host, "GREET_JS");
    starts_afresh_and_traps_alone(&host, "NOOP_JS");
}
