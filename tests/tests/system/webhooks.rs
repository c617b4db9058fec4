//! Events on their way to receivers outside that fail, keep silent and come back, while the host is killed.

use std::collections::BTreeSet;

use bulkhead_tests::{Database, Folder, Host, Manner, Message, Receiver, Stream, eventually, skipped};
use serde_json::{Value, json};

/// Receivers on this machine are allowed, and given up quickly where they keep silent.
const SETTINGS: &str = "[webhooks]\nallow = [\"127.0.0.1\"]\ntimeout = \"300ms\"\n";

fn folder(settings: &str) -> Folder {
    let folder = Folder::with_settings(settings);
    for guest in ["echo", "fail", "asks_for_answer"] {
        folder.drop_in(guest, &bulkhead_test_guests::guest_bytes(guest));
    }
    folder
}

fn add(host: &Host, folder: &Folder, name: &str, receiver: &Receiver, more: &[&str]) {
    let url = receiver.url();
    let added = host.cli(folder, &[&["webhook", "add", name, &url][..], more].concat());
    let secret = added.good().lines().next().unwrap_or_default().to_owned();
    if secret.starts_with("whsec_") {
        receiver.trust(&secret);
    }
}

fn of(message: &Message) -> (String, String) {
    let text = |pointer: &str| message.event.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    (text("/data/task"), text("/type"))
}

/// Waits until the receiver has all of these, and checks that each task's came in order.
fn has_all(receiver: &Receiver, expected: &BTreeSet<(String, String)>) {
    eventually(format!("{} events", expected.len()), || {
        let taken: BTreeSet<(String, String)> = receiver.taken().iter().map(of).collect();
        expected.is_subset(&taken).then_some(())
    });
    let taken = receiver.taken();
    let first = |task: &str, event: &str| taken.iter().map(of).position(|found| found == (task.into(), event.into()));
    for (task, _) in expected.iter().filter(|(_, event)| event == "task.suspended") {
        assert!(first(task, "task.suspended") < first(task, "task.succeeded"), "{task}: {taken:#?}");
    }
    // A message keeps its id, and no two events share one.
    let pairs: BTreeSet<(String, (String, String))> =
        taken.iter().map(|message| (message.id.clone(), of(message))).collect();
    let ids: BTreeSet<&String> = pairs.iter().map(|(id, _)| id).collect();
    assert_eq!(ids.len(), pairs.len());
}

#[test]
fn every_end_reaches_every_receiver_over_kills_and_failures() {
    let folder = folder(SETTINGS);
    let mut host = folder.host();
    let [good, failing, silent, closing] =
        [Manner::Takes, Manner::Refuses, Manner::IsSilent, Manner::Hangs].map(Receiver::start);
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    folder.write("secret", secret);
    failing.trust(secret);
    add(&host, &folder, "good", &good, &[]);
    add(&host, &folder, "failing", &failing, &["--secret", "file:secret"]);
    add(&host, &folder, "silent", &silent, &[]);
    add(&host, &folder, "closing", &closing, &[]);
    let mut expected = BTreeSet::new();
    for round in 0..3 {
        let waiting: Vec<String> = (0..5).map(|_| host.client.submit(&json!({ "kind": "APPROVE" }))).collect();
        let tasks: Vec<Value> = (0..40).map(|number| json!({ "kind": "ECHO", "payload": number })).collect();
        let ended = host.client.submit_all(&tasks);
        let dead: Vec<String> =
            (0..5).map(|_| host.client.submit(&json!({ "kind": "FAIL", "max_attempts": 1 }))).collect();
        for id in &waiting {
            eventually("it waits", || (host.client.task(id)["state"] == "suspended").then_some(()));
            host.client.post(&format!("/v1/tasks/{id}/resume"), &json!({ "payload": "yes" }));
        }
        let told = |id: &String, event: &str| (id.clone(), format!("task.{event}"));
        expected.extend(waiting.iter().flat_map(|id| [told(id, "suspended"), told(id, "succeeded")]));
        expected.extend(ended.iter().map(|id| told(id, "succeeded")));
        expected.extend(dead.iter().map(|id| told(id, "dead")));
        // In the middle of it, wherever that is.
        eventually("deliveries under way", || (good.taken().len() > round * 40).then_some(()));
        host.kill();
        host = folder.host();
    }
    let all = expected.len() as u64;
    eventually("all ends", || {
        let count = |states: &str| host.client.count(&format!("state={states}"));
        (count("succeeded,dead") == all - 15).then_some(())
    });
    // Those that take nothing hold up nobody.
    has_all(&good, &expected);
    assert!(silent.taken().is_empty() && failing.taken().is_empty() && closing.taken().is_empty());
    for receiver in [&failing, &silent, &closing] {
        receiver.behave(Manner::Takes);
    }
    has_all(&failing, &expected);
    has_all(&silent, &expected);
    has_all(&closing, &expected);
    eventually("nothing waits", || {
        let listed = host.client.get("/v1/webhooks").body;
        listed["items"].as_array()?.iter().all(|item| item["pending"] == 0).then_some(())
    });
    assert!(!host.log().contains("whsec_") && !host.log().contains("t0ken"), "{}", host.log());
    assert!(host.client.metric("webhook_attempts_total{result=\"delivered\"}") > 0.0);
    assert_eq!(host.stop(), Some(0));
}

