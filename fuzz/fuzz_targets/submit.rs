//! Bodies of `POST /v1/tasks`, read as one task or many and as lines: each is refused in words, or every task of it is in
//! the store as it was sent.

#![no_main]

use std::cell::RefCell;

use bulkhead_core::{Submission, SubmissionLimits};
use bulkhead_fuzz::Host;
use libfuzzer_sys::fuzz_target;

/// Requests until the host is replaced, so that its store stays small.
const REQUESTS: u32 = 2_000;

thread_local! {
    static HOST: RefCell<(u32, Option<Host>)> = const { RefCell::new((0, None)) };
}

fuzz_target!(|body: &[u8]| {
    HOST.with_borrow_mut(|(requests, host)| {
        *requests += 1;
        if *requests % REQUESTS == 0
            && let Some(old) = host.take()
        {
            old.stop();
        }
        let host = host.get_or_insert_with(Host::start);
        for media_type in ["application/json", "application/x-ndjson"] {
            submit(host, media_type, body);
        }
    });
    if let Ok(submission) = serde_json::from_slice::<Submission>(body) {
        read_again(&submission);
    }
});

fn submit(host: &Host, media_type: &str, body: &[u8]) {
    let answer = host.ask("POST", "/v1/tasks", media_type, body).expect("a path");
    if answer.status >= 400 {
        return;
    }
    let text = std::str::from_utf8(body).expect("accepted bodies are text");
    let sent: Vec<Submission> = if media_type == "application/x-ndjson" {
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        lines.map(|line| serde_json::from_str(line).expect("an accepted line")).collect()
    } else if answer.body.get("ids").is_some() {
        serde_json::from_str(text).expect("an accepted array")
    } else {
        vec![serde_json::from_str(text).expect("an accepted task")]
    };
    let ids: Vec<&str> = match answer.body["ids"].as_array() {
        Some(ids) => ids.iter().map(|id| id.as_str().expect("an id")).collect(),
        None => vec![answer.body["id"].as_str().expect("an id")],
    };
    assert_eq!(ids.len(), sent.len(), "{answer:?}");
    for (id, sent) in ids.into_iter().zip(&sent) {
        stored(host, id, sent);
    }
}

/// The task is in the store as it was sent.
fn stored(host: &Host, id: &str, sent: &Submission) {
    if let Some(own) = &sent.id {
        assert_eq!(own.as_str(), id);
    }
    let answer = host.ask("GET", &format!("/v1/tasks/{}", part(id)), "", b"").expect("an id that a path can carry");
    assert_eq!(answer.status, 200, "the task is lost: {id}: {answer:?}");
    let is = |field: &str, value: serde_json::Value| assert_eq!(answer.body[field], value, "{field} of {answer:?}");
    is("payload", serde_json::json!(sent.payload.as_str()));
    is("kind", serde_json::json!(sent.kind));
    is("requires", serde_json::json!(sent.requires));
    is("priority", serde_json::json!(sent.priority));
    is("tenant", serde_json::json!(sent.tenant));
    let labels = answer.body.get("tags").cloned().unwrap_or_else(|| serde_json::json!({}));
    assert_eq!(labels, serde_json::json!(sent.tags));
    if let Some(run_at) = sent.run_at {
        is("run_at", serde_json::json!(run_at));
    }
}

/// An id as one part of a path.
fn part(id: &str) -> String {
    id.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// What is read can be written and read again, and then means the same.
fn read_again(submission: &Submission) {
    let written = serde_json::to_string(submission).expect("it is written");
    let again: Submission =
        serde_json::from_str(&written).unwrap_or_else(|error| panic!("not read again: {error}: {written}"));
    assert_eq!(*submission, again, "{written}");
    let limits = SubmissionLimits::default();
    assert_eq!(submission.clone().check(&limits), again.check(&limits));
}
