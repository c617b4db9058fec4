//! Several hosts on one PostgreSQL database, as their users meet them.

use std::time::{Duration, Instant};

use bulkhead_tests::{Database, Folder, Host, eventually, skipped, within};
use serde_json::{Value, json};

const GUESTS: [&str; 4] = ["nap", "echo", "panic", "fail"];

/// Claims nothing, so that whatever it is told concerns others.
const IDLE: &str = "worker.plugins = [\"nobody\"]\n";

/// A host that runs nothing, and one that runs all; both on one database.
struct Pair {
    _database: Database,
    idle_folder: Folder,
    idle: Host,
    _busy_folder: Folder,
    busy: Host,
}

fn pair() -> Option<Pair> {
    let Some(database) = Database::make() else {
        skipped("there is no PostgreSQL");
        return None;
    };
    let idle_folder = Folder::on_server(&database.url, "idle", &[], IDLE);
    let busy_folder = Folder::on_server(&database.url, "busy", &GUESTS, "");
    let (idle, busy) = (idle_folder.host(), busy_folder.host());
    Some(Pair { _database: database, idle_folder, idle, _busy_folder: busy_folder, busy })
}

fn runs(host: &Host, id: &str) {
    eventually("it runs", || (host.client.task(id)["state"] == "running").then_some(()));
}

#[test]
fn what_one_host_takes_in_another_runs_and_both_tell_of_it() {
    let Some(pair) = pair() else { return };
    let Pair { idle, busy, .. } = &pair;
    // The wait is at the host that does not run it.
    let id = idle.client.submit(&json!({ "kind": "ECHO", "payload": {"a": [1, "é"]}, "priority": 3 }));
    let task = idle.client.ended(&id);
    assert_eq!((&task["state"], &task["result"]), (&json!("succeeded"), &json!({"a": [1, "é"]})));
    assert_eq!(task["attempts"][0]["worker"], "busy");
    assert_eq!(busy.client.task(&id), task);

    let ids = idle.client.submit_all(&(0..300).map(|n| json!({ "kind": "ECHO", "payload": n })).collect::<Vec<_>>());
    for (number, id) in ids.iter().enumerate() {
        assert_eq!(idle.client.ended(id)["result"], json!(number));
    }
    for host in [idle, busy] {
        assert_eq!(host.client.count("kind=ECHO&state=succeeded"), 301);
        let page = host.client.get("/v1/tasks?kind=ECHO&limit=200").body;
        assert_eq!(page["items"].as_array().map(Vec::len), Some(200));
        let rest = host.client.get(&format!("/v1/tasks?kind=ECHO&limit=200&cursor={}", page["next"].as_str().unwrap()));
        assert_eq!(rest.body["items"].as_array().map(Vec::len), Some(101));
    }
    // The same key, told to another host, is the same task.
    let keyed = json!({ "kind": "ECHO", "payload": 1, "key": "once" });
    assert_eq!(idle.client.submit(&keyed), busy.client.submit(&keyed));
}

#[test]
fn a_waiter_is_told_soon_after_another_host_has_ended_the_task() {
    let Some(pair) = pair() else { return };
    let Pair { idle, .. } = &pair;
    let waited = |millis: u64| {
        let id = idle.client.submit(&json!({ "kind": "NAP", "payload": millis }));
        let began = Instant::now();
        assert_eq!(idle.client.ended(&id)["state"], "succeeded");
        began.elapsed()
    };
    // The best of a few: whatever else this machine does takes its time, too.
    let best = (0..3).map(|_| waited(300)).min().unwrap_or_default();
    assert!(best < Duration::from_millis(300) + Duration::from_secs(1), "{best:?}");
}

#[test]
fn a_cancel_reaches_a_run_on_another_host_within_a_second() {
    let Some(pair) = pair() else { return };
    let Pair { idle, busy, .. } = &pair;
    let reached = || {
        let id = idle.client.submit(&json!({ "kind": "NAP", "payload": 50_000 }));
        runs(idle, &id);
        let began = Instant::now();
        assert_eq!(idle.client.post(&format!("/v1/tasks/{id}/cancel"), &json!({})).status / 100, 2);
        eventually("its sandbox is gone", || {
            (busy.client.get("/v1/workers").body["items"][0]["in_flight"] == 0).then_some(())
        });
        let taken = began.elapsed();
        assert_eq!(idle.client.ended(&id)["state"], "cancelled");
        taken
    };
    let best = (0..3).map(|_| reached()).min().unwrap_or_default();
    assert!(best < Duration::from_secs(1), "{best:?}");
}

#[test]
fn what_is_paused_at_one_host_is_paused_at_all() {
    let Some(pair) = pair() else { return };
    let Pair { idle, busy, idle_folder, .. } = &pair;
    idle.cli(idle_folder, &["task", "pause", "--kind", "ECHO"]).good();
    let held = |host: &Host| host.client.get("/v1/queue").body["paused_kinds"] == json!(["ECHO"]);
    within(Duration::from_secs(5), "the other host hears of it", || held(busy).then_some(()));
    let waits = busy.client.submit(&json!({ "kind": "ECHO", "payload": 1 }));
    // What is submitted later to a kind that is not paused goes first.
    busy.client.ended(&busy.client.submit(&json!({ "kind": "NAP", "payload": 1 })));
    assert_eq!(busy.client.task(&waits)["state"], "ready");
    idle.cli(idle_folder, &["task", "resume", "--kind", "ECHO"]).good();
    assert_eq!(idle.client.ended(&waits)["state"], "succeeded");

    let task = idle.client.submit(&json!({ "kind": "ECHO", "payload": 2, "delay": "1h" }));
    idle.cli(idle_folder, &["task", "pause", &task]).good();
    assert_eq!(busy.client.task(&task)["state"], "paused");
    busy.client.post(&format!("/v1/tasks/{task}/resume"), &json!({}));
    assert_eq!(idle.client.task(&task)["state"], "ready");
}

