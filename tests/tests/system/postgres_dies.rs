//! The server itself ends, as in a crash of its machine, and comes back.

use std::time::Duration;

use bulkhead_tests::kills::{attempts_of, effects_of};
use bulkhead_tests::{Cluster, Folder, eventually, skipped, within};
use serde_json::{Value, json};

/// Longer than a worker trusts leases that it cannot renew.
const LONG_AWAY: Duration = Duration::from_secs(12);

#[test]
fn accounts_balance_after_the_server_was_killed_while_tasks_ran() {
    let Some(mut cluster) = Cluster::start() else { return skipped("there is no PostgreSQL") };
    let folders = ["a", "b"].map(|name| Folder::on_server(&cluster.url(), name, &["effect"], ""));
    let hosts = folders.each_ref().map(Folder::host);
    let mut ids = Vec::new();
    for round in 0..3 {
        let tasks: Vec<Value> = (0..400)
            .map(|number| json!({ "kind": "EFFECT", "payload": round * 400 + number, "id": format!("t{round}-{number}") }))
            .collect();
        ids.extend(hosts[round % 2].client.submit_all(&tasks));
        // Some have ended, most have not.
        eventually("work goes on", || {
            let ended = hosts[0].client.try_get("/v1/tasks?kind=EFFECT&state=succeeded&count=true");
            (ended.ok()?.body["count"].as_u64()? > effects_of(round * 400) as u64).then_some(())
        });
        cluster.kill();
        cluster.restart();
        // What was accepted once is accepted again, as the same tasks.
        let lines: Vec<String> = tasks.iter().map(Value::to_string).collect();
        let again = eventually("tasks are taken again", || {
            let answer =
                hosts[round % 2].client.try_post("/v1/tasks", "application/x-ndjson", lines.join("\n").as_bytes());
            answer.ok().filter(|answer| answer.status < 300)
        });
        assert_eq!(again.body["accepted"], 0, "{again:?}");
    }
    for (number, id) in ids.iter().enumerate() {
        let task = hosts[number % 2].client.ended(id);
        assert_eq!(
            (&task["state"], &task["result"], &task["attempt"]),
            (&json!("succeeded"), &json!(number), &json!(attempts_of(number))),
            "{task:#}"
        );
    }
    assert_eq!(hosts[0].client.count("kind=ROW"), effects_of(ids.len()) as u64);
    assert!(folders[0].bulkhead(&["db", "check"]).good().contains("is whole"));
    for host in hosts {
        assert_eq!(host.stop(), Some(0));
    }
}

#[test]
fn while_the_server_is_away_callers_are_told_and_runs_are_stopped_and_none_is_charged() {
    let Some(mut cluster) = Cluster::start() else { return skipped("there is no PostgreSQL") };
    let folder = Folder::on_server(&cluster.url(), "one", &["nap", "echo"], "");
    let host = folder.host();
    let id = host.client.submit(&json!({ "kind": "NAP", "payload": 100_000, "timeout": "200s" }));
    eventually("it runs", || (host.client.try_metric("handler_active{handler=\"nap\"}") == Some(1.0)).then_some(()));

    cluster.kill();
    let refused = eventually("callers are told", || {
        let answer = host.client.post("/v1/tasks", &json!({ "kind": "ECHO" }));
        (answer.status == 503).then_some(answer)
    });
    assert!(refused.body["detail"].as_str().is_some_and(|words| words.contains("store")), "{refused:?}");
    within(LONG_AWAY, "its sandbox is stopped", || {
        (host.client.try_metric("handler_active{handler=\"nap\"}") == Some(0.0)).then_some(())
    });
    assert_eq!(host.client.get("/health/live").status, 200);
    assert_eq!(host.client.get("/health/ready").status, 503);

    cluster.restart();
    let echo = eventually("tasks are taken again", || {
        let answer = host.client.post("/v1/tasks", &json!({ "kind": "ECHO", "payload": 7 }));
        (answer.status == 201).then(|| answer.body["id"].as_str().unwrap_or_default().to_owned())
    });
    assert_eq!(host.client.ended(&echo)["result"], 7);
    eventually("it runs again", || {
        (host.client.try_metric("handler_active{handler=\"nap\"}") == Some(1.0)).then_some(())
    });
    let task = host.client.task(&id);
    assert_eq!((&task["state"], &task["attempt"]), (&json!("running"), &json!(1)), "charged: {task:#}");
    assert_eq!(host.stop(), Some(0));
}
