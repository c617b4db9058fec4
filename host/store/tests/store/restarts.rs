//! What holds over a crash and over a close.

use bulkhead_core::{DeadReason, Due, NextStep, RunEnd, State};
use bulkhead_store::{Change, CommitFate};

use crate::harness::{Engine, ended, failed, seconds, succeeded, task, with_key};

pub(crate) async fn what_was_answered_is_there_after_a_crash<E: Engine>() {
    let engine = E::start().await;
    let ids = engine.submit(vec![task("A", "1"), task("A", "2"), with_key(task("B", "3"), "k"), task("A", "4")]).await;
    let mut worker = engine.worker_for(3, |route| route.kind.as_str() == "A").await;
    let claimed = worker.claimed().await;
    let commits = vec![
        succeeded(&claimed[0]),
        ended(&claimed[1], NextStep::Retry(seconds(5)), failed()),
        ended(&claimed[2], NextStep::Park, RunEnd::Declined(String::new())),
    ];
    worker.commit_all(commits, 0).await;
    let engine = engine.crash().await;
    drop(worker);
    let shown = |view: &bulkhead_store::TaskView| (view.state, view.reason.clone());
    assert_eq!(shown(&engine.get(&ids[0].id).await), (State::Succeeded, None));
    assert_eq!(shown(&engine.get(&ids[1].id).await), (State::Ready, Some("retry".to_owned())));
    assert_eq!(shown(&engine.get(&ids[2].id).await), (State::Ready, None));
    assert_eq!(shown(&engine.get(&ids[3].id).await), (State::Ready, Some("no_capable_worker".to_owned())));
    let pending: u64 = engine.store().depths().iter().map(|depth| depth.pending).sum();
    assert_eq!(pending, 3);
    assert!(engine.submit(vec![with_key(task("B", "3"), "k")]).await[0].duplicate);
    engine.advance(seconds(5)).await;
    let mut worker = engine.worker(5).await;
    let mut again = Vec::new();
    while again.len() < 3 {
        again.extend(worker.claimed().await.into_iter().map(|task| task.id));
    }
    again.sort();
    let mut expected: Vec<_> = ids[1..].iter().map(|submitted| submitted.id.clone()).collect();
    expected.sort();
    assert_eq!(again, expected);
}

pub(crate) async fn what_ran_during_a_crash_has_lost_its_worker<E: Engine>() {
    let engine = E::start().await;
    let ids = engine.submit((0..3).map(|number| task("A", &number.to_string())).collect()).await;
    let mut worker = engine.worker(3).await;
    let claimed = worker.claimed().await;
    worker.commit(succeeded(&claimed[1]), 0).await;
    let engine = engine.crash().await;
    for (place, state) in [(0, State::Ready), (1, State::Succeeded), (2, State::Ready)] {
        assert_eq!(engine.get(&ids[place].id).await.state, state);
    }
    let view = engine.get(&ids[0].id).await;
    assert_eq!((view.reason.as_deref(), view.attempt), (Some("worker_lost"), 0));
    assert_eq!((view.attempts()[0].end.as_str(), view.attempts()[0].worker.as_str()), ("worker_lost", "worker-a"));
    engine.advance(seconds(2)).await;
    let mut worker = engine.worker(3).await;
    let again = worker.claimed().await;
    assert_eq!(again.len(), 2);
    assert!(again.iter().all(|task| task.history.as_ref().is_some_and(|history| history.losses == 1)));
}

pub(crate) async fn what_ran_during_a_close_is_given_back<E: Engine>() {
    let engine = E::start().await;
    let id = engine.submit_one(task("A", "1")).await;
    let mut worker = engine.worker(1).await;
    worker.claimed_one().await;
    let engine = engine.reopen().await;
    assert!(worker.line.sender.renew().await.is_err());
    let view = engine.get(&id).await;
    assert_eq!((view.state, view.attempts().len()), (State::Ready, 0));
    let mut worker = engine.worker(1).await;
    assert!(worker.claimed_one().await.history.is_none());
}

pub(crate) async fn a_cancel_holds_over_a_crash<E: Engine>() {
    let engine = E::start().await;
    let id = engine.submit_one(task("A", "1")).await;
    let mut worker = engine.worker(1).await;
    worker.claimed_one().await;
    engine.store().change(vec![id.clone()], Change::Cancel).await.unwrap();
    let engine = engine.crash().await;
    assert_eq!(engine.get(&id).await.state, State::Cancelled);
}

pub(crate) async fn leases_of_an_earlier_holder_are_void<E: Engine>() {
    let engine = E::start().await;
    let id = engine.submit_one(task("A", "1")).await;
    let mut worker = engine.worker(1).await;
    let stale = worker.claimed_one().await;
    let engine = engine.crash().await;
    engine.advance(seconds(2)).await;
    let mut worker = engine.worker(1).await;
    let fresh = worker.claimed_one().await;
    assert_ne!(stale.lease, fresh.lease);
    assert_eq!(worker.commit(succeeded(&stale), 0).await, CommitFate::Fenced);
    let die = NextStep::Die(DeadReason::Permanent);
    assert_eq!(worker.commit(ended(&fresh, die, failed()), 0).await, CommitFate::Written(die));
    // A delay survives, too.
    let mut later = task("A", "2");
    later.due = Due::After(seconds(60));
    let delayed = engine.submit_one(later).await;
    let engine = engine.crash().await;
    assert_eq!(engine.get(&delayed).await.reason.as_deref(), Some("scheduled"));
    assert_eq!(engine.get(&id).await.state, State::Dead);
}