#[test]
fn what_is_given_up_is_parked_and_tried_again_by_hand() {
    let folder = folder(&format!("{SETTINGS}retry_for = \"1s\"\n"));
    let host = folder.host();
    let receiver = Receiver::start(Manner::LeadsAway);
    add(&host, &folder, "there", &receiver, &["--event", "task.succeeded", "--kind", "ECHO"]);
    host.client.submit(&json!({ "kind": "FAIL", "max_attempts": 1 }));
    // One after the other, so that they end in this order.
    let ids = [1, 2].map(|number| {
        let id = host.client.submit(&json!({ "kind": "ECHO", "payload": number }));
        host.client.ended(&id);
        id
    });
    let shown = eventually("both are parked", || {
        Some(host.client.get("/v1/webhooks/there").body).filter(|shown| shown["parked"] == 2)
    });
    assert_eq!((&shown["pending"], &shown["secret"]), (&json!(0), &json!("made by the host")), "{shown}");
    assert!(!shown.to_string().contains("t0ken") && !shown.to_string().contains("whsec_"), "{shown}");
    let parked = host.client.get("/v1/webhooks/there/parked?limit=1").body;
    assert_eq!(parked["items"][0]["event"]["data"]["task"], ids[0], "{parked}");
    assert!(parked["items"][0]["error"].as_str().unwrap().contains("307; redirects are not followed"), "{parked}");
    assert_eq!(parked["next"], parked["items"][0]["number"]);
    assert!(host.cli(&folder, &["webhook", "parked", "there"]).good().contains("task.succeeded"));
    receiver.behave(Manner::Takes);
    let number = parked["next"].to_string();
    assert_eq!(host.cli(&folder, &["webhook", "retry", "there", &number]).good(), "1 tried again");
    eventually("one arrives", || (receiver.taken().len() == 1).then_some(()));
    assert_eq!(host.cli(&folder, &["webhook", "retry", "there"]).good(), "1 tried again");
    eventually("the other arrives", || (receiver.taken().len() == 2).then_some(()));
    assert_eq!(receiver.taken().iter().map(of).map(|(task, _)| task).collect::<Vec<_>>(), ids);
    assert!(host.cli(&folder, &["webhook", "list"]).good().contains("there"));
    assert_eq!(host.cli(&folder, &["webhook", "remove", "there"]).good(), "there removed");
    host.cli(&folder, &["webhook", "show", "there"]).failed(2, &["there is no webhook `there`"]);
}

