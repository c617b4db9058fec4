//! A newcomer's way: a crate of one's own, built, dropped in beside a host that runs, and its task succeeds.

use std::path::Path;
use std::process::Command;

use bulkhead_tests::{Folder, Host, places};
use serde_json::json;

/// The README's first handler, in a crate of its own outside this repository.
fn build_new_crate(folder: &Path) -> Vec<u8> {
    let example = places::root().join("examples/first-handler");
    let crate_folder = folder.join("hello");
    std::fs::create_dir_all(crate_folder.join("src")).expect("a folder");
    let manifest = std::fs::read_to_string(example.join("Cargo.toml")).expect("the example");
    let sdk = places::root().join("sdk/rust");
    let manifest = manifest.replace("../../sdk/rust", sdk.to_str().expect("a path in UTF-8"));
    std::fs::write(crate_folder.join("Cargo.toml"), manifest).expect("a file");
    for file in ["Cargo.lock", "src/lib.rs"] {
        std::fs::copy(example.join(file), crate_folder.join(file)).expect("a file");
    }
    // Its dependencies are those of the built-in handlers: built once for all.
    let into = places::target().join("handlers");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--release", "--locked", "--target", "wasm32-wasip2", "--target-dir"]).arg(&into);
    cargo.current_dir(&crate_folder).env_remove("CARGO_TARGET_DIR").env_remove("RUSTFLAGS");
    assert!(cargo.status().expect("cargo can be started").success());
    std::fs::read(into.join("wasm32-wasip2/release/first_handler.wasm")).expect("the component")
}

#[test]
fn a_first_handler_has_at_most_twenty_lines() {
    let source =
        std::fs::read_to_string(places::root().join("examples/first-handler/src/lib.rs")).expect("the example");
    let handler = source.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = handler.lines().filter(|line| !line.trim().is_empty()).count();
    assert!(lines <= 20, "{lines} lines");
}

#[test]
fn the_readmes_first_handler_is_the_one_that_is_tested() {
    let source =
        std::fs::read_to_string(places::root().join("examples/first-handler/src/lib.rs")).expect("the example");
    let handler = source.split("#[cfg(test)]").next().unwrap_or_default();
    let handler: Vec<&str> = handler.lines().filter(|line| !line.starts_with("//!")).collect();
    let readme = std::fs::read_to_string(places::root().join("README.md")).expect("the README");
    let shown = readme.split("```rust\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap_or_default();
    assert_eq!(shown.trim(), handler.join("\n").trim());
}

#[test]
fn a_new_crate_dropped_in_while_the_host_runs_serves_its_first_task() {
    let folder = Folder::empty();
    let said = folder.bulkhead(&["init", "."]);
    assert!(said.good().is_empty() || said.stderr.contains("next: "), "{said:#?}");
    let host = folder.host();

    // Submitted before there is a handler: it waits.
    let early = host.client.submit(&json!({"kind": "GREET", "payload": {"name": "Grace"}}));
    assert_eq!(host.client.task(&early)["state"], "ready");

    let component = build_new_crate(folder.path());
    let file = folder.drop_in("hello", &component);
    let ran = host.cli(&folder, &["submit", "GREET", "--payload", r#"{"name": "Ada"}"#, "--wait"]);
    assert_eq!(ran.json(), json!({"text": "Hello, Ada!"}));
    assert_eq!(host.client.ended(&early)["result"], json!({"text": "Hello, Grace!"}));

    // The same from the command line alone.
    let listed = host.cli(&folder, &["handler", "list", "--output", "json"]).json();
    assert_eq!(listed[0]["status"], "live", "{listed}");
    let file = file.to_str().expect("a path in UTF-8");
    assert!(folder.bulkhead(&["handler", "check", file]).good().contains("GREET"));
    let ran = folder.bulkhead(&["exec", file, "--payload", r#"{"name": "Ada"}"#]);
    assert_eq!(ran.json(), json!({"text": "Hello, Ada!"}));
}

#[test]
fn a_folder_as_init_leaves_it_is_in_order() {
    let folder = Folder::empty();
    folder.bulkhead(&["init", "."]).good();
    folder.bulkhead(&["config", "check"]).good();
    let doctor = folder.bulkhead(&["doctor"]);
    assert_eq!(doctor.code, Some(0), "{doctor:#?}");
    // Once more changes nothing.
    folder.write("bulkhead.toml", "[worker]\nmax_concurrent = 3\n");
    let again = folder.bulkhead(&["init", "."]);
    assert!(again.good().is_empty() && again.stderr.contains("kept ./bulkhead.toml"), "{again:#?}");
    let shown = folder.bulkhead(&["config", "show", "--output", "json"]).json();
    let shown = shown.as_array().into_iter().flatten().find(|row| row["key"] == "worker.max_concurrent");
    assert_eq!(shown.map(|row| (&row["value"], &row["source"])), Some((&json!(3), &json!("file"))));
    let host = Host::start(&folder, &[]).expect("it starts");
    assert_eq!(host.client.get("/health/ready").status, 200);
    assert_eq!(host.stop(), Some(0));
}
