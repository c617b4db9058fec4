//! Rows that the database refuses.

use bulkhead_core::{DeadReason, NextStep, State};
use bulkhead_store::{BatchRefusal, CommitFate, TaskFilter};

use crate::harness::{Engine, completed, ended, task, with_key};

pub(crate) async fn a_refused_submit_leaves_others_unharmed<E: Engine>() {
    let engine = E::start().await;
    engine.refuse_payload("13");
    let store = engine.store();
    let bad = vec![task("A", "1"), task("NEW", "13"), task("A", "2")];
    let (good, refused, also) =
        tokio::join!(store.submit(vec![task("A", "3")]), store.submit(bad), store.submit(vec![task("A", "4")]));
    assert!(good.unwrap().is_ok() && also.unwrap().is_ok());
    let BatchRefusal::Refused { index, message } = refused.unwrap().unwrap_err() else { panic!("not refused") };
    assert_eq!((index, message.as_str()), (1, "not this one"));
    assert_eq!(store.count(TaskFilter::default()).await.unwrap(), 2);
    let pending: u64 = store.depths().iter().map(|depth| depth.pending).sum();
    assert_eq!(pending, 2);
    let mut worker = engine.worker(10).await;
    assert_eq!(worker.claimed().await.len(), 2);
    // The kind that was only in the refused batch is new again.
    engine.submit(vec![task("NEW", "14")]).await;
    assert_eq!(worker.claimed_one().await.route.kind.as_str(), "NEW");
}

pub(crate) async fn a_refused_commit_makes_that_one_task_dead<E: Engine>() {
    let engine = E::start().await;
    engine.refuse_result("13");
    engine.submit((0..40).map(|number| task("A", &number.to_string())).collect()).await;
    let mut worker = engine.worker(40).await;
    let claimed = worker.claimed().await;
    let commits = claimed.iter().map(|task| ended(task, NextStep::Succeed, completed(task.payload.as_str())));
    let fates = worker.commit_all(commits.collect(), 0).await;
    for (task, (seq, fate)) in claimed.iter().zip(fates) {
        assert_eq!(task.seq, seq);
        let expected = match task.payload.as_str() {
            "13" => NextStep::Die(DeadReason::Limit),
            _ => NextStep::Succeed,
        };
        assert_eq!(fate, CommitFate::Written(expected), "{}", task.payload);
    }
    let view = engine.get(&claimed[13].id).await;
    assert_eq!((view.state, view.reason.as_deref(), &view.result), (State::Dead, Some("limit"), &None));
    assert!(view.error.as_ref().unwrap().message.contains("not this one"));
    assert_eq!(view.attempts().len(), 1);
}

pub(crate) async fn a_refused_task_is_told_from_named_ones_beside_it<E: Engine>() {
    let engine = E::start().await;
    engine.refuse_payload("13");
    let named = |payload: &str| with_key(task("A", payload), payload);
    for at in 0..3 {
        let mut batch = vec![named("1"), named("2")];
        batch.insert(at, task("A", "13"));
        let refused = engine.store().submit(batch).await.unwrap().unwrap_err();
        assert!(matches!(refused, BatchRefusal::Refused { index, .. } if index == at), "{at}: {refused:?}");
    }
    assert_eq!(engine.store().count(TaskFilter::default()).await.unwrap(), 0);
}
