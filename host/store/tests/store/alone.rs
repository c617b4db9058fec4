//! Tasks over which workers were lost.

use bulkhead_core::{LOSSES_BEFORE_ALONE, LOSSES_WHILE_ALONE, State};
use bulkhead_store::{Change, Delivery};

use crate::harness::{Engine, seconds, succeeded, task};

/// Claims what there is as one worker after the other, each of which is lost.
async fn lose<E: Engine>(engine: &E, times: u32) {
    for _ in 0..times {
        let mut worker = engine.worker(5).await;
        worker.claimed().await;
        engine.advance(seconds(16)).await;
        assert!(matches!(worker.next().await, Delivery::LeasesLost));
        engine.advance(seconds(70)).await;
    }
}

pub(crate) async fn a_task_that_lost_two_workers_runs_with_nothing_beside_it<E: Engine>() {
    let engine = E::start().await;
    let suspect = engine.submit_one(task("A", "1")).await;
    lose(&engine, LOSSES_BEFORE_ALONE).await;
    let others = engine.submit(vec![task("A", "2"), task("A", "3")]).await;
    let mut worker = engine.worker(5).await;
    engine.settle().await;
    // Nothing is in flight, so its turn comes at once, and nothing else is sent while it runs.
    let alone = worker.claimed_one().await;
    assert_eq!(alone.id, suspect);
    worker.assert_idle(&engine).await;
    worker.commit(succeeded(&alone), 1).await;
    let rest: Vec<_> = worker.claimed().await.into_iter().map(|task| task.id).collect();
    assert_eq!(rest, [others[0].id.clone(), others[1].id.clone()]);
}

pub(crate) async fn a_task_that_keeps_losing_workers_is_dead_as_poison<E: Engine>() {
    let engine = E::start().await;
    let id = engine.submit_one(task("A", "1")).await;
    lose(&engine, LOSSES_BEFORE_ALONE + LOSSES_WHILE_ALONE).await;
    let view = engine.get(&id).await;
    assert_eq!((view.state, view.reason.as_deref(), view.attempt), (State::Dead, Some("poison"), 0));
    assert_eq!(view.attempts().len(), 5);
    engine.store().change(vec![id.clone()], Change::Requeue).await.unwrap();
    let mut worker = engine.worker(5).await;
    assert_eq!(worker.claimed_one().await.history.unwrap().losses, 0);
}
