//! A task that does nothing, and its end.

use std::sync::Arc;

use bulkhead_core::{
    Completion, Digest, Due, HandlerName, HandlerVersion, JsonText, Kind, NewTask, NextStep, Priority, Route, RunEnd,
    RunRecord, TagSet, Timestamp,
};
use bulkhead_store::{Claimed, Commit};

pub(crate) fn task(kind: String) -> NewTask {
    NewTask {
        id: None,
        route: Route { kind: Kind::parse(kind).unwrap(), requires: TagSet::default() },
        payload: JsonText::from_trusted(r#"{"n":1,"text":"a payload of ordinary size, some eighty bytes long ..."}"#),
        priority: Priority::default(),
        due: Due::Now,
        extras: None,
    }
}

pub(crate) fn handler() -> Arc<HandlerVersion> {
    Arc::new(HandlerVersion { name: HandlerName::parse("noop").unwrap(), digest: Digest::from_bytes([7; 32]) })
}

pub(crate) fn done(task: &Claimed, handler: &Arc<HandlerVersion>) -> Commit {
    Commit {
        lease: task.lease,
        seq: task.seq,
        step: NextStep::Succeed,
        end: RunEnd::Completed(Completion {
            result: JsonText::from_trusted(r#"{"ok":true}"#),
            metadata: JsonText::from_trusted("{}"),
            then: Vec::new(),
        }),
        run: RunRecord {
            started_at: Timestamp::from_millis(1_800_000_000_000),
            elapsed_micros: 15,
            fuel: 12_345,
            peak_memory: 1_114_112,
        },
        handler: Some(Arc::clone(handler)),
        declined: Vec::new(),
        told: None,
        from_start: false,
        max_attempts: 3,
    }
}
