//! `/metrics`, as Prometheus' own tool reads it.

use std::io::Write;
use std::process::{Command, Stdio};

use bulkhead_tests::{Folder, places, skipped};
use serde_json::json;

/// A host that has something to tell.
fn metrics() -> String {
    let folder = Folder::with_guests(&["echo", "fail", "panic"]);
    let host = folder.host();
    for kind in ["ECHO", "PANIC", "FAIL"] {
        host.client.ended(&host.client.submit(&json!({"kind": kind, "max_attempts": 1})));
    }
    host.client.submit(&json!({"kind": "NOBODY"}));
    let late = json!({"kind": "NOBODY", "expires_at": "2020-01-01T00:00:00Z"});
    host.client.ended(&host.client.submit(&late));
    let answer = host.client.get("/metrics");
    assert!(answer.media_type.starts_with("text/plain"), "{}", answer.media_type);
    answer.body.as_str().unwrap_or_default().to_owned()
}

#[test]
fn every_name_of_the_reference_is_there() {
    let metrics = metrics();
    for name in [
        "handler_duration_seconds_count{handler=\"echo\",status=\"succeeded\"} 1",
        "handler_fail_total{handler=\"panic\",reason=\"trap\"} 1",
        "handler_fuel_total{handler=\"echo\"}",
        "handler_active{handler=\"echo\"} 0",
        "queue_pending{kind=\"ECHO\"} 0",
        "queue_pending{kind=\"other\"} 1",
        "queue_oldest_seconds{kind=\"other\"}",
        "queue_unroutable 1",
        "queue_dead_total{kind=\"PANIC\",reason=\"trap\"} 1",
        "queue_dead_total{kind=\"FAIL\",reason=\"max_attempts\"} 1",
        "queue_dead_total{kind=\"other\",reason=\"expired\"} 1",
        "claim_duration_seconds_count",
        "commit_batch_size_count",
        "commit_duration_seconds_count",
        "lease_lost_total 0",
        "heartbeat_lateness_seconds_count",
        "task_latency_seconds_count{kind=\"ECHO\"} 1",
        "worker_slots{state=\"free\"}",
        "process_resident_memory_bytes",
    ] {
        assert!(metrics.contains(name), "`{name}` is not in:\n{metrics}");
    }
}

#[test]
fn a_run_is_counted_once_by_the_end_that_decides() {
    let folder = Folder::with_guests(&["checkpoint", "chooses"]);
    folder.write("bulkhead.toml", "[handlers.defaults]\nmax_stages = 2\n");
    let host = folder.host();
    // One goes on for longer than it may, and the other chooses between steps though it is no step itself.
    for (kind, reason) in [("CHECK", "limit"), ("CHOOSE", "invalid_outcome")] {
        let ended = host.client.ended(&host.client.submit(&json!({"kind": kind, "payload": "a"})));
        assert_eq!((&ended["state"], &ended["reason"]), (&json!("dead"), &json!(reason)), "{ended:#}");
    }
    let runs = |handler: &str, status: &str| {
        let line = format!("handler_duration_seconds_count{{handler=\"{handler}\",status=\"{status}\"}}");
        host.client.try_metric(&line)
    };
    assert_eq!((runs("checkpoint", "checkpoint"), runs("checkpoint", "limit")), (Some(1.0), Some(1.0)));
    assert_eq!((runs("chooses", "succeeded"), runs("chooses", "invalid_outcome")), (Some(0.0), Some(1.0)));
    let failed = |handler: &str, reason: &str| {
        host.client.metric(&format!("handler_fail_total{{handler=\"{handler}\",reason=\"{reason}\"}}"))
    };
    assert_eq!((failed("checkpoint", "limit:stages"), failed("chooses", "invalid_outcome")), (1.0, 1.0));
}

#[test]
fn promtool_has_nothing_against_them() {
    let Some(promtool) = places::promtool() else { return skipped("promtool is not here") };
    let mut check = Command::new(&promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it can be started");
    let mut stdin = check.stdin.take().expect("it is piped");
    stdin.write_all(metrics().as_bytes()).expect("it reads");
    drop(stdin);
    let output = check.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert_eq!(said.trim(), "", "promtool has something to say");
}
