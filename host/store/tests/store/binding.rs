//! Tasks that are bound to the host that has their workspace.

use bulkhead_core::{Home, NextStep, ReadyReason, Route, RunEnd, State};
use bulkhead_core::{Interruption, TaskId};
use bulkhead_store::{Change, Claimed, Commit, Fate};

use crate::harness::{Engine, Worker, ended, failed, retried, seconds, select, succeeded, task};

pub(crate) fn home(of: &str) -> Home {
    Home::parse(of.repeat(16)).unwrap()
}

/// A worker on a host with this home.
async fn worker_at<E: Engine>(engine: &E, of: &'static str, permits: usize) -> Worker {
    let own = home(of);
    engine.worker_for(permits, move |route: &Route| route.home.as_ref().is_none_or(|home| *home == own)).await
}

fn moved(task: &Claimed, to: &str) -> Commit {
    let end = RunEnd::Interrupted(Interruption::WorkspaceElsewhere);
    Commit { home: Some(home(to)), handler: None, ..ended(task, NextStep::Move, end) }
}

async fn view<E: Engine>(engine: &E, id: &TaskId) -> (State, Option<String>, u32) {
    let view = engine.get(id).await;
    assert!(view.requires.is_empty(), "{:?}", view.requires);
    (view.state, view.reason, view.attempt)
}

pub(crate) async fn a_task_that_moves_is_run_where_its_workspace_is_as_if_it_had_not_begun<E: Engine>() {
    let engine = E::start().await;
    let id = engine.submit_one(task("A", "1")).await;
    let mut a = worker_at(&engine, "a", 1).await;
    let claimed = a.claimed_one().await;
    a.commit(moved(&claimed, "b"), 1).await;
    a.assert_idle(&engine).await;
    assert_eq!(view(&engine, &id).await, (State::Ready, Some("workspace_host".to_owned()), 0));
    let waits = |reason| bulkhead_store::TaskFilter { ready_reason: Some(reason), ..Default::default() };
    for (reason, count) in [(ReadyReason::WorkspaceHost, 1), (ReadyReason::Unroutable, 0)] {
        assert_eq!(engine.store().list(select(waits(reason))).await.unwrap().items.len(), count);
    }
    let mut b = worker_at(&engine, "b", 1).await;
    let claimed = b.claimed_one().await;
    assert_eq!(claimed.route.home, Some(home("b")));
    let history = claimed.history.as_deref().unwrap();
    assert_eq!((history.attempts, history.deferrals, history.losses), (0, 0, 0));
    b.commit(succeeded(&claimed), 0).await;
    assert_eq!(view(&engine, &id).await.0, State::Succeeded);
}

pub(crate) async fn a_bound_task_is_retried_paused_requeued_and_restarted_where_it_is_bound<E: Engine>() {
    let engine = E::start().await;
    let id = engine.submit_one(task("A", "1")).await;
    let mut a = worker_at(&engine, "a", 1).await;
    let claimed = a.claimed_one().await;
    a.commit(Commit { home: Some(home("a")), ..retried(&claimed, seconds(5)) }, 1).await;
    assert_eq!(engine.store().change(vec![id.clone()], Change::Pause).await.unwrap(), [Fate::Done]);
    assert_eq!(engine.store().change(vec![id.clone()], Change::Resume(None)).await.unwrap(), [Fate::Done]);
    engine.advance(seconds(6)).await;
    let claimed = a.claimed_one().await;
    let dead = ended(&claimed, NextStep::Die(bulkhead_core::DeadReason::Permanent), failed());
    a.commit(Commit { home: Some(home("a")), ..dead }, 1).await;
    drop(a);
    engine.store().change(vec![id.clone()], Change::Requeue).await.unwrap();
    let engine = engine.crash().await;
    let mut b = worker_at(&engine, "b", 1).await;
    b.assert_idle(&engine).await;
    assert_eq!(view(&engine, &id).await.0, State::Ready);
    let mut a = worker_at(&engine, "a", 1).await;
    assert_eq!(a.claimed_one().await.id, id);
    assert_eq!(engine.store().depths().iter().map(|depth| depth.pending).sum::<u64>(), 0);
}
