//! The examples ecommerce and refund, as their readers run them: each compares what it saw with what it makes of the inputs by itself.

use std::path::Path;
use std::process::{Command, Stdio};

use bulkhead_tests::{Folder, Ran, places, skipped};
use serde_json::json;

/// Why nothing is run.
const NO_PYTHON: &str = "python3, 3.11 or newer, is not here";

/// Whether there is a Python that reads TOML, which `check.py` does.
fn has_python() -> bool {
    let reads_toml = Command::new("python3").args(["-c", "import tomllib"]).stderr(Stdio::null()).status();
    reads_toml.is_ok_and(|status| status.success())
}

/// Runs `run.sh` of an example with so many inputs.
fn run(example: &str, handler: &str, inputs: u32) -> Ran {
    let component = places::handler(&format!("examples/{example}"), handler);
    let handlers = component.parent().expect("a folder");
    let script = places::root().join("examples").join(example).join("run.sh");
    script_of(&script, handlers).arg(inputs.to_string()).output().expect("it can be started").into()
}

/// The script, with nothing of the caller's environment that the host would heed.
fn script_of(script: &Path, handlers: &Path) -> Command {
    let mut command = Command::new(script);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("BULKHEAD_") || name.starts_with("WORKER_") || name.starts_with("RUST_LOG") {
            command.env_remove(&*name);
        }
    }
    command.env("BULKHEAD", places::host()).env("HANDLERS", handlers).stdin(Stdio::null());
    // Nothing is left in the checkout.
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// The numbers in front of the rows of a table that end so.
fn rows(table: &str, end: &str) -> Vec<u32> {
    let lines = table.lines().filter(|line| line.trim_end().ends_with(end));
    lines.filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect()
}

#[test]
fn orders_by_the_template_of_taskers_guide_end_as_their_inputs_say() {
    if !has_python() {
        return skipped(NO_PYTHON);
    }
    let ran = run("ecommerce", "validate_cart", 100);
    let table = ran.good();
    assert!(table.ends_with("All of it is as expected."), "{ran:#?}");
    // Each kind of end is among them: a check of nothing would be as expected, too.
    for (end, count) in [
        ("GATEWAY_ERROR", 3),
        ("PAYMENT_DECLINED", 5),
        ("MISSING_PAYMENT_INFO", 2),
        ("EMPTY_CART", 3),
        ("INVALID_QUANTITY", 3),
        ("INVALID_PRICE", 1),
        ("service_unavailable", 2),
        ("customer_email     input_schema", 2),
        ("items              input_schema", 2),
        ("process_payment    at the second try", 7),
        ("send_confirmation  at the second try", 10),
    ] {
        assert_eq!(rows(table, end), [count], "{end}:\n{table}");
    }
    assert!(rows(table, "OUT_OF_STOCK")[0] > 0 && table.contains("   100  orders, "), "{table}");
}

#[test]
fn an_order_that_ended_otherwise_than_it_must_fails_the_check() {
    if !has_python() {
        return skipped(NO_PYTHON);
    }
    let folder = Folder::empty();
    // The template does not let it in, since it has no address.
    let order = json!({ "id": "order-1", "input": { "items": [] } });
    let end = json!({ "id": "order-1", "workflow": { "state": "succeeded", "steps": [] } });
    let files = [("orders", order.to_string()), ("ends", end.to_string()), ("mails", String::new())];
    let files = files.map(|(name, line)| folder.write(name, line));
    let example = places::root().join("examples/ecommerce");
    let mut check = Command::new(example.join("check.py"));
    check.arg(example.join("bulkhead.toml")).args(files).env("PYTHONDONTWRITEBYTECODE", "1");
    let ran: Ran = check.output().expect("it can be started").into();
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    assert!(ran.stderr.contains("order-1: the status is None, and must be 422"), "{ran:#?}");
    assert!(!ran.stdout.contains("as expected"), "{ran:#?}");
}

#[test]
fn refunds_take_the_ways_that_are_decided_and_wait_for_managers_who_are_away() {
    if !has_python() {
        return skipped(NO_PYTHON);
    }
    let ran = run("refund", "choose_path", 60);
    let table = ran.good();
    assert!(table.ends_with("All of it is as expected."), "{ran:#?}");
    for end in ["AMOUNT_TOO_HIGH", "/order_id", "asked", "asked again", "paid back", "not paid back"] {
        assert!(!rows(table, end).is_empty(), "{end}:\n{table}");
    }
    assert!(table.contains("manager_review + fraud_check") && table.contains("none"), "{table}");
    assert!(table.contains("      60  requests, "), "{table}");
}
