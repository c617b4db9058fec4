//! Cancelling tasks that wait, run, or have ended.

use std::time::Duration;

use bulkhead_core::{Due, NextStep, RunEnd, State, TaskId};
use bulkhead_store::{Change, CommitFate, Delivery, Fate};

use crate::harness::{Engine, Worker, ended, failed, seconds, succeeded, task};

pub(crate) async fn a_task_that_waits_is_cancelled_at_once<E: Engine>() {
    let engine = E::start().await;
    let due = engine.submit_one(task("A", "1")).await;
    let mut later = task("A", "2");
    later.due = Due::After(seconds(60));
    let delayed = engine.submit_one(later).await;
    let ids = vec![due.clone(), delayed.clone()];
    assert_eq!(engine.store().change(ids, Change::Cancel).await.unwrap(), [Fate::Done; 2]);
    assert_eq!(engine.get(&due).await.state, State::Cancelled);
    assert_eq!(engine.get(&delayed).await.attempts(), []);
    let mut worker = engine.worker(5).await;
    engine.advance(seconds(60)).await;
    worker.assert_idle_or_lost(&engine).await;
    assert_eq!(engine.store().routes(), []);
}

/// A task that runs and was cancelled.
async fn running<E: Engine>(engine: &E) -> (Worker, bulkhead_store::Claimed) {
    let id = engine.submit_one(task("A", "1")).await;
    let mut worker = engine.worker(1).await;
    let claimed = worker.claimed_one().await;
    assert_eq!(engine.store().change(vec![id.clone()], Change::Cancel).await.unwrap(), [Fate::Underway]);
    let Delivery::Cancel(seqs) = worker.next().await else { panic!("no cancel") };
    assert_eq!(seqs, [claimed.seq]);
    // Asked again, the worker is not told again.
    assert_eq!(engine.store().change(vec![id], Change::Cancel).await.unwrap(), [Fate::Underway]);
    worker.assert_idle(engine).await;
    (worker, claimed)
}

pub(crate) async fn a_run_that_succeeds_within_the_grace_wins_over_the_cancel<E: Engine>() {
    let engine = E::start().await;
    let (mut worker, claimed) = running(&engine).await;
    engine.advance(seconds(5)).await;
    assert_eq!(worker.commit(succeeded(&claimed), 0).await, CommitFate::Written(NextStep::Succeed));
    assert_eq!(engine.get(&claimed.id).await.state, State::Succeeded);
}

pub(crate) async fn a_run_that_succeeds_after_the_grace_is_cancelled<E: Engine>() {
    let engine = E::start().await;
    let (mut worker, claimed) = running(&engine).await;
    engine.advance(seconds(3)).await;
    // Asked for again, it is no later.
    engine.store().change(vec![claimed.id.clone()], Change::Cancel).await.unwrap();
    engine.advance(Duration::from_millis(2_001)).await;
    assert_eq!(worker.commit(succeeded(&claimed), 0).await, CommitFate::Cancelled);
    let view = engine.get(&claimed.id).await;
    assert_eq!((view.state, &view.result, view.attempts().len()), (State::Cancelled, &None, 1));
}

pub(crate) async fn a_cancelled_task_is_not_retried<E: Engine>() {
    let engine = E::start().await;
    let (mut worker, claimed) = running(&engine).await;
    let retry = ended(&claimed, NextStep::Retry(seconds(1)), failed());
    assert_eq!(worker.commit(retry, 0).await, CommitFate::Cancelled);
    assert_eq!(engine.get(&claimed.id).await.state, State::Cancelled);
    let (mut worker, claimed) = running(&engine).await;
    let cancel = ended(&claimed, NextStep::Cancel, RunEnd::Cancelled);
    assert_eq!(worker.commit(cancel, 0).await, CommitFate::Written(NextStep::Cancel));
    assert_eq!(engine.get(&claimed.id).await.state, State::Cancelled);
}

pub(crate) async fn a_worker_that_leaves_lets_its_cancelled_tasks_end<E: Engine>() {
    let engine = E::start().await;
    let (worker, claimed) = running(&engine).await;
    drop(worker);
    engine.settle().await;
    assert_eq!(engine.get(&claimed.id).await.state, State::Cancelled);
}

pub(crate) async fn cancelling_what_has_ended_or_never_was_says_so<E: Engine>() {
    let engine = E::start().await;
    let id = engine.submit_one(task("A", "1")).await;
    let mut worker = engine.worker(1).await;
    let claimed = worker.claimed_one().await;
    worker.commit(succeeded(&claimed), 0).await;
    let unknown = TaskId::parse("019a0000-0000-7000-8000-000000000001").unwrap();
    let fates = engine.store().change(vec![id, unknown], Change::Cancel).await.unwrap();
    assert_eq!(fates, [Fate::Refused(State::Succeeded), Fate::Unknown]);
}
