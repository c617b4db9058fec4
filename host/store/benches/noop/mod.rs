//! A task that does nothing, its end, and the way from the one to the other.

use std::sync::Arc;

use bulkhead_core::{
    Completion, Digest, Due, HandlerName, HandlerVersion, JsonText, Kind, NewTask, NextStep, Priority, Route, RunEnd,
    RunRecord, TagSet, Timestamp,
};
use bulkhead_store::{Claimed, Commit, Delivery, WorkLine};

/// As workers do it under load.
pub(crate) const BATCH: usize = 512;
pub(crate) const WINDOW: usize = 2_048;

pub(crate) fn task(kind: String) -> NewTask {
    NewTask {
        id: None,
        route: Route::new(Kind::parse(kind).unwrap(), TagSet::default()),
        payload: JsonText::from_trusted(r#"{"n":1,"text":"a payload of ordinary size, some eighty bytes long ..."}"#),
        priority: Priority::default(),
        due: Due::Now,
        extras: None,
    }
}

fn handler() -> Arc<HandlerVersion> {
    Arc::new(HandlerVersion { name: HandlerName::parse("noop").unwrap(), digest: Digest::from_bytes([7; 32]) })
}

fn done(task: &Claimed, handler: &Arc<HandlerVersion>) -> Commit {
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
            tokens: 0,
        },
        handler: Some(Arc::clone(handler)),
        declined: Vec::new(),
        told: None,
        from_start: false,
        home: None,
        max_attempts: Some(3),
    }
}

/// Claims and commits so many tasks: the ends of `batch` at once, and at most `window` under way.
pub(crate) async fn drain(line: &mut WorkLine, count: usize, batch: usize, window: usize) {
    let handler = handler();
    let (mut asked, mut committed, mut gathered) = (window.min(count), 0, Vec::new());
    line.sender.send(Vec::new(), asked);
    while committed < count {
        match line.deliveries.recv().await.unwrap() {
            Delivery::Claimed { tasks, .. } => gathered.extend(tasks.iter().map(|task| done(task, &handler))),
            Delivery::Committed(fates) => committed += fates.len(),
            other => println!("{other:?}"),
        }
        while gathered.len() >= batch || (!gathered.is_empty() && committed + gathered.len() == asked) {
            let ends: Vec<Commit> = gathered.drain(..gathered.len().min(batch)).collect();
            let more = ends.len().min(count - asked);
            asked += more;
            line.sender.send(ends, more);
        }
    }
}
