//! A host that no longer reaches its database, or stands still, while another goes on.

use std::time::{Duration, Instant};

use bulkhead_tests::{Database, Folder, Host, Wire, eventually, skipped, within};
use serde_json::{Value, json};

/// How long a lease lasts, and how long a worker trusts one that was not renewed.
const LEASE: Duration = Duration::from_secs(15);
const TRUSTED: Duration = Duration::from_secs(10);
/// Less than what is left of that trust when a renewal is due.
const TRUSTED_STILL: Duration = Duration::from_secs(4);
/// How much later others notice, on a machine that is busy.
const NOTICED: Duration = Duration::from_secs(2);
/// Runs until it is stopped.
const LONG: u64 = 100_000;

/// A long task that runs on this host, the only one so far.
fn long_task(host: &Host) -> String {
    let id = host.client.submit(&json!({ "kind": "NAP", "payload": LONG, "timeout": "200s" }));
    eventually("it runs", || (host.client.task(&id)["state"] == "running").then_some(()));
    eventually("its sandbox is there", || {
        (host.client.try_metric("handler_active{handler=\"nap\"}") == Some(1.0)).then_some(())
    });
    id
}

/// The ends of a task's attempts.
fn ends(task: &Value) -> Vec<&str> {
    task["attempts"].as_array().into_iter().flatten().filter_map(|attempt| attempt["end"].as_str()).collect()
}

#[test]
fn a_host_that_is_cut_off_stops_its_sandboxes_before_another_takes_over() {
    let Some(database) = Database::make() else { return skipped("there is no PostgreSQL") };
    let wire = Wire::to(&database.url);
    let cut_folder = Folder::on_server(&wire.url, "cut", &["nap"], "");
    let cut = cut_folder.host();
    let id = long_task(&cut);
    let other_folder = Folder::on_server(&database.url, "other", &["nap"], "");
    let other = other_folder.host();

    wire.cut();
    let began = Instant::now();
    within(TRUSTED + NOTICED, "its sandbox is stopped", || {
        (cut.client.try_metric("handler_active{handler=\"nap\"}") == Some(0.0)).then_some(())
    });
    assert_eq!(other.client.task(&id)["state"], "running", "taken over before it was stopped");
    assert_eq!(cut.client.get("/health/ready").status, 503);
    let lost = within(LEASE + NOTICED - began.elapsed(), "another takes over", || {
        Some(other.client.task(&id)).filter(|task| !ends(task).is_empty())
    });
    assert_eq!((ends(&lost), &lost["attempt"]), (vec!["worker_lost"], &json!(0)), "charged: {lost:#}");
    eventually("it runs again", || (other.client.task(&id)["state"] == "running").then_some(()));

    wire.mend();
    // What it held is not its own any more; what comes next may be.
    eventually("it takes part again", || (cut.client.get("/health/ready").status == 200).then_some(()));
    assert_eq!(cut.client.metric("lease_lost_total"), 1.0);
    assert_eq!(cut.client.post(&format!("/v1/tasks/{id}/cancel"), &json!({})).status / 100, 2);
    let ended = other.client.ended(&id);
    assert_eq!((&ended["state"], ends(&ended)), (&json!("cancelled"), vec!["worker_lost", "cancelled"]), "{ended:#}");
    assert!(cut_folder.bulkhead(&["db", "check"]).good().contains("is whole"));
}

#[test]
fn a_host_that_stood_still_commits_nothing_that_was_taken_over() {
    let Some(database) = Database::make() else { return skipped("there is no PostgreSQL") };
    let folders = ["frozen", "other"].map(|name| Folder::on_server(&database.url, name, &["nap"], ""));
    let frozen = folders[0].host();
    let id = frozen.client.submit(&json!({ "kind": "NAP", "payload": 2_000 }));
    eventually("it runs", || (frozen.client.task(&id)["state"] == "running").then_some(()));
    frozen.freeze();
    let other = folders[1].host();
    // By the time it wakes, its run has ended as far as clocks go, and so has its lease.
    let ended = other.client.ended(&id);
    assert_eq!((&ended["state"], ends(&ended)), (&json!("succeeded"), vec!["worker_lost", "succeeded"]), "{ended:#}");
    frozen.thaw();
    eventually("it notices", || (frozen.client.metric("lease_lost_total") >= 1.0).then_some(()));
    let after = frozen.client.ended(&frozen.client.submit(&json!({ "kind": "NAP", "payload": 1 })));
    assert_eq!(after["state"], "succeeded");
    assert_eq!(frozen.client.task(&id), ended);
    assert!(folders[0].bulkhead(&["db", "check"]).good().contains("is whole"));
}

