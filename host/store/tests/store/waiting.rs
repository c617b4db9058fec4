//! Waiting for the end of a task.

use std::time::Duration;

use bulkhead_core::{NewTask, State, TaskId};

use crate::harness::{Engine, seconds, succeeded, task};

pub(crate) async fn a_waiter_is_woken_by_the_end<E: Engine>() {
    let engine = E::start().await;
    let id = engine.submit_one(task("A", "1")).await;
    let mut worker = engine.worker(1).await;
    let claimed = worker.claimed_one().await;
    let work = async {
        worker.commit(succeeded(&claimed), 0).await;
    };
    let store = engine.store();
    let (first, second, ()) = tokio::join!(store.wait(&id, seconds(3600)), store.wait(&id, seconds(3600)), work);
    for view in [first, second] {
        assert_eq!(view.unwrap().unwrap().state, State::Succeeded);
    }
    let ended = store.wait(&id, seconds(3600)).await.unwrap().unwrap();
    assert_eq!(ended.state, State::Succeeded);
}

pub(crate) async fn a_waiter_is_answered_when_its_time_is_over<E: Engine>() {
    let engine = E::start().await;
    let id = engine.submit_one(task("A", "1")).await;
    let view = engine.store().wait(&id, Duration::from_millis(1)).await.unwrap().unwrap();
    assert_eq!(view.state, State::Ready);
    let unknown = TaskId::parse("nobody").unwrap();
    assert!(engine.store().wait(&unknown, seconds(3600)).await.unwrap().is_none());
}

pub(crate) async fn a_waiter_is_woken_whoever_made_the_id<E: Engine>() {
    let engine = E::start().await;
    let made = engine.submit_one(task("B", "1")).await;
    // Of the form that the store gives its own, and with another task's number in it.
    let id = TaskId::parse(format!("018f0000{}", &made.as_str()[8..])).unwrap();
    engine.submit_one(NewTask { id: Some(id.clone()), ..task("A", "1") }).await;
    let mut worker = engine.worker_for(1, |route| route.kind.as_str() == "A").await;
    let claimed = worker.claimed_one().await;
    let store = engine.store();
    let work = async {
        worker.commit(succeeded(&claimed), 0).await;
    };
    let (ended, ()) = tokio::join!(store.wait(&id, seconds(3600)), work);
    assert_eq!(ended.unwrap().unwrap().id, id);
}
