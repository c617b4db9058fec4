//! Accepting tasks: keys, own ids, whole batches.

use bulkhead_core::{Child, Completion, DeadReason, Extras, NextStep, Overrides, RunEnd, State, TaskId, Traceparent};
use bulkhead_store::{BatchRefusal, CommitFate, TaskFilter};

use crate::harness::{Engine, ended, json, seconds, succeeded, task, with_extras, with_key};

const WEEK: u64 = 7 * 24 * 3600;

pub(crate) async fn the_same_key_and_body_give_the_first_task<E: Engine>() {
    let engine = E::start().await;
    let first = engine.submit(vec![with_key(task("A", "1"), "k")]).await.remove(0);
    assert!(!first.duplicate);
    let again = engine.submit(vec![with_key(task("A", "1"), "k"), task("A", "2")]).await;
    assert_eq!((&again[0].id, again[0].duplicate, again[0].state), (&first.id, true, State::Ready));
    assert!(!again[1].duplicate);
    let both = engine.submit(vec![with_key(task("A", "3"), "l"), with_key(task("A", "3"), "l")]).await;
    assert_eq!((&both[0].id, both[1].duplicate), (&both[1].id, true));

    let mut worker = engine.worker(10).await;
    let tasks = worker.claimed().await;
    worker.commit_all(tasks.iter().map(succeeded).collect(), 0).await;
    let ended = engine.submit(vec![with_key(task("A", "1"), "k")]).await.remove(0);
    assert_eq!((ended.id, ended.state), (first.id, State::Succeeded));
}

pub(crate) async fn a_taken_key_or_id_refuses_the_whole_batch<E: Engine>() {
    let engine = E::start().await;
    let holder = engine.submit_one(with_key(task("A", "1"), "k")).await;
    let refusal =
        engine.store().submit(vec![task("A", "2"), with_key(task("A", "3"), "k")]).await.unwrap().unwrap_err();
    assert_eq!(refusal, BatchRefusal::Taken { index: 1, what: "key", name: "k".to_owned(), holder: holder.clone() });

    let mut own = task("A", "4");
    own.id = Some(TaskId::parse("mine").unwrap());
    engine.submit_one(own.clone()).await;
    assert!(engine.submit(vec![own.clone()]).await[0].duplicate);
    own.payload = crate::harness::json("5");
    let refusal = engine.store().submit(vec![own]).await.unwrap().unwrap_err();
    assert!(matches!(refusal, BatchRefusal::Taken { index: 0, what: "id", .. }), "{refusal:?}");

    let mut made = task("A", "6");
    made.id = Some(holder.clone());
    let refusal = engine.store().submit(vec![made]).await.unwrap().unwrap_err();
    assert!(matches!(refusal, BatchRefusal::Taken { what: "id", .. }), "{refusal:?}");
    assert_eq!(engine.store().count(TaskFilter::default()).await.unwrap(), 2);
    // What was refused leaves no trace in the queue either.
    let mut worker = engine.worker(10).await;
    assert_eq!(worker.claimed().await.len(), 2);
}

pub(crate) async fn a_key_is_forgotten_when_its_time_is_over_and_its_task_has_ended<E: Engine>() {
    let engine = E::start().await;
    let first = engine.submit_one(with_key(task("A", "1"), "k")).await;
    engine.advance(seconds(WEEK + 1)).await;
    let again = engine.submit(vec![with_key(task("A", "1"), "k")]).await.remove(0);
    assert_eq!((&again.id, again.duplicate), (&first, true));

    let mut worker = engine.worker(1).await;
    let claimed = worker.claimed_one().await;
    worker.commit(succeeded(&claimed), 0).await;
    drop(worker);
    engine.advance(seconds(WEEK + 1)).await;
    let other = engine.submit(vec![with_key(task("A", "8"), "k")]).await;
    assert!(!other[0].duplicate);
}

pub(crate) async fn a_callers_own_id_names_the_task<E: Engine>() {
    let engine = E::start().await;
    let id = TaskId::parse("order/2026:17").unwrap();
    let mut own = task("A", "1");
    own.id = Some(id.clone());
    assert_eq!(engine.submit_one(own).await, id);
    assert_eq!(engine.get(&id).await.id, id);
    assert!(engine.store().get(&TaskId::parse("order/2026:18").unwrap()).await.unwrap().is_none());
}

pub(crate) async fn a_batch_that_finds_no_room_is_refused_whole<E: Engine>() {
    let engine = E::start_with_room_for(3).await;
    engine.submit(vec![task("A", "1"), with_key(task("A", "2"), "once")]).await;
    let refusal = engine.store().submit(vec![task("A", "3"), task("A", "4")]).await.unwrap().unwrap_err();
    assert_eq!(refusal, BatchRefusal::QueueFull { index: 1, size: 2, waiting: 2, most: 3 });
    // What is there already needs no room.
    engine.submit(vec![task("A", "5")]).await;
    assert!(engine.submit(vec![with_key(task("A", "2"), "once")]).await[0].duplicate);
    assert!(engine.store().submit(vec![with_key(task("A", "6"), "new")]).await.unwrap().is_err());
    // What is claimed makes room.
    let mut worker = engine.worker(1).await;
    let claimed = worker.claimed_one().await;
    engine.submit(vec![task("A", "7")]).await;
    // A task that runs has as much room again, and is dead where it needs more.
    let child = |number: u32| Child { name: None, task: task("B", &number.to_string()) };
    let completion =
        |count| Completion { result: json("1"), metadata: json("{}"), then: (0..count).map(child).collect() };
    let fits = ended(&claimed, NextStep::Succeed, RunEnd::Completed(completion(3)));
    assert_eq!(worker.commit(fits, 1).await, CommitFate::Written(NextStep::Succeed));
    let claimed = worker.claimed_one().await;
    let too_many = ended(&claimed, NextStep::Succeed, RunEnd::Completed(completion(2)));
    assert_eq!(worker.commit(too_many, 0).await, CommitFate::Written(NextStep::Die(DeadReason::Limit)));
    let view = engine.get(&claimed.id).await;
    assert!(view.error.unwrap().message.contains("store.max_pending"));
    assert_eq!(engine.store().depths().iter().map(|depth| depth.pending).sum::<u64>(), 5);
}

pub(crate) async fn the_same_asked_for_in_another_trace_is_the_same<E: Engine>() {
    let engine = E::start().await;
    let traced = |of: &str| {
        with_extras(with_key(task("A", "1"), "once"), |extras| {
            extras.traceparent = (!of.is_empty()).then(|| Traceparent::parse(of).unwrap());
        })
    };
    let first = engine.submit_one(traced("")).await;
    for of in [
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319d-b7ad6b7169203332-01",
    ] {
        let again = engine.submit(vec![traced(of)]).await;
        assert_eq!((&again[0].id, again[0].duplicate), (&first, true));
    }
    // So is a child, whatever its parent passes on.
    let mut child = task("A", "1");
    let parent =
        Extras { inherited: Some(Overrides { max_attempts: Some(7), ..Overrides::default() }), ..Extras::default() };
    child = with_key(child, "once");
    child.inherit(&parent);
    assert_eq!(engine.submit_one(child).await, first);
    let other = with_extras(traced(""), |extras| extras.tenant = Some("b".to_owned()));
    assert!(engine.store().submit(vec![other]).await.unwrap().is_err());
}
