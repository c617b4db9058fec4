//! Which tasks are claimed, when, by whom, and in which order.

use std::time::Duration;

use bulkhead_core::{DeadReason, Due, Interruption, NextStep, Priority, ReadyReason, RunEnd, State};
use bulkhead_store::{Change, Commit, Delivery, ServedRoutes};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use crate::harness::{Engine, after_start, ended, failed, kind, route, seconds, succeeded, task, version, with_extras};

pub(crate) async fn a_claim_has_all_that_was_submitted<E: Engine>() {
    let engine = E::start().await;
    let mut new = with_extras(task("RENDER", r#"{"b":1.0,  "a":[]}"#), |extras| {
        extras.tenant = Some("acme".to_owned());
        extras.options.max_attempts = Some(7);
    });
    new.route = route("RENDER", &["cpu", "gpu"]);
    new.priority = Priority::try_new(3).unwrap();
    let id = engine.submit_one(new.clone()).await;
    let mut worker = engine.worker(5).await;
    let claimed = worker.claimed_one().await;
    assert_eq!((&claimed.id, &*claimed.route, claimed.priority), (&id, &new.route, new.priority));
    assert_eq!((claimed.payload.as_str(), claimed.due_at), (r#"{"b":1.0,  "a":[]}"#, after_start(Duration::ZERO)));
    assert_eq!((claimed.extras, claimed.history), (new.extras, None));
    let view = engine.get(&id).await;
    assert_eq!((view.state, view.attempt, view.max_attempts), (State::Running, 1, Some(7)));
    assert_eq!(view.tenant.as_deref(), Some("acme"));
}

pub(crate) async fn higher_priorities_go_first_then_earlier_due_times_then_older_tasks<E: Engine>() {
    let engine = E::start().await;
    let with = |payload: &str, priority, due| {
        let mut new = task("A", payload);
        new.priority = Priority::try_new(priority).unwrap();
        new.due = due;
        new
    };
    let at = |time| Due::At(after_start(seconds(time)));
    engine
        .submit(vec![
            with("5", 0, at(2)),
            with("3", 0, at(1)),
            with("6", -1, at(0)),
            with("4", 0, at(1)),
            with("1", 20, at(3)),
            with("2", 1, at(3)),
        ])
        .await;
    engine.advance(seconds(5)).await;
    let mut worker = engine.worker(10).await;
    let order: Vec<String> = worker.claimed().await.iter().map(|task| task.payload.to_string()).collect();
    assert_eq!(order, ["1", "2", "3", "4", "5", "6"]);
}

pub(crate) async fn a_task_is_not_claimed_before_it_is_due<E: Engine>() {
    let engine = E::start().await;
    let mut worker = engine.worker(10).await;
    let mut new = task("A", "1");
    new.due = Due::After(seconds(5));
    let id = engine.submit_one(new).await;
    let view = engine.get(&id).await;
    assert_eq!((view.state, view.reason.as_deref()), (State::Ready, Some("scheduled")));
    assert_eq!(view.run_at, after_start(seconds(5)));
    engine.advance(Duration::from_millis(4_999)).await;
    worker.assert_idle(&engine).await;
    engine.advance(Duration::from_millis(1)).await;
    assert_eq!(worker.claimed_one().await.id, id);
}

pub(crate) async fn a_worker_is_sent_only_routes_it_serves_and_no_more_than_its_permits<E: Engine>() {
    let engine = E::start().await;
    let mut worker = engine.worker_for(2, |route| route.kind == kind("A")).await;
    let ids = engine.submit(vec![task("B", "1"), task("A", "2"), task("A", "3"), task("A", "4")]).await;
    let tasks = worker.claimed().await;
    assert_eq!(tasks.iter().map(|task| &task.id).collect::<Vec<_>>(), [&ids[1].id, &ids[2].id]);
    worker.assert_idle(&engine).await;
    assert_eq!(engine.get(&ids[0].id).await.reason.as_deref(), Some("unroutable"));
    assert_eq!(engine.get(&ids[3].id).await.reason, None);
    worker.commit(succeeded(&tasks[0]), 1).await;
    assert_eq!(worker.claimed_one().await.id, ids[3].id);
    // It learns to serve the other kind.
    worker.line.sender.serve(ServedRoutes::new(2, |_| true));
    worker.line.sender.send(Vec::new(), 1);
    assert_eq!(worker.claimed_one().await.id, ids[0].id);
}

pub(crate) async fn nothing_is_claimed_after_the_worker_has_stopped_claiming<E: Engine>() {
    let engine = E::start().await;
    let mut worker = engine.worker(10).await;
    worker.line.sender.stop_claiming().await.unwrap();
    engine.submit_one(task("A", "1")).await;
    worker.assert_idle(&engine).await;
}

pub(crate) async fn a_task_that_has_not_started_by_its_expiry_is_dead<E: Engine>() {
    let engine = E::start().await;
    let expiring = || with_extras(task("A", "1"), |extras| extras.expires_at = Some(after_start(seconds(10))));
    let unclaimed = engine.submit_one(expiring()).await;
    let mut late = expiring();
    late.due = Due::After(seconds(60));
    let delayed = engine.submit_one(late).await;
    engine.advance(seconds(9)).await;
    assert_eq!(engine.get(&unclaimed).await.state, State::Ready);
    engine.advance(seconds(1)).await;
    for id in [unclaimed, delayed] {
        let view = engine.get(&id).await;
        assert_eq!((view.state, view.reason.as_deref()), (State::Dead, Some(DeadReason::Expired.as_str())));
        assert_eq!((view.attempt, view.attempts().len()), (0, 0));
    }
    let mut worker = engine.worker(10).await;
    worker.assert_idle(&engine).await;
    assert_eq!(engine.store().routes(), []);
}

pub(crate) async fn a_task_that_started_does_not_expire<E: Engine>() {
    let engine = E::start().await;
    let new = with_extras(task("A", "1"), |extras| extras.expires_at = Some(after_start(seconds(10))));
    engine.submit_one(new).await;
    let mut worker = engine.worker(2).await;
    let claimed = worker.claimed_one().await;
    worker.commit(ended(&claimed, NextStep::Retry(seconds(5)), failed()), 0).await;
    engine.advance(seconds(11)).await;
    let again = worker.claimed_one().await;
    assert_eq!(again.history.unwrap().attempts, 1);
}

/// Submits, cancels and claims at random over a thousand routes, beside a sorted list that does the same.
pub(crate) async fn claims_over_many_routes_come_in_the_order_of_a_plain_model<E: Engine>() {
    const ROUTES: usize = 1_000;
    let engine = E::start().await;
    let mut worker = engine.worker_for(0, |route| !route.kind.as_str().ends_with('9')).await;
    let mut runner = TestRunner::deterministic();
    let submission = (0..ROUTES, -2i64..=2, 0u64..4);
    let mut waiting: Vec<(i64, u64, usize, bulkhead_core::TaskId)> = Vec::new();
    let mut number = 0;
    for round in 0..20 {
        let batch: Vec<_> = (0..150).map(|_| submission.new_tree(&mut runner).unwrap().current()).collect();
        let tasks = batch.iter().map(|(route, priority, due)| {
            let mut new = task(&format!("K{route}"), "0");
            new.priority = Priority::try_new(*priority).unwrap();
            new.due = Due::At(after_start(Duration::from_millis(*due)));
            new
        });
        let accepted = engine.submit(tasks.collect()).await;
        for ((route, priority, due), submitted) in batch.iter().zip(accepted) {
            if route % 10 != 9 {
                waiting.push((-priority, *due, number, submitted.id));
            }
            number += 1;
        }
        if round == 0 {
            engine.advance(Duration::from_millis(10)).await;
        }
        waiting.sort();
        let cancelled = waiting.remove(waiting.len() / 2);
        engine.store().change(vec![cancelled.3], Change::Cancel).await.unwrap();
        let wanted = 1 + (round * 37) % 130;
        let model: Vec<_> = waiting.drain(..wanted.min(waiting.len())).map(|(.., id)| id).collect();
        worker.line.sender.send(Vec::new(), model.len());
        let mut claimed = Vec::new();
        while claimed.len() < model.len() {
            match worker.next().await {
                Delivery::Claimed { tasks, .. } => claimed.extend(tasks.into_iter().map(|task| task.id)),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(claimed, model, "round {round}");
    }
}

pub(crate) async fn a_task_that_was_interrupted_has_started_and_does_not_expire<E: Engine>() {
    let engine = E::start().await;
    let new = with_extras(task("A", "1"), |extras| extras.expires_at = Some(after_start(seconds(10))));
    let id = engine.submit_one(new).await;
    let mut worker = engine.worker(1).await;
    let claimed = worker.claimed_one().await;
    let step = NextStep::Defer(seconds(5), ReadyReason::Interrupted);
    worker.commit(ended(&claimed, step, RunEnd::Interrupted(Interruption::Drain)), 1).await;
    engine.advance(seconds(11)).await;
    let again = worker.claimed_one().await;
    assert_eq!(again.history.as_ref().unwrap().attempts, 0);
    worker.commit(Commit { handler: Some(version(2)), ..succeeded(&again) }, 0).await;
    // The version of the run that was cut short is known, too.
    let digests: Vec<_> = engine.get(&id).await.attempts()[0].digests.clone();
    assert_eq!(digests, [version(1).digest, version(2).digest]);
}
