//! Workers that are lost, and workers that leave.

use bulkhead_core::{NextStep, State};
use bulkhead_store::{CommitFate, Delivery};

use crate::harness::{Engine, seconds, succeeded, task};

pub(crate) async fn a_worker_that_does_not_renew_loses_its_leases<E: Engine>() {
    let engine = E::start().await;
    let ids = engine.submit(vec![task("A", "1"), task("A", "2")]).await;
    let mut lost = engine.worker(5).await;
    let claimed = lost.claimed().await;
    lost.commit(succeeded(&claimed[0]), 0).await;
    engine.advance(seconds(15)).await;
    lost.assert_idle(&engine).await;
    engine.advance(seconds(1)).await;
    assert!(matches!(lost.next().await, Delivery::LeasesLost));
    assert!(!lost.line.sender.renew().await.unwrap());
    lost.line.sender.send(vec![succeeded(&claimed[1])], 5);

    let view = engine.get(&ids[1].id).await;
    assert_eq!((view.state, view.reason.as_deref(), view.attempt), (State::Ready, Some("worker_lost"), 0));
    assert_eq!(view.attempts()[0].end, "worker_lost");
    assert_eq!(view.attempts()[0].worker, "worker-a");
    engine.advance(seconds(2)).await;
    let mut worker = engine.worker(5).await;
    let again = worker.claimed_one().await;
    let history = again.history.as_ref().unwrap();
    assert_eq!((history.losses, history.attempts), (1, 0));
    assert!(again.lease > claimed[1].lease);
    assert_eq!(worker.commit(succeeded(&again), 0).await, CommitFate::Written(NextStep::Succeed));
    assert_eq!(engine.get(&ids[0].id).await.state, State::Succeeded);
}

pub(crate) async fn a_worker_that_renews_keeps_its_leases<E: Engine>() {
    let engine = E::start().await;
    engine.submit_one(task("A", "1")).await;
    let mut worker = engine.worker(1).await;
    let claimed = worker.claimed_one().await;
    for _ in 0..5 {
        engine.advance(seconds(10)).await;
        assert!(worker.line.sender.renew().await.unwrap());
    }
    assert_eq!(worker.commit(succeeded(&claimed), 0).await, CommitFate::Written(NextStep::Succeed));
}

pub(crate) async fn a_line_that_is_dropped_gives_its_tasks_back_without_a_loss<E: Engine>() {
    let engine = E::start().await;
    let ids = engine.submit(vec![task("A", "1"), task("A", "2")]).await;
    let mut first = engine.worker(5).await;
    assert_eq!(first.claimed().await.len(), 2);
    drop(first);
    engine.settle().await;
    assert_eq!(engine.get(&ids[0].id).await.state, State::Ready);
    let mut second = engine.worker(5).await;
    let claimed = second.claimed().await;
    assert_eq!(claimed.len(), 2);
    assert!(claimed.iter().all(|task| task.history.is_none()));
    assert_eq!(engine.get(&ids[0].id).await.attempts(), []);
}

pub(crate) async fn a_released_task_keeps_its_place_in_the_queue<E: Engine>() {
    let engine = E::start().await;
    let ids = engine.submit(vec![task("A", "1"), task("A", "2"), task("A", "3")]).await;
    let mut worker = engine.worker(2).await;
    let claimed = worker.claimed().await;
    let released = (claimed[0].lease, claimed[0].seq);
    worker.line.sender.release(vec![released, released]).await.unwrap();
    assert_eq!(worker.commit(succeeded(&claimed[0]), 0).await, CommitFate::Fenced);
    worker.line.sender.send(Vec::new(), 2);
    let again: Vec<_> = worker.claimed().await.into_iter().map(|task| task.id).collect();
    assert_eq!(again, [ids[0].id.clone(), ids[2].id.clone()]);
}
