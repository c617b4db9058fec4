//! The stream of events: resumed by id it loses none, and a slow reader is told what it missed.

use std::collections::BTreeSet;

use bulkhead_tests::{Folder, Stream, eventually};
use serde_json::{Value, json};

fn folder() -> Folder {
    Folder::with_guests(&["echo", "noop"])
}

#[test]
fn a_stream_that_is_resumed_by_id_loses_none_over_kills() {
    let folder = folder();
    let mut host = folder.host();
    let (mut last, mut told) = (None, Vec::new());
    let mut submitted = BTreeSet::new();
    for _ in 0..3 {
        let stream = Stream::open(&host.url, "type=task.succeeded&kind=ECHO", last);
        let first = stream.next().expect("its beginning");
        last = last.or(first.id);
        let tasks: Vec<Value> = (0..100).map(|number| json!({ "kind": "ECHO", "payload": number })).collect();
        submitted.extend(host.client.submit_all(&tasks));
        host.client.submit(&json!({ "kind": "NOOP" }));
        // A part of what has happened by then, and the rest is read after the host is back.
        for message in stream.until(|message| message.id.is_some_and(|id| id > last.unwrap_or_default() + 40)) {
            told.extend(message.id.filter(|_| message.event == "task.succeeded").map(|id| (id, message.clone())));
        }
        last = told.iter().map(|(id, _)| *id).max().or(last);
        host.kill();
        host = folder.host();
    }
    let stream = Stream::open(&host.url, "type=task.succeeded&kind=ECHO", last);
    let tasks = |told: &[(i64, bulkhead_tests::Told)]| -> BTreeSet<String> {
        told.iter().filter_map(|(_, message)| message.data["data"]["task"].as_str().map(str::to_owned)).collect()
    };
    while tasks(&told).len() < submitted.len() {
        let message = stream.next().expect("more");
        assert_ne!(message.event, "missed", "{message:?}");
        told.extend(message.id.filter(|_| message.event == "task.succeeded").map(|id| (id, message.clone())));
    }
    assert_eq!(tasks(&told), submitted);
    assert!(told.is_sorted_by(|one, other| one.0 < other.0), "{told:#?}");
    assert_eq!((told.len(), &told[0].1.data["data"]["attempt"]), (submitted.len(), &json!(1)));
    assert!(told[0].1.data["data"]["digest"].as_str().is_some_and(|digest| digest.len() == 64));
    // It ends when the host does, and keeps it from nothing.
    assert_eq!(host.stop(), Some(0));
    assert!(stream.until(|_| false).iter().all(|message| message.event.is_empty()));
}

#[test]
fn everything_about_a_task_comes_in_order() {
    let folder = Folder::with_guests(&["family", "echo", "tells", "fail"]);
    let host = folder.host();
    let stream = Stream::open(&host.url, "", None);
    stream.next();
    let id = host.client.submit(&json!({ "kind": "FAMILY", "payload": "best\nECHO 7", "tenant": "t" }));
    let all = stream.until(|message| message.event == "task.succeeded" && message.data["data"]["task"] == id.as_str());
    let of: Vec<&str> =
        all.iter().filter(|message| message.data["data"]["task"] == id.as_str()).map(|told| &*told.event).collect();
    assert_eq!(
        of,
        [
            "task.submitted",
            "task.claimed",
            "task.spawned",
            "task.suspended",
            "task.resumed",
            "task.claimed",
            "task.succeeded"
        ],
        "{all:#?}"
    );
    assert!(all.iter().any(|message| message.event == "task.submitted" && message.data["data"]["kind"] == "ECHO"));
    let told = host.client.submit(&json!({ "kind": "TELL" }));
    let all =
        stream.until(|message| message.event == "task.succeeded" && message.data["data"]["task"] == told.as_str());
    let codes: Vec<&Value> = all
        .iter()
        .filter(|message| message.event == "task.audit")
        .map(|message| &message.data["data"]["details"]["code"])
        .collect();
    assert_eq!(codes, ["first_half_done", "second_half_done"], "{all:#?}");
    assert!(all.iter().any(|message| message.event == "task.progress"), "{all:#?}");
    let filtered = Stream::open(&host.url, "type=task.submitted&tenant=t", None);
    host.client.submit(&json!({ "kind": "ECHO" }));
    let mine = host.client.submit(&json!({ "kind": "ECHO", "tenant": "t" }));
    let first = filtered.until(|message| !message.event.is_empty());
    assert_eq!(first.last().map(|told| &told.data["data"]["task"]), Some(&json!(mine)));
}

#[test]
fn a_reader_that_is_too_slow_is_told_and_holds_up_nobody() {
    let folder = folder();
    let host = folder.host();
    let stream = Stream::open(&host.url, "", None);
    stream.next();
    // Who wants nothing but what is kept misses nothing.
    let kept = Stream::open(&host.url, "type=task.succeeded", None);
    kept.next();
    let tasks: Vec<Value> = (0..10_000).map(|_| json!({ "kind": "NOOP" })).collect();
    for _ in 0..4 {
        host.client.submit_all(&tasks);
    }
    // Nobody reads meanwhile, beyond what fits into the buffers on the way.
    eventually("all have ended", || (host.client.count("state=succeeded") == 40_000).then_some(()));
    let (mut missed, mut ended) = (0, 0);
    while ended < 40_000 {
        let message = stream.next().expect("more");
        missed += if message.event == "missed" { message.data["events"].as_u64().unwrap_or_default() } else { 0 };
        ended += usize::from(message.event == "task.succeeded");
    }
    assert!(missed > 0);
    let mut ended = 0;
    while ended < 40_000 {
        let message = kept.next().expect("more");
        assert_ne!(message.event, "missed", "{message:?}");
        ended += usize::from(message.event == "task.succeeded");
    }
    assert!(host.client.metric("event_stream_missed_total") >= 1.0);
}

#[test]
fn a_bad_stream_is_refused_by_what_is_wrong() {
    let folder = Folder::with_settings("[events]\nmax_streams = 1\n");
    let host = folder.host();
    for (query, status, words) in [
        ("type=task.begun", 400, "task. and one of"),
        ("kind=no%20kind", 400, "kind must be"),
        ("after=99", 400, "no event `99` yet"),
        ("until=3", 400, "until"),
    ] {
        let answer = host.client.get(&format!("/v1/events?{query}"));
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(answer.body["detail"].as_str().unwrap_or_default().contains(words), "{answer:?}");
    }
    let stream = Stream::open(&host.url, "", None);
    stream.next();
    let answer = host.client.get("/v1/events");
    assert_eq!(answer.status, 429, "{answer:?}");
    assert!(answer.body["detail"].as_str().unwrap_or_default().contains("events.max_streams"), "{answer:?}");
    assert_eq!(host.client.metric("event_streams"), 1.0);
}
