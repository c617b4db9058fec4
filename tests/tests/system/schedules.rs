//! Schedules: tasks that are made again and again, as their users meet them.

use bulkhead_tests::{Folder, eventually};
use serde_json::{Value, json};

/// A schedule that ticks every second.
fn every_second() -> Value {
    json!({ "name": "often", "every": "1s", "task": { "kind": "ECHO", "payload": { "to": ["all", 1.50] } } })
}

#[test]
fn a_schedule_runs_a_task_every_second_and_goes_on_over_a_restart() {
    let folder = Folder::with_guests(&["echo"]);
    let host = folder.host();
    let added = host.client.post("/v1/schedules", &every_second());
    assert_eq!(
        (added.status, &added.body["kind"], &added.body["last"]),
        (201, &json!("ECHO"), &Value::Null),
        "{added:?}"
    );
    eventually("two tasks", || (host.client.count("kind=ECHO&state=succeeded") >= 2).then_some(()));
    let seen = host.client.get("/v1/schedules/often").body;
    assert_eq!(seen["last"]["became"], "task", "{seen}");
    let task = host.client.ended(seen["last"]["task"].as_str().unwrap());
    assert_eq!(task["result"], json!({ "to": ["all", 1.50] }), "{task}");
    assert_eq!(host.stop(), Some(0));

    let host = folder.host();
    let again = host.client.post("/v1/schedules", &every_second());
    assert_eq!((again.status, &again.body["made_at"]), (200, &added.body["made_at"]), "{again:?}");
    let before = host.client.count("kind=ECHO");
    eventually("a task after the restart", || (host.client.count("kind=ECHO") > before).then_some(()));
    assert_eq!(host.client.delete("/v1/schedules/often").body, json!({ "name": "often", "removed": true }));
    assert_eq!(host.client.get("/v1/schedules").body, json!({ "items": [] }));
}

#[test]
fn schedules_are_added_changed_and_removed_by_hand() {
    let folder = Folder::with_guests(&["echo"]);
    let host = folder.host();
    let cli = |arguments: &[&str]| host.cli(&folder, arguments);
    let report = ["schedule", "add", "report", "ECHO", "--cron", "30 2 * * MON-FRI", "--time-zone", "Europe/Berlin"];
    let add = |more: &[&str]| cli(&[&report, more].concat());
    assert!(add(&["--payload", "{\"scope\": 1e2}"]).good().starts_with("report ticks next at 20"));
    assert!(add(&["--payload", "{\"scope\": 1e2}"]).good().starts_with("report ticks next at 20"));
    add(&["--missed", "one"]).failed(2, &["`report`", "replace"]);
    assert!(add(&["--missed", "one", "--overlap", "queue", "--replace"]).good().starts_with("report ticks next"));
    cli(&["schedule", "add", "often", "ECHO", "--every", "1s", "--priority", "-3", "--paused"]).good();

    let listed = cli(&["schedule", "list"]);
    for words in ["report", "30 2 * * MON-FRI Europe/Berlin", "often", "every 1s", "paused"] {
        assert!(listed.good().contains(words), "`{words}` is not in {listed:#?}");
    }
    let shown = cli(&["schedule", "show", "report"]);
    for words in ["Europe/Berlin", "missed        one", "overlap       queue", "kind          ECHO"] {
        assert!(shown.good().contains(words), "`{words}` is not in {shown:#?}");
    }
    let item = cli(&["--output", "json", "schedule", "show", "often"]).json();
    assert_eq!(
        (&item["paused"], &item["next_tick"], &item["task"]["priority"]),
        (&json!(true), &Value::Null, &json!(-3))
    );

    assert_eq!(host.client.count("kind=ECHO"), 0);
    cli(&["schedule", "resume", "often"]).good();
    eventually("a task once it is resumed", || (host.client.count("kind=ECHO&state=succeeded") > 0).then_some(()));
    assert_eq!(cli(&["schedule", "pause", "often", "report"]).good(), "often paused\nreport paused");
    cli(&["schedule", "remove", "nobody", "often"]).failed(1, &["there is no schedule `nobody`"]);
    assert_eq!(cli(&["schedule", "remove", "report"]).good(), "report removed");
    cli(&["schedule", "show", "often"]).failed(2, &["there is no schedule `often`"]);
}

#[test]
fn a_bad_schedule_is_refused_by_the_field_that_is_wrong() {
    let folder = Folder::with_settings("[store]\nallow_unknown_kinds = false\n");
    folder.drop_in("echo", &bulkhead_test_guests::guest_bytes("echo"));
    let host = folder.host();
    eventually("the handler", || host.client.handler("echo").filter(|handler| handler["status"] == "live"));
    let bodies: &[(Value, u16, &str)] = &[
        (json!({ "cron": "60 2 * * *" }), 422, "cron: minute takes"),
        (json!({ "cron": "@daily" }), 422, "0 0 * * *"),
        (json!({ "cron": "0 0 30 2 *" }), 422, "does not come"),
        (json!({ "cron": "0 3 * * *", "time_zone": "Berlin" }), 422, "Europe/Berlin"),
        (json!({ "every": "90" }), 422, "`every`"),
        (json!({ "every": "1500ms" }), 422, "2s"),
        (json!({}), 422, "cron: give"),
        (json!({ "every": "5m", "missed": "some" }), 422, "`missed`"),
        (json!({ "every": "5m", "retries": 3 }), 422, "retries"),
        (json!({ "every": "5m", "task": { "kind": "ECHO", "key": "k" } }), 422, "task.key"),
        (json!({ "every": "5m", "task": { "kind": "NOBODY" } }), 422, "there are: ECHO"),
        (json!({ "every": "5m", "task": { "kind": "ECHO", "payload": "x".repeat(1 << 20) } }), 413, "task.payload"),
        (json!({ "every": "5m", "name": "No name" }), 422, "schedule name"),
    ];
    for (fields, status, words) in bodies {
        let mut body = json!({ "name": "bad", "task": { "kind": "ECHO" } });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let answer = host.client.post("/v1/schedules", &body);
        assert_eq!((answer.status, answer.media_type.as_str()), (*status, "application/problem+json"), "{answer:?}");
        let detail = answer.body["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(words) && detail.len() < 1000, "{words}: {detail}");
    }
    assert_eq!(host.client.get("/v1/schedules").body, json!({ "items": [] }));
    assert_eq!(host.client.get("/v1/schedules/No%20name").status, 400);
    assert_eq!(host.client.delete("/v1/schedules/nobody").status, 404);
    assert_eq!(host.client.post("/v1/schedules/nobody/pause", &json!(null)).status, 404);
    let typed = host.cli(&folder, &["schedule", "add", "bad", "ECHO", "--cron", "0 25 * * *"]);
    typed.failed(2, &["cron: hour takes", "`25`"]);
    host.cli(&folder, &["schedule", "add", "bad", "ECHO"]).failed(2, &["--cron"]);
}
