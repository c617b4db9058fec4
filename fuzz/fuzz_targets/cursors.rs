//! Queries of `GET /v1/tasks` and `/v1/dlq`: each is refused in words, or its pages hold every task that is counted, once,
//! newest first; and no cursor is taken but the one that was given.

#![no_main]

use std::collections::HashSet;

use bulkhead_fuzz::{Answer, Host};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

/// Tasks in the store, of which each page shows some.
const TASKS: usize = 60;
/// Pages that are turned at most.
const PAGES: usize = 8;

thread_local! {
    static HOST: Host = filled();
}

/// Tasks in several states, of several kinds, of several tenants.
fn filled() -> Host {
    let host = Host::start();
    let lines: String = (0..TASKS)
        .map(|number| {
            let kind = ["A", "B.c", "C_d"][number % 3];
            let mut task = json!({ "id": format!("task-{number}"), "kind": kind });
            match number % 5 {
                0 => task["tenant"] = json!("one"),
                1 => task["delay"] = json!("9000h"),
                2 => task["expires_at"] = json!("2001-01-01T00:00:00Z"),
                3 => task["tenant"] = json!("zwölf & mehr"),
                _ => task["requires"] = json!(["gpu"]),
            }
            format!("{task}\n")
        })
        .collect();
    let stored = host.ask("POST", "/v1/tasks", "application/x-ndjson", lines.as_bytes()).expect("a path");
    assert_eq!(stored.status, 201, "{stored:?}");
    for number in (0..TASKS).step_by(7) {
        host.ask("POST", &format!("/v1/tasks/task-{number}/cancel"), "", b"").expect("a path");
    }
    // Until those that have expired are dead, since counts must not move.
    for _ in 0..10_000 {
        let dead = host.ask("GET", "/v1/tasks?state=dead&count=true", "", b"").expect("a path");
        if dead.body["count"] != json!(0) {
            return host;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    panic!("nothing expires");
}

fuzz_target!(|query: &str| {
    // What follows is no part of a query, and never sent.
    if query.contains('#') {
        return;
    }
    HOST.with(|host| {
        for list in ["tasks", "dlq"] {
            walk(host, list, query);
        }
    });
});

fn walk(host: &Host, list: &str, query: &str) {
    let get = |query: &str| host.ask("GET", &format!("/v1/{list}?{query}"), "", b"");
    let Some(first) = get(query) else { return };
    if first.status != 200 || query.contains("cursor") || first.body.get("items").is_none() {
        return;
    }
    let (mut seen, mut page) = (HashSet::new(), first);
    for _ in 0..PAGES {
        for id in ids(&page) {
            assert!(seen.insert(id.clone()), "listed twice: {id}: {query}");
        }
        let Some(next) = page.body["next"].as_str().map(str::to_owned) else {
            return counted(host, list, query, seen.len());
        };
        forged(&get, query, &next);
        page = get(&format!("{query}&cursor={next}")).expect("a path with a cursor");
        assert_eq!(page.status, 200, "its own cursor is refused: {next}: {query}: {page:?}");
    }
}

fn ids(page: &Answer) -> Vec<String> {
    let items = page.body["items"].as_array().expect("items");
    items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()).collect()
}

/// What was listed is what is counted.
fn counted(host: &Host, list: &str, query: &str, listed: usize) {
    if list == "tasks" && !query.contains("count") {
        let count = host.ask("GET", &format!("/v1/tasks?{query}&count=true"), "", b"").expect("a path");
        assert_eq!(count.body["count"], json!(listed), "{query}");
    }
}

/// A cursor with one character changed is refused.
fn forged(get: &impl Fn(&str) -> Option<Answer>, query: &str, cursor: &str) {
    let place = query.len() % cursor.len();
    let mut forged = cursor.as_bytes().to_vec();
    forged[place] = if forged[place] == b'0' { b'1' } else { b'0' };
    let forged = String::from_utf8(forged).expect("a text");
    let answer = get(&format!("{query}&cursor={forged}")).expect("a path with a cursor");
    assert_eq!(answer.status, 400, "a cursor that was never given is taken: {forged}: {query}");
}
