//! What ended long ago is removed.

use bulkhead_core::{DeadReason, Join, NextStep, RunEnd, Spawn, State, UpstreamEnd};
use bulkhead_store::{Change, Fate, TaskFilter, UpstreamPart};

use crate::harness::{Engine, completed, ended, failed, seconds, select, succeeded, task, with_key};

const DAY: u64 = 24 * 3600;

pub(crate) async fn what_ended_well_goes_before_what_ended_badly<E: Engine>() {
    let engine = E::start().await;
    let [well, badly] = [engine.submit_one(task("A", "1")).await, engine.submit_one(task("B", "2")).await];
    let waits = engine.submit_one(task("C", "3")).await;
    let mut worker = engine.worker_for(2, |route| route.kind.as_str() != "C").await;
    let claimed = worker.claimed().await;
    let commits = vec![succeeded(&claimed[0]), ended(&claimed[1], NextStep::Die(DeadReason::Permanent), failed())];
    worker.commit_all(commits, 0).await;
    drop(worker);
    engine.advance(seconds(DAY - 1)).await;
    assert_eq!(engine.get(&well).await.state, State::Succeeded);
    engine.walk(seconds(3600)).await;
    assert_eq!(engine.store().get(&well).await.unwrap(), None);
    assert_eq!(engine.get(&badly).await.state, State::Dead);
    engine.walk(seconds(29 * DAY)).await;
    assert_eq!(engine.store().get(&badly).await.unwrap(), None);
    // However long it waits.
    assert_eq!(engine.get(&waits).await.state, State::Ready);
    assert_eq!(engine.store().list(select(TaskFilter::default())).await.unwrap().items.len(), 1);
}

pub(crate) async fn a_key_and_an_own_id_stand_for_a_task_that_was_removed<E: Engine>() {
    let engine = E::start().await;
    let keyed = || with_key(task("A", "1"), "once");
    let mut named = task("A", "2");
    named.id = Some(bulkhead_core::TaskId::parse("mine").unwrap());
    let ids: Vec<_> = engine.submit(vec![keyed(), named.clone()]).await.into_iter().map(|one| one.id).collect();
    let mut worker = engine.worker(2).await;
    let commits = worker.claimed().await.iter().map(succeeded).collect();
    worker.commit_all(commits, 0).await;
    drop(worker);
    engine.walk(seconds(DAY + 3600)).await;
    for (id, again) in ids.iter().zip([keyed(), named.clone()]) {
        assert_eq!(engine.store().get(id).await.unwrap(), None);
        let again = engine.submit(vec![again]).await.remove(0);
        assert_eq!((&again.id, again.state, again.duplicate), (id, State::Succeeded, true));
    }
    let other = engine.store().submit(vec![with_key(task("A", "3"), "once")]).await.unwrap();
    assert!(other.is_err(), "{other:?}");
    // A week after they were given, the names are free.
    engine.walk(seconds(7 * DAY)).await;
    for again in [keyed(), named] {
        assert!(!engine.submit(vec![again]).await[0].duplicate);
    }
}

pub(crate) async fn a_child_that_was_removed_under_its_key_has_ended_for_its_parent<E: Engine>() {
    let engine = E::start().await;
    let keyed = || with_key(task("C", "1"), "once");
    engine.submit_one(keyed()).await;
    let mut worker = engine.worker(1).await;
    let claimed = worker.claimed_one().await;
    worker.commit(succeeded(&claimed), 0).await;
    drop(worker);
    engine.walk(seconds(DAY + 3600)).await;
    engine.submit_one(task("P", "2")).await;
    let mut worker = engine.worker(1).await;
    let claimed = worker.claimed_one().await;
    let children = vec![bulkhead_core::Child { name: None, task: keyed() }];
    let end = RunEnd::Spawned(Spawn { children, join: Join::Strict, state: None });
    worker.commit(ended(&claimed, NextStep::Suspend, end), 1).await;
    // It had ended well, which is all that is known of it.
    let again = worker.claimed_one().await;
    let spawned = again.history.as_ref().unwrap().upstream.unwrap();
    let part = UpstreamPart::Page { offset: 0, count: 9, bytes: 1000 };
    let upstream = engine.store().upstream(again.seq, spawned, part).await.unwrap();
    assert!(matches!(&upstream[0].end, UpstreamEnd::Failed(error) if error.code == "removed"), "{upstream:?}");
}

pub(crate) async fn children_stay_as_long_as_their_parent<E: Engine>() {
    let engine = E::start().await;
    let parent = engine.submit_one(task("P", "1")).await;
    let mut worker = engine.worker(1).await;
    let claimed = worker.claimed_one().await;
    let children = vec![bulkhead_core::Child { name: None, task: task("C", "2") }];
    let end = RunEnd::Spawned(Spawn { children, join: Join::BestEffort, state: None });
    worker.commit(ended(&claimed, NextStep::Suspend, end), 1).await;
    let child = worker.claimed_one().await;
    worker.commit(ended(&child, NextStep::Succeed, completed("1")), 1).await;
    let claimed = worker.claimed_one().await;
    worker.commit(ended(&claimed, NextStep::Die(DeadReason::Permanent), failed()), 0).await;
    drop(worker);
    engine.walk(seconds(2 * DAY)).await;
    assert_eq!(engine.get(&child.id).await.state, State::Succeeded);
    let remove = async |id| engine.store().change(vec![id], Change::Remove).await.unwrap()[0];
    assert_eq!(remove(child.id.clone()).await, Fate::Refused(State::Succeeded));
    assert_eq!(remove(parent.clone()).await, Fate::Done);
    assert_eq!(remove(parent).await, Fate::Unknown);
    engine.walk(seconds(DAY)).await;
    assert_eq!(engine.store().get(&child.id).await.unwrap(), None);
}

pub(crate) async fn a_long_walk_removes_everything_that_is_over<E: Engine>() {
    let engine = E::start().await;
    engine.submit((0..3_000).map(|number| task("A", &number.to_string())).collect()).await;
    let mut worker = engine.worker(500).await;
    for _ in 0..6 {
        let commits: Vec<_> = worker.claimed().await.iter().map(succeeded).collect();
        worker.commit_all(commits, 500).await;
    }
    drop(worker);
    engine.walk(seconds(DAY + 3600)).await;
    assert_eq!(engine.store().count(TaskFilter::default()).await.unwrap(), 0);
}
