//! Four handlers that go wrong, each in its own way, beside a thousand tasks that don't.

use std::time::Duration;

use bulkhead_tests::{Folder, Host, eventually, within};
use serde_json::{Value, json};

/// As many as the host has threads for guests, and more.
const SPINNING: usize = 8;

const SETTINGS: &str = r#"
[worker]
cpu_slots = 2
max_concurrent = 16
[handlers.defaults]
backoff = { curve = "fixed", base = "100ms", jitter = 0.0 }
[handler.loop_forever]
fuel = 1000000000
[handler.sleep_forever]
timeout = "300ms"
max_attempts = 2
"#;

fn folder(settings: &str, guests: &[&str]) -> Folder {
    let folder = Folder::with_settings(settings);
    for guest in guests {
        folder.drop_in(guest, &bulkhead_test_guests::guest_bytes(guest));
    }
    folder
}

/// How each ends: state, reason, attempts.
fn end(task: &Value) -> (&str, &str, usize) {
    let text = |name: &str| task[name].as_str().unwrap_or_default();
    (text("state"), text("reason"), task["attempts"].as_array().map_or(0, Vec::len))
}

#[test]
fn each_ends_as_it_must_and_a_thousand_good_tasks_beside_them_are_unharmed() {
    let folder = folder(SETTINGS, &["loop_forever", "panic", "eat_memory", "sleep_forever", "fail", "echo"]);
    let host = folder.host();
    let bad: Vec<(String, (&str, &str, usize))> = [
        ("LOOP", ("dead", "out_of_fuel", 1)),
        ("PANIC", ("dead", "trap", 1)),
        ("EAT", ("dead", "limit", 1)),
        ("SLEEP", ("dead", "timeout", 2)),
        ("FAIL", ("dead", "max_attempts", 3)),
    ]
    .into_iter()
    .flat_map(|(kind, end)| std::iter::repeat_n((kind, end), 3))
    .map(|(kind, end)| (host.client.submit(&json!({"kind": kind})), end))
    .collect();
    let tasks: Vec<Value> = (0..1000).map(|number| json!({"kind": "ECHO", "payload": number})).collect();
    let good = host.client.submit_all(&tasks);
    for (number, id) in good.iter().enumerate() {
        let task = host.client.ended(id);
        assert_eq!((end(&task), &task["result"]), (("succeeded", "", 1), &json!(number)));
    }
    for (id, expected) in &bad {
        let task = host.client.ended(id);
        assert_eq!(end(&task), *expected, "{task:#}");
    }
    let dead = host.cli(&folder, &["dlq", "list", "--output", "json"]).json();
    assert_eq!(dead.as_array().map(Vec::len), Some(bad.len()));
    assert_eq!(host.stop(), Some(0));
}

#[test]
fn a_trap_and_a_lack_of_fuel_are_retried_where_the_operator_says_so() {
    let settings = r#"
[handlers.defaults]
backoff = { curve = "none" }
max_attempts = 2
fuel = 100000000
[handler.panic]
on_trap = "retry"
[handler.loop_forever]
retry_on_fuel = true
"#;
    let folder = folder(settings, &["panic", "loop_forever"]);
    let host = folder.host();
    for (kind, reason) in [("PANIC", "trap"), ("LOOP", "out_of_fuel")] {
        let task = host.client.ended(&host.client.submit(&json!({"kind": kind})));
        assert_eq!((end(&task).0, end(&task).2), ("dead", 2), "{task:#}");
        assert_eq!(task["attempts"][1]["end"], reason, "{task:#}");
    }
}

#[test]
fn a_dead_task_that_is_retried_begins_anew() {
    let folder = folder("", &["panic"]);
    let host = folder.host();
    let id = host.client.submit(&json!({"kind": "PANIC"}));
    host.client.ended(&id);
    // Mended: another component that serves the same kind and does not panic.
    folder.drop_in("panic", &mended());
    eventually("the mended handler is live", || {
        host.client.handler("panic").filter(|handler| handler["digest"] == json!(digest(&mended())))
    });
    host.cli(&folder, &["dlq", "retry", &id]).good();
    let task = within(Duration::from_secs(30), "it succeeds", || {
        let task = host.client.ended(&id);
        (task["state"] == "succeeded").then_some(task)
    });
    assert_eq!((&task["epoch"], &task["attempt"]), (&json!(2), &json!(1)), "{task:#}");
}

/// `echo`, which says that its kind is PANIC.
fn mended() -> Vec<u8> {
    let echo = bulkhead_test_guests::guest_bytes("panic_mended");
    assert!(!echo.is_empty());
    echo
}

fn digest(component: &[u8]) -> String {
    blake3::hash(component).to_hex().to_string()
}

#[test]
fn heartbeats_are_on_time_while_every_guest_thread_spins() {
    let settings = r#"
[worker]
cpu_slots = 2
[handler.loop_forever]
fuel = "unlimited"
timeout = "3s"
max_attempts = 1
"#;
    let folder = folder(settings, &["loop_forever"]);
    let host = folder.host();
    let spinning: Vec<String> = (0..SPINNING).map(|_| host.client.submit(&json!({"kind": "LOOP"}))).collect();
    for id in &spinning {
        let task = host.client.ended(id);
        assert_eq!(end(&task), ("dead", "timeout", 1), "{task:#}");
    }
    assert_eq!(late_beats(&host), 0.0, "heartbeats later than a second");
    assert!(host.client.metric("heartbeat_lateness_seconds_count") >= 2.0);
    assert_eq!(host.client.metric("lease_lost_total"), 0.0);
}

/// How many heartbeats were later than a second.
fn late_beats(host: &Host) -> f64 {
    host.client.metric("heartbeat_lateness_seconds_count")
        - host.client.metric("heartbeat_lateness_seconds_bucket{le=\"1\"}")
}