/// A host that runs a long task, and another beside it.
fn one_and_another(database: &Database) -> ((Folder, Host, String), (Folder, Host)) {
    let settings = "worker.drain_timeout = \"1s\"\n";
    let folder = Folder::on_server(&database.url, "one", &["nap"], settings);
    let host = folder.host();
    let id = long_task(&host);
    let other_folder = Folder::on_server(&database.url, "other", &["nap"], settings);
    let other = other_folder.host();
    ((folder, host, id), (other_folder, other))
}

#[test]
fn what_a_killed_host_ran_is_taken_over_once_its_lease_has_run_out() {
    let Some(database) = Database::make() else { return skipped("there is no PostgreSQL") };
    let ((_folder, killed, id), (_other_folder, other)) = one_and_another(&database);
    killed.kill();
    let lost = within(LEASE + NOTICED, "another takes over", || {
        Some(other.client.task(&id)).filter(|task| !ends(task).is_empty())
    });
    assert_eq!((ends(&lost), &lost["attempt"]), (vec!["worker_lost"], &json!(0)), "charged: {lost:#}");
    eventually("it runs again", || (other.client.task(&id)["state"] == "running").then_some(()));
}

#[test]
fn what_a_drained_host_ran_is_taken_over_before_its_lease_would_have_run_out() {
    let Some(database) = Database::make() else { return skipped("there is no PostgreSQL") };
    let ((_folder, drained, id), (_other_folder, other)) = one_and_another(&database);
    assert_eq!(drained.stop(), Some(0));
    let again = within(LEASE - NOTICED, "another takes over", || {
        let running = || other.client.try_metric("handler_active{handler=\"nap\"}") == Some(1.0);
        Some(other.client.task(&id)).filter(|task| task["state"] == "running" && running())
    });
    assert_eq!((ends(&again), &again["attempt"]), (vec![], &json!(1)), "charged: {again:#}");
}

/// A host that can be cut off, and another beside it that is paused.
fn one_on_a_wire_and_another_paused(database: &Database, wire: &Wire) -> ((Folder, Host), (Folder, Host)) {
    let folder = Folder::on_server(&wire.url, "one", &["nap"], "");
    let host = folder.host();
    let other_folder = Folder::on_server(&database.url, "other", &["nap"], "");
    let other = other_folder.host();
    assert_eq!(other.client.post("/v1/workers/other/pause", &json!({})).status, 200);
    ((folder, host), (other_folder, other))
}

/// What a host says that its worker is.
fn state(host: &Host) -> Value {
    host.client.get("/v1/workers").body["items"][0]["state"].clone()
}

/// Waits until a host whose wire is cut has noticed.
fn noticed(host: &Host) {
    within(TRUSTED + NOTICED, "it is cut off", || (state(host) == "cut_off").then_some(()));
}

fn drain(host: &Host) {
    assert_eq!(host.client.post("/v1/workers/one/drain", &json!({})).status, 202);
    eventually("it has drained", || (state(host) == "drained").then_some(()));
}

/// Lets the other host claim, and waits until it has run a task that nobody had begun.
fn runs_on_the_other(other: &Host, id: &str) {
    assert_eq!(other.client.post("/v1/workers/other/resume", &json!({})).status, 200);
    let ended = other.client.ended(id);
    assert_eq!((&ended["state"], ends(&ended)), (&json!("succeeded"), vec!["succeeded"]), "{ended:#}");
    assert_eq!(ended["attempts"][0]["worker"], "other", "{ended:#}");
}