#[test]
fn dead_letters_of_one_host_are_handled_at_another() {
    let Some(pair) = pair() else { return };
    let Pair { idle, idle_folder, busy, .. } = &pair;
    let ids = idle.client.submit_all(&[
        json!({ "kind": "PANIC", "max_attempts": 1 }),
        json!({ "kind": "PANIC", "max_attempts": 1 }),
        json!({ "kind": "FAIL", "max_attempts": 1 }),
    ]);
    ids.iter().for_each(|id| assert_eq!(idle.client.ended(id)["state"], "dead"));
    let exported = idle.cli(idle_folder, &["dlq", "export", "--reason", "trap"]);
    let exported: Vec<Value> =
        exported.good().lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    assert_eq!(exported.len(), 2);
    assert!(exported.iter().all(|task| task["attempts"][0]["worker"] == "busy"), "{exported:#?}");

    idle.cli(idle_folder, &["dlq", "retry", "--kind", "PANIC"]).good();
    ids[..2].iter().for_each(|id| {
        let again = eventually("it died again", || {
            Some(idle.client.task(id)).filter(|task| task["state"] == "dead" && task["epoch"] == 2)
        });
        assert_eq!(again["attempts"].as_array().map(Vec::len), Some(2), "{again:#}");
    });
    idle.cli(idle_folder, &["dlq", "resolve", &ids[2], "--result", "7"]).good();
    assert_eq!(busy.client.task(&ids[2])["result"], 7);
    assert!(idle.cli(idle_folder, &["dlq", "purge", "--older-than", "0s"]).good().starts_with("2 "));
    assert_eq!(busy.client.count("state=dead"), 0);
}

#[test]
fn limits_of_a_kind_hold_over_all_hosts() {
    let Some(database) = Database::make() else { return skipped("there is no PostgreSQL") };
    let limit = "[limits.NAP]\nconcurrent = 2\n";
    let folders = ["a", "b"].map(|name| Folder::on_server(&database.url, name, &["nap"], limit));
    let hosts = folders.each_ref().map(Folder::host);
    let naps: Vec<Value> = (0..12).map(|_| json!({ "kind": "NAP", "payload": 150 })).collect();
    let ids = hosts[0].client.submit_all(&naps);
    let mut most = 0;
    eventually("all have ended", || {
        most = most.max(hosts[1].client.count("kind=NAP&state=running"));
        (hosts[1].client.count("kind=NAP&state=succeeded") == ids.len() as u64).then_some(())
    });
    assert!((1..=2).contains(&most), "{most} ran at once");
}

fn is_parked(host: &Host, id: &str) -> bool {
    host.client.task(id)["reason"] == "no_capable_worker"
}

#[test]
fn what_every_handler_of_one_host_passes_on_is_taken_by_a_handler_of_another() {
    let Some(database) = Database::make() else { return skipped("there is no PostgreSQL") };
    let guests: [(&str, &[&str]); 3] =
        [("passes", &["skip"]), ("takes", &["takes_skipped"]), ("too", &["skip", "nap"])];
    let folders = guests.map(|(name, guests)| Folder::on_server(&database.url, name, guests, ""));
    let hosts = folders.each_ref().map(Folder::host);
    // The one that could take them is away until all are parked.
    hosts[1].freeze();
    let tasks: Vec<Value> = (0..20).map(|number| json!({ "kind": "SKIP", "payload": number })).collect();
    let ids = hosts[0].client.submit_all(&tasks);
    eventually("all are parked", || ids.iter().all(|id| is_parked(&hosts[0], id)).then_some(()));
    hosts[1].thaw();
    for (number, id) in ids.iter().enumerate() {
        let task = hosts[0].client.ended(id);
        assert_eq!((&task["state"], &task["result"]), (&json!("succeeded"), &json!(number)), "{task:#}");
    }
    // Without that host, they are passed on once by each of the others' versions, and wait.
    let [passes, takes, too] = hosts;
    assert_eq!(takes.stop(), Some(0));
    let id = passes.client.submit(&json!({ "kind": "SKIP", "payload": 1 }));
    eventually("it is parked", || is_parked(&passes, &id).then_some(()));
    // Whoever takes what came in later at another host has looked at what others did before.
    let nap = passes.client.submit(&json!({ "kind": "NAP", "payload": 1 }));
    assert_eq!(passes.client.ended(&nap)["state"], "succeeded");
    assert!(is_parked(&passes, &id));
    assert_eq!(passes.client.task(&id)["attempt"], 0);
    let runs = |host: &Host| host.client.try_metric("handler_duration_seconds_count{handler=\"skip\",status=\"skip\"}");
    let runs: f64 = [&passes, &too].into_iter().filter_map(runs).sum();
    assert_eq!(runs, 21.0, "each task once, since both have the same version");
    for host in [passes, too] {
        assert_eq!(host.stop(), Some(0));
    }
}