#[test]
fn a_bad_webhook_is_refused_by_what_is_wrong() {
    let folder = folder("");
    let host = folder.host();
    folder.write("passwords", "hunter2");
    let bodies: &[(Value, u16, &str)] = &[
        (json!({ "url": "http://127.0.0.1:1/" }), 422, "webhooks.allow"),
        (json!({ "url": "https://127.1/" }), 422, "`127.0.0.1` is no public address"),
        (json!({ "url": "https://[::ffff:10.0.0.1]/" }), 422, "no public address"),
        (json!({ "url": "https://169.254.169.254/latest" }), 422, "webhooks.allow"),
        (json!({ "url": "http://1.1.1.1/" }), 422, "https"),
        (json!({ "url": "ftp://example.com/" }), 422, "https URL"),
        (json!({ "url": "https://me:pass@example.com/" }), 422, "without user and password"),
        (json!({ "events": ["task.begun"] }), 422, "event type"),
        (json!({ "events": ["task.claimed"] }), 422, "events that are kept"),
        (json!({ "events": [] }), 422, "events"),
        (json!({ "name": "No name" }), 422, "webhook name"),
        (json!({ "secret": "hunter2hunter2hunter2" }), 422, "never given itself"),
        (json!({ "secret": "file:passwords" }), 422, "holds no webhook secret"),
        (json!({ "secret": "env:NOBODY_SET_THIS" }), 422, "NOBODY_SET_THIS"),
        (json!({ "retries": 3 }), 422, "retries"),
    ];
    for (fields, status, words) in bodies {
        let mut body = json!({ "name": "bad", "url": "https://example.com/" });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let answer = host.client.post("/v1/webhooks", &body);
        assert_eq!((answer.status, answer.media_type.as_str()), (*status, "application/problem+json"), "{answer:?}");
        let detail = answer.body["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(words) && !detail.contains("hunter2"), "{words}: {detail}");
    }
    assert_eq!(host.client.get("/v1/webhooks").body, json!({ "items": [] }));
    assert_eq!(host.client.delete("/v1/webhooks/nobody").status, 404);
    assert_eq!(host.client.post("/v1/webhooks/nobody/retry", &json!({})).status, 404);
    // A name is looked up when something is sent, and leads nowhere private then either.
    let added = host.client.post("/v1/webhooks", &json!({ "name": "rebound", "url": "https://localhost:9/" }));
    assert_eq!(added.status, 201, "{added:?}");
    assert_eq!(
        host.client.post("/v1/webhooks", &json!({ "name": "rebound", "url": "https://localhost:9/" })).status,
        409
    );
    host.client.submit(&json!({ "kind": "ECHO" }));
    let error =
        eventually("an attempt", || host.client.get("/v1/webhooks/rebound").body["error"].as_str().map(str::to_owned));
    assert!(error.contains("no public address") && error.contains("webhooks.allow"), "{error}");
}

#[test]
fn another_host_goes_on_telling_where_one_is_killed() {
    let Some(database) = Database::make() else { return skipped("there is no PostgreSQL") };
    let more = "webhooks.allow = [\"127.0.0.1\"]\nwebhooks.timeout = \"1s\"\n";
    let folders = ["one", "two"].map(|name| Folder::on_server(&database.url, name, &["echo", "asks_for_answer"], more));
    let [one, two] = [folders[0].host(), folders[1].host()];
    let receiver = Receiver::start(Manner::Takes);
    add(&one, &folders[0], "here", &receiver, &[]);
    let stream = Stream::open(&one.url, "type=task.succeeded,task.suspended", None);
    let mut last = stream.next().and_then(|begin| begin.id);
    let mut expected = BTreeSet::new();
    let mut told = Vec::new();
    let mut submit = |host: &Host| {
        let tasks: Vec<Value> = (0..50).map(|number| json!({ "kind": "ECHO", "payload": number })).collect();
        expected.extend(host.client.submit_all(&tasks).into_iter().map(|id| (id, "task.succeeded".to_owned())));
        let id = host.client.submit(&json!({ "kind": "APPROVE" }));
        eventually("it waits", || (host.client.task(&id)["state"] == "suspended").then_some(()));
        host.client.post(&format!("/v1/tasks/{id}/resume"), &json!({ "payload": "yes" }));
        expected.extend(["suspended", "succeeded"].map(|event| (id.clone(), format!("task.{event}"))));
        expected.clone()
    };
    submit(&one);
    let so_far = submit(&two);
    has_all(&receiver, &so_far);
    for message in stream.until(|message| message.id.is_some_and(|id| id > last.unwrap_or_default() + 60)) {
        told.extend(message.id.filter(|_| !message.event.is_empty()).map(|id| (id, message.clone())));
    }
    last = told.last().map(|(id, _)| *id);
    // The webhook was added here, so this is the host that sends.
    one.kill();
    let all = submit(&two);
    has_all(&receiver, &all);
    let stream = Stream::open(&two.url, "type=task.succeeded,task.suspended", last);
    while told.len() < all.len() {
        let message = stream.next().expect("more");
        assert_ne!(message.event, "missed", "{message:?}");
        told.extend(message.id.filter(|_| !message.event.is_empty()).map(|id| (id, message.clone())));
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let told: Vec<(i64, (String, String))> =
        told.into_iter().map(|(id, message)| (id, (text(&message.data["data"]["task"]), message.event))).collect();
    assert!(told.is_sorted_by(|before, after| before.0 < after.0), "{told:?}");
    assert_eq!(told.into_iter().map(|(_, event)| event).collect::<BTreeSet<_>>(), all);
    assert_eq!(two.stop(), Some(0));
}
