//! What runs tell of themselves.

use bulkhead_core::{DeadReason, NextStep, TaskId};
use bulkhead_store::{Audit, Commit, LogLine, ProgressNote, Told};

use crate::harness::{Engine, after_start, ended, failed, json, retried, seconds, succeeded, task};

fn told(word: &str) -> Option<Box<Told>> {
    let at = after_start(seconds(0));
    let line = LogLine { at, level: "info".to_owned(), message: word.to_owned(), fields: json("{}") };
    let audit = Audit { at, code: word.to_owned(), details: json("{}") };
    Some(Box::new(Told { lines: vec![line; 2], audits: vec![audit], progress: Some(progress(word)) }))
}

fn progress(word: &str) -> ProgressNote {
    let at = after_start(seconds(0));
    ProgressNote { at, stage: word.to_owned(), text: String::new(), fraction: Some(0.5), metadata: json("{}") }
}

pub(crate) async fn what_every_run_told_is_kept_with_its_commit_and_its_log_goes_with_its_task<E: Engine>() {
    let engine = E::start().await;
    let id = engine.submit_one(task("A", "1")).await;
    let mut worker = engine.worker(1).await;
    let claimed = worker.claimed_one().await;
    // While it runs, what the worker that runs it reports.
    worker.line.sender.report(vec![(claimed.seq, progress("under_way"))]);
    engine.settle().await;
    assert_eq!(engine.get(&id).await.progress, Some(progress("under_way")));
    worker.commit(Commit { told: told("first"), ..retried(&claimed, seconds(1)) }, 1).await;
    // Not what comes late.
    worker.line.sender.report(vec![(claimed.seq, progress("late"))]);
    engine.advance(seconds(1)).await;
    let claimed = worker.claimed_one().await;
    worker.commit(Commit { told: told("second"), ..succeeded(&claimed) }, 0).await;
    // Nor what a fenced commit says.
    let fenced = ended(&claimed, NextStep::Die(DeadReason::Permanent), failed());
    worker.commit(Commit { told: told("fenced"), ..fenced }, 0).await;
    drop(worker);
    let engine = engine.crash().await;
    assert_eq!(engine.get(&id).await.progress, Some(progress("second")));
    let log = engine.store().log(&id, 0).await.unwrap().unwrap();
    let runs: Vec<_> = log.items.iter().map(|run| (run.attempt, run.lines.len(), &*run.lines[0].message)).collect();
    assert_eq!((runs, log.next), (vec![(1, 2, "first"), (2, 2, "second")], None));
    let audits = engine.store().audits(&id).await.unwrap().unwrap();
    assert_eq!(audits.iter().map(|entry| &*entry.audit.code).collect::<Vec<_>>(), ["first", "second"]);
    engine.walk(seconds(30 * 3600)).await;
    assert_eq!(engine.store().log(&id, 0).await.unwrap(), None);
}

pub(crate) async fn an_audit_trail_outlives_its_task<E: Engine>() {
    const DAY: u64 = 24 * 3600;
    let engine = E::start().await;
    let mut named = task("A", "1");
    named.id = Some(TaskId::parse("mine").unwrap());
    let ids: Vec<_> = engine.submit(vec![named, task("A", "2")]).await.into_iter().map(|one| one.id).collect();
    let mut worker = engine.worker(2).await;
    let claimed = worker.claimed().await;
    let [first, second] = [(&claimed[0], "first"), (&claimed[1], "second")]
        .map(|(claimed, word)| Commit { told: told(word), ..succeeded(claimed) });
    worker.commit_all(vec![first, second], 0).await;
    drop(worker);
    let trail = async |id| -> Option<Vec<String>> {
        let audits = engine.store().audits(id).await.unwrap()?;
        Some(audits.into_iter().map(|entry| entry.audit.code).collect())
    };
    // Twice, where the first look at a partition is followed by another.
    for days in [2, 26] {
        engine.walk(seconds(days * DAY)).await;
        for (id, word) in ids.iter().zip(["first", "second"]) {
            assert_eq!(engine.store().get(id).await.unwrap(), None);
            assert_eq!(engine.store().log(id, 0).await.unwrap(), None);
            assert_eq!(trail(id).await, Some(vec![word.to_owned()]), "{id:?} after {days} days");
        }
    }
    engine.walk(seconds(3 * DAY)).await;
    for id in &ids {
        assert_eq!(trail(id).await, None);
    }
}
