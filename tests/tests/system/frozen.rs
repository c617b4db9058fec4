//! A host that stood still for longer than its leases can be trusted.

use std::time::Duration;

use bulkhead_tests::{Folder, eventually};
use serde_json::json;

/// Longer than the ten seconds after which a worker no longer trusts its leases.
const FROZEN: Duration = Duration::from_secs(11);

#[test]
fn a_host_that_was_frozen_drops_what_it_ran_and_runs_it_again_uncharged() {
    let folder = Folder::with_guests(&["nap", "echo"]);
    let host = folder.host();
    let long = host.client.submit(&json!({"kind": "NAP", "payload": 30_000, "timeout": "60s"}));
    eventually("it runs", || (host.client.task(&long)["state"] == "running").then_some(()));
    let before = host.client.task(&long)["attempts"].clone();
    assert_eq!(before, json!([]));

    host.freeze();
    // Nothing to wait for: the time itself is what is tested.
    std::thread::sleep(FROZEN);
    host.thaw();

    eventually("the lost lease is noticed", || (host.client.metric("lease_lost_total") >= 1.0).then_some(()));
    // It is attached anew: other work goes on, and the task runs again, as its first attempt.
    let other = host.client.ended(&host.client.submit(&json!({"kind": "ECHO", "payload": 1})));
    assert_eq!(other["state"], "succeeded");
    let again = eventually("it runs again", || Some(host.client.task(&long)).filter(|task| task["state"] == "running"));
    assert_eq!(again["attempt"], 1, "{again:#}");
    host.client.post(&format!("/v1/tasks/{long}/cancel"), &json!({}));
    assert_eq!(host.client.ended(&long)["state"], "cancelled");
    assert_eq!(host.stop(), Some(0));
}

#[test]
fn a_paused_worker_that_was_frozen_says_that_it_lost_its_leases() {
    let folder = Folder::with_guests(&["nap"]);
    let host = folder.host();
    let name = host.client.get("/v1/workers").body["items"][0]["name"].as_str().unwrap_or_default().to_owned();
    assert_eq!(host.client.post(&format!("/v1/workers/{name}/pause"), &json!({})).status, 200);

    host.freeze();
    // Nothing to wait for: the time itself is what is tested.
    std::thread::sleep(FROZEN);
    host.thaw();

    eventually("the lost lease is noticed", || (host.client.metric("lease_lost_total") >= 1.0).then_some(()));
    assert_eq!(host.client.get("/v1/workers").body["items"][0]["state"], "paused");
    assert_eq!(host.stop(), Some(0));
}

#[test]
fn a_drained_worker_that_was_frozen_claims_nothing() {
    let folder = Folder::with_guests(&["nap"]);
    let host = folder.host();
    let name = host.client.get("/v1/workers").body["items"][0]["name"].as_str().unwrap_or_default().to_owned();
    let state = || host.client.get("/v1/workers").body["items"][0]["state"].clone();
    host.client.post(&format!("/v1/workers/{name}/drain"), &json!({}));
    eventually("it has drained", || (state() == "drained").then_some(()));

    host.freeze();
    // Nothing to wait for: the time itself is what is tested.
    std::thread::sleep(FROZEN);
    host.thaw();

    let id = host.client.submit(&json!({"kind": "NAP", "payload": 1}));
    // Several times as long as a worker takes to attach again.
    let waited = host.client.get(&format!("/v1/tasks/{id}?wait=4s")).body;
    assert_eq!((&waited["state"], state()), (&json!("ready"), json!("drained")));
    assert_eq!(host.stop(), Some(0));
    let host = folder.host();
    assert_eq!(host.client.ended(&id)["state"], "succeeded");
}