/// Submits a task and sees that a drained host leaves it to the other, though it reaches the database again.
fn leaves_all_to_the_other(drained: &Host, other: &Host) {
    let id = other.client.submit(&json!({ "kind": "NAP", "payload": 1 }));
    let path = format!("/v1/tasks/{id}");
    eventually("it reaches the database again", || (drained.client.get(&path).status == 200).then_some(()));
    // Several times as long as a worker takes to attach again.
    let waited = other.client.get(&format!("{path}?wait=4s")).body;
    assert_eq!((&waited["state"], state(drained)), (&json!("ready"), json!("drained")), "{waited:#}");
    runs_on_the_other(other, &id);
}

#[test]
fn a_host_that_is_cut_off_after_it_has_drained_claims_nothing_once_the_wire_is_mended() {
    let Some(database) = Database::make() else { return skipped("there is no PostgreSQL") };
    let wire = Wire::to(&database.url);
    let ((_folder, drained), (_other_folder, other)) = one_on_a_wire_and_another_paused(&database, &wire);
    drain(&drained);
    wire.cut();
    // Nothing to wait for: a drained host says nothing of its leases.
    std::thread::sleep(LEASE);
    wire.mend();
    leaves_all_to_the_other(&drained, &other);
    assert_eq!(drained.stop(), Some(0));
}

#[test]
fn a_host_that_drains_while_it_is_cut_off_claims_nothing_once_the_wire_is_mended() {
    let Some(database) = Database::make() else { return skipped("there is no PostgreSQL") };
    let wire = Wire::to(&database.url);
    let ((_folder, drained), (_other_folder, other)) = one_on_a_wire_and_another_paused(&database, &wire);
    wire.cut();
    noticed(&drained);
    drain(&drained);
    wire.mend();
    leaves_all_to_the_other(&drained, &other);
    assert_eq!(drained.stop(), Some(0));
}

#[test]
fn a_host_that_drains_before_it_notices_that_it_is_cut_off_has_drained_when_it_does() {
    let Some(database) = Database::make() else { return skipped("there is no PostgreSQL") };
    let wire = Wire::to(&database.url);
    let ((_folder, cut), (_other_folder, other)) = one_on_a_wire_and_another_paused(&database, &wire);
    let id = long_task(&cut);
    wire.cut();
    let began = Instant::now();
    // Nothing to wait for: by then it has asked what is not answered.
    std::thread::sleep(TRUSTED_STILL);
    assert_eq!(state(&cut), "running");
    assert_eq!(cut.client.post("/v1/workers/one/drain", &json!({})).status, 202);
    within(TRUSTED + NOTICED - began.elapsed(), "it has drained", || (state(&cut) == "drained").then_some(()));
    eventually("its sandbox is stopped", || {
        (cut.client.try_metric("handler_active{handler=\"nap\"}") == Some(0.0)).then_some(())
    });
    let lost = within(LEASE + NOTICED, "its lease is over", || {
        Some(other.client.task(&id)).filter(|task| !ends(task).is_empty())
    });
    assert_eq!((ends(&lost), &lost["attempt"]), (vec!["worker_lost"], &json!(0)), "charged: {lost:#}");
    wire.mend();
    assert_eq!(other.client.post(&format!("/v1/tasks/{id}/cancel"), &json!({})).status / 100, 2);
    leaves_all_to_the_other(&cut, &other);
    assert_eq!(cut.stop(), Some(0));
}

#[test]
fn a_host_that_is_told_to_stop_while_it_is_cut_off_claims_nothing_on_its_way_out() {
    let Some(database) = Database::make() else { return skipped("there is no PostgreSQL") };
    let wire = Wire::to(&database.url);
    let ((_folder, mut leaving), (_other_folder, other)) = one_on_a_wire_and_another_paused(&database, &wire);
    wire.cut();
    noticed(&leaving);
    let id = other.client.submit(&json!({ "kind": "NAP", "payload": 1 }));
    leaving.terminate();
    eventually("it has heard", || leaving.log().contains("a second signal leaves at once").then_some(()));
    wire.mend();
    let status = leaving.wait(2 * LEASE).expect("it ends");
    assert!(status.success(), "{status}\n{}", leaving.log());
    assert_eq!(other.client.task(&id)["state"], "ready");
    runs_on_the_other(&other, &id);
}
