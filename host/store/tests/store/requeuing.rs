//! Dead letters that are tried again.

use bulkhead_core::{DeadReason, NextStep, State, TaskId};
use bulkhead_store::{Change, Fate};

use crate::harness::{Engine, ended, failed, succeeded, task};

pub(crate) async fn a_dead_letter_begins_a_new_epoch<E: Engine>() {
    let engine = E::start().await;
    let id = engine.submit_one(task("A", "1")).await;
    let mut worker = engine.worker(1).await;
    for epoch in 1..=2 {
        let claimed = worker.claimed_one().await;
        let history = claimed.history.as_deref().cloned();
        assert_eq!(history.map_or((1, 0), |history| (history.epoch, history.attempts)), (epoch, 0));
        worker.commit(ended(&claimed, NextStep::Die(DeadReason::Permanent), failed()), 1).await;
        assert_eq!(engine.get(&id).await.epoch, epoch);
        assert_eq!(engine.store().change(vec![id.clone()], Change::Requeue).await.unwrap(), [Fate::Done]);
    }
    let claimed = worker.claimed_one().await;
    worker.commit(succeeded(&claimed), 0).await;
    let view = engine.get(&id).await;
    assert_eq!((view.state, view.epoch, view.attempt), (State::Succeeded, 3, 1));
    let attempts: Vec<_> = view.attempts().iter().map(|one| (one.epoch, one.number, one.end.as_str())).collect();
    assert_eq!(attempts, [(1, 1, "failed"), (2, 1, "failed"), (3, 1, "succeeded")]);
}

pub(crate) async fn only_dead_letters_are_requeued<E: Engine>() {
    let engine = E::start().await;
    let id = engine.submit_one(task("A", "1")).await;
    let unknown = TaskId::parse("nobody").unwrap();
    let fates = engine.store().change(vec![id, unknown], Change::Requeue).await.unwrap();
    assert_eq!(fates, [Fate::Refused(State::Ready), Fate::Unknown]);
}
