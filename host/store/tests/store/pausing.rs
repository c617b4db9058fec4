//! What an operator holds back.

use bulkhead_core::{Answer, NextStep, RunEnd, State, Suspension};
use bulkhead_store::{Change, Fate};

use crate::harness::{Engine, ended, json, kind, retried, seconds, succeeded, task};

pub(crate) async fn a_paused_task_is_not_claimed_until_it_is_resumed<E: Engine>() {
    let engine = E::start().await;
    let id = engine.submit_one(task("A", "1")).await;
    let change = async |change| engine.store().change(vec![id.clone()], change).await.unwrap()[0];
    assert_eq!(change(Change::Pause).await, Fate::Done);
    assert_eq!(change(Change::Pause).await, Fate::Done);
    assert_eq!(engine.get(&id).await.state, State::Paused);
    let mut worker = engine.worker(1).await;
    worker.assert_idle(&engine).await;
    assert_eq!(engine.store().depths().iter().map(|depth| depth.pending).sum::<u64>(), 0);
    assert_eq!(change(Change::Resume(None)).await, Fate::Done);
    let claimed = worker.claimed_one().await;
    worker.commit(succeeded(&claimed), 0).await;
    assert_eq!(change(Change::Pause).await, Fate::Refused(State::Succeeded));
}

pub(crate) async fn a_running_task_is_paused_when_its_run_is_over<E: Engine>() {
    let engine = E::start().await;
    let id = engine.submit_one(task("A", "1")).await;
    let change = async |change| engine.store().change(vec![id.clone()], change).await.unwrap()[0];
    let mut worker = engine.worker(1).await;
    let claimed = worker.claimed_one().await;
    assert_eq!(change(Change::Pause).await, Fate::Underway);
    worker.commit(retried(&claimed, seconds(1)), 1).await;
    assert_eq!(engine.get(&id).await.state, State::Paused);
    engine.advance(seconds(10)).await;
    worker.assert_idle(&engine).await;
    assert_eq!(change(Change::Resume(None)).await, Fate::Done);
    let claimed = worker.claimed_one().await;
    assert_eq!(claimed.history.as_ref().unwrap().attempts, 1);
    // One that is asked for and taken back, and one that comes too late, change nothing.
    assert_eq!(change(Change::Pause).await, Fate::Underway);
    assert_eq!(change(Change::Resume(None)).await, Fate::Stays(State::Running));
    assert_eq!(change(Change::Pause).await, Fate::Underway);
    worker.commit(succeeded(&claimed), 0).await;
    assert_eq!(engine.get(&id).await.state, State::Succeeded);
}

pub(crate) async fn a_paused_task_is_cancelled_and_keeps_paused_over_a_crash<E: Engine>() {
    let engine = E::start().await;
    let id = engine.submit_one(task("A", "1")).await;
    engine.store().change(vec![id.clone()], Change::Pause).await.unwrap();
    let engine = engine.crash().await;
    assert_eq!(engine.get(&id).await.state, State::Paused);
    assert_eq!(engine.store().change(vec![id.clone()], Change::Cancel).await.unwrap(), [Fate::Done]);
    assert_eq!(engine.get(&id).await.state, State::Cancelled);
    let fates = engine.store().change(vec![id], Change::Resume(None)).await.unwrap();
    assert_eq!(fates, [Fate::Refused(State::Cancelled)]);
}

pub(crate) async fn tasks_of_a_kind_that_is_held_back_wait<E: Engine>() {
    let engine = E::start().await;
    engine.store().hold(Some(kind("A")), true).await.unwrap();
    let engine = engine.crash().await;
    assert!(engine.store().held().kinds.contains(&kind("A")));
    let [a, b] = [engine.submit_one(task("A", "1")).await, engine.submit_one(task("B", "2")).await];
    let mut worker = engine.worker(4).await;
    let claimed = worker.claimed_one().await;
    assert_eq!(claimed.id, b);
    worker.assert_idle(&engine).await;
    engine.store().hold(None, true).await.unwrap();
    engine.store().hold(Some(kind("A")), false).await.unwrap();
    worker.assert_idle(&engine).await;
    engine.store().hold(None, false).await.unwrap();
    assert_eq!(worker.claimed_one().await.id, a);
    assert_eq!(NextStep::Succeed, succeeded(&claimed).step);
}

pub(crate) async fn a_pause_that_is_taken_back_from_a_task_that_waits_answers_nothing<E: Engine>() {
    let engine = E::start().await;
    let id = engine.submit_one(task("A", "1")).await;
    let change = async |change| engine.store().change(vec![id.clone()], change).await.unwrap()[0];
    let mut worker = engine.worker(1).await;
    let claimed = worker.claimed_one().await;
    assert_eq!(change(Change::Pause).await, Fate::Underway);
    let question = Suspension { reason: "may it?".to_owned(), metadata: json("{}"), state: None, timeout: None };
    worker.commit(ended(&claimed, NextStep::Suspend, RunEnd::Suspended(question)), 1).await;
    assert_eq!(change(Change::Resume(None)).await, Fate::Stays(State::Suspended));
    assert_eq!(engine.get(&id).await.state, State::Suspended);
    assert_eq!(change(Change::Resume(Some(json("7")))).await, Fate::Done);
    let claimed = worker.claimed_one().await;
    assert_eq!(claimed.history.as_ref().unwrap().answer, Some(Answer::Given(json("7"))));
}
