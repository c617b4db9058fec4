//! Tasks that wait for somebody outside.

use std::time::Duration;

use bulkhead_core::{Answer, DeadReason, NextStep, RunEnd, Span, State, Suspension};
use bulkhead_store::{Change, Fate};

use crate::harness::{
    Engine, Worker, after_start, ended, failed, json, retried, seconds, succeeded, task, with_extras,
};

fn suspension(timeout: Option<Duration>) -> RunEnd {
    RunEnd::Suspended(Suspension {
        reason: "approve it".to_owned(),
        metadata: json(r#"{"amount":7}"#),
        state: Some(json("[1]")),
        timeout,
    })
}

/// A task that has been claimed and now waits.
async fn suspended<E: Engine>(engine: &E, stale_after: Option<Span>, timeout: Option<Duration>) -> (String, Worker) {
    let task = with_extras(task("A", "1"), |extras| extras.stale_after = stale_after);
    let id = engine.submit_one(task).await;
    let mut worker = engine.worker(1).await;
    let claimed = worker.claimed_one().await;
    worker.commit(ended(&claimed, NextStep::Suspend, suspension(timeout)), 1).await;
    (id.as_str().to_owned(), worker)
}

fn id_of(id: &str) -> bulkhead_core::TaskId {
    bulkhead_core::TaskId::parse(id).unwrap()
}

pub(crate) async fn an_answer_lets_a_suspended_task_run_again_one_stage_on<E: Engine>() {
    let engine = E::start().await;
    let (id, mut worker) = suspended(&engine, None, None).await;
    let id = id_of(&id);
    let view = engine.get(&id).await;
    assert_eq!((view.state, view.reason.as_deref(), view.stage), (State::Suspended, Some("answer"), 0));
    let waits = view.waits.unwrap();
    assert_eq!((waits.reason.as_deref(), waits.metadata), (Some("approve it"), Some(json(r#"{"amount":7}"#))));
    worker.assert_idle(&engine).await;

    let answer = Change::Resume(Some(json(r#""yes""#)));
    assert_eq!(engine.store().change(vec![id.clone()], answer.clone()).await.unwrap(), [Fate::Done]);
    let claimed = worker.claimed_one().await;
    let history = claimed.history.clone().unwrap();
    assert_eq!((history.stage, history.attempts, history.state), (1, 0, Some(json("[1]"))));
    assert_eq!(history.answer, Some(Answer::Given(json(r#""yes""#))));
    // A retry repeats the stage with its answer.
    worker.commit(retried(&claimed, seconds(1)), 1).await;
    assert_eq!(engine.store().change(vec![id.clone()], answer).await.unwrap(), [Fate::Refused(State::Ready)]);
    engine.advance(seconds(1)).await;
    let claimed = worker.claimed_one().await;
    assert_eq!(claimed.history.as_ref().unwrap().answer, Some(Answer::Given(json(r#""yes""#))));
    worker.commit(succeeded(&claimed), 1).await;
    let view = engine.get(&id).await;
    assert_eq!((view.state, view.attempt, view.stage), (State::Succeeded, 2, 1));
}

pub(crate) async fn a_suspended_task_whose_time_is_over_runs_without_an_answer<E: Engine>() {
    let engine = E::start().await;
    let (id, mut worker) = suspended(&engine, None, Some(seconds(10))).await;
    assert_eq!(engine.get(&id_of(&id)).await.waits.unwrap().until, Some(after_start(seconds(10))));
    engine.advance(seconds(9)).await;
    worker.assert_idle(&engine).await;
    engine.advance(seconds(1)).await;
    let claimed = worker.claimed_one().await;
    assert_eq!(claimed.history.as_ref().unwrap().answer, Some(Answer::TimedOut));
}

pub(crate) async fn a_task_that_waits_too_long_is_flagged_and_then_dead_as_stale<E: Engine>() {
    let engine = E::start().await;
    let (id, mut worker) = suspended(&engine, Some(Span::from_secs(10)), None).await;
    let id = id_of(&id);
    let nearly_stale = |view: bulkhead_store::TaskView| view.waits.map(|waits| waits.nearly_stale);
    engine.advance(seconds(7)).await;
    assert_eq!(nearly_stale(engine.get(&id).await), Some(false));
    engine.advance(seconds(1)).await;
    assert_eq!(nearly_stale(engine.get(&id).await), Some(true));
    engine.advance(seconds(2)).await;
    let view = engine.get(&id).await;
    assert_eq!((view.state, view.reason.as_deref()), (State::Dead, Some("stale")));
    assert_eq!(view.attempts().len(), 1);
    worker.assert_idle(&engine).await;
    // It can be tried again like any other.
    assert_eq!(engine.store().change(vec![id], Change::Requeue).await.unwrap(), [Fate::Done]);
    let history = worker.claimed_one().await.history.unwrap();
    assert_eq!((history.stage, history.state), (0, None), "the state was for the next stage");
}

pub(crate) async fn a_suspended_task_is_cancelled_at_once<E: Engine>() {
    let engine = E::start().await;
    let (id, mut worker) = suspended(&engine, None, Some(seconds(5))).await;
    let id = id_of(&id);
    assert_eq!(engine.store().change(vec![id.clone()], Change::Cancel).await.unwrap(), [Fate::Done]);
    assert_eq!(engine.get(&id).await.state, State::Cancelled);
    engine.advance(seconds(10)).await;
    worker.assert_idle(&engine).await;
}

pub(crate) async fn a_suspended_task_waits_on_over_a_crash<E: Engine>() {
    let engine = E::start().await;
    let (id, worker) = suspended(&engine, None, Some(seconds(60))).await;
    drop(worker);
    let engine = engine.crash().await;
    let id = id_of(&id);
    assert_eq!(engine.get(&id).await.state, State::Suspended);
    engine.advance(seconds(60)).await;
    let mut worker = engine.worker(1).await;
    assert_eq!(worker.claimed_one().await.history.unwrap().answer, Some(Answer::TimedOut));
}

pub(crate) async fn a_dead_letter_is_resolved_with_a_result<E: Engine>() {
    let engine = E::start().await;
    let id = engine.submit_one(task("A", "1")).await;
    let mut worker = engine.worker(1).await;
    let resolve = Change::Resolve(json("42").into());
    let fates = engine.store().change(vec![id.clone()], resolve.clone()).await.unwrap();
    assert!(matches!(fates[..], [Fate::Refused(State::Ready | State::Running)]), "{fates:?}");
    let claimed = worker.claimed_one().await;
    worker.commit(ended(&claimed, NextStep::Die(DeadReason::Permanent), failed()), 1).await;
    assert_eq!(engine.store().change(vec![id.clone()], resolve.clone()).await.unwrap(), [Fate::Done]);
    let view = engine.get(&id).await;
    assert_eq!((view.state, view.result), (State::Resolved, Some(json("42"))));
    let fates = engine.store().change(vec![id], Change::Requeue).await.unwrap();
    assert_eq!(fates, [Fate::Refused(State::Resolved)]);
}

pub(crate) async fn a_requeue_repeats_the_stage_that_ended_in_waiting_with_what_that_stage_had<E: Engine>() {
    let engine = E::start().await;
    let (id, mut worker) = suspended(&engine, Some(Span::from_secs(60)), None).await;
    let id = id_of(&id);
    let change = async |change| engine.store().change(vec![id.clone()], change).await.unwrap();
    let answer = Some(Answer::Given(json("7")));
    let of = |claimed: &bulkhead_store::Claimed| {
        let history = claimed.history.clone().unwrap();
        (history.stage, history.state, history.answer)
    };
    let wait_again = RunEnd::Suspended(Suspension {
        reason: "and now?".to_owned(),
        metadata: json("{}"),
        state: Some(json("[2]")),
        timeout: None,
    });
    change(Change::Resume(Some(json("7")))).await;
    for _ in 0..2 {
        let claimed = worker.claimed_one().await;
        assert_eq!(of(&claimed), (1, Some(json("[1]")), answer.clone()));
        worker.commit(ended(&claimed, NextStep::Suspend, wait_again.clone()), 1).await;
        engine.advance(seconds(60)).await;
        assert_eq!(engine.get(&id).await.reason.as_deref(), Some("stale"));
        change(Change::Requeue).await;
        worker = engine.worker(1).await;
    }
    let claimed = worker.claimed_one().await;
    worker.commit(ended(&claimed, NextStep::Suspend, wait_again), 1).await;
    change(Change::Resume(None)).await;
    assert_eq!(of(&worker.claimed_one().await), (2, Some(json("[2]")), Some(Answer::Given(json("null")))));
}
