//! What becomes of ended runs.

use std::sync::Arc;

use bulkhead_core::{
    Checkpoint, Child, Completion, DeadReason, Digest, JsonText, NextStep, ReadyReason, Route, RunEnd, State, TaskId,
};
use bulkhead_store::{Claimed, Commit, CommitFate, ServedRoutes, TaskFilter};

use crate::harness::{Engine, START, after_start, completed, ended, failed, json, seconds, succeeded, task, version};

pub(crate) async fn a_task_that_succeeds_shows_its_result_and_the_facts_of_its_attempt<E: Engine>() {
    let engine = E::start().await;
    let id = engine.submit_one(task("A", "1")).await;
    let mut worker = engine.worker(1).await;
    let claimed = worker.claimed_one().await;
    engine.advance(seconds(2)).await;
    let fate = worker.commit(ended(&claimed, NextStep::Succeed, completed(r#"{"x": 1.0}"#)), 0).await;
    assert_eq!(fate, CommitFate::Written(NextStep::Succeed));
    let view = engine.get(&id).await;
    assert_eq!((view.state, &view.reason, &view.error), (State::Succeeded, &None, &None));
    assert_eq!((view.attempt, view.max_attempts, view.epoch, view.stage), (1, Some(3), 1, 0));
    assert_eq!(view.result.as_ref().unwrap().as_str(), r#"{"x": 1.0}"#);
    assert_eq!(view.metadata.as_ref().unwrap().as_str(), "{}");
    assert_eq!(view.ended_at, Some(after_start(seconds(2))));
    let [attempt] = view.attempts() else { panic!("{:?}", view.attempts()) };
    assert_eq!((attempt.number, attempt.epoch, attempt.end.as_str()), (1, 1, "succeeded"));
    assert_eq!((attempt.worker.as_str(), attempt.fuel, attempt.peak_memory), ("worker-a", 1_000, 65_536));
    assert_eq!(attempt.handler.as_ref().unwrap().as_str(), "tester");
    assert_eq!(attempt.digests, [version(1).digest]);
    assert_eq!(attempt.started_at.as_millis(), START + 7);
}

pub(crate) async fn a_retry_waits_and_a_death_keeps_every_attempt<E: Engine>() {
    let engine = E::start().await;
    let id = engine.submit_one(task("A", "1")).await;
    let mut worker = engine.worker(2).await;
    let claimed = worker.claimed_one().await;
    let retry = NextStep::Retry(seconds(3));
    assert_eq!(worker.commit(ended(&claimed, retry, failed()), 1).await, CommitFate::Written(retry));
    let view = engine.get(&id).await;
    assert_eq!((view.state, view.reason.as_deref(), view.attempt), (State::Ready, Some("retry"), 1));
    assert_eq!((view.error.unwrap().code.as_str(), view.run_at), ("BROKEN", after_start(seconds(3))));
    worker.assert_idle(&engine).await;
    engine.advance(seconds(3)).await;
    let again = worker.claimed_one().await;
    let history = again.history.as_ref().unwrap();
    assert_eq!((history.epoch, history.attempts, history.fuel, history.elapsed_micros), (1, 1, 1_000, 0));
    let die = NextStep::Die(DeadReason::MaxAttempts);
    worker.commit(ended(&again, die, failed()), 0).await;
    let view = engine.get(&id).await;
    assert_eq!((view.state, view.reason.as_deref(), view.attempt), (State::Dead, Some("max_attempts"), 2));
    assert_eq!(view.error.as_ref().unwrap().message, "it broke");
    let attempts: Vec<_> = view.attempts().iter().map(|attempt| (attempt.number, attempt.end.as_str())).collect();
    assert_eq!(attempts, [(1, "failed"), (2, "failed")]);
}

pub(crate) async fn a_deferral_charges_nothing_and_keeps_who_declined<E: Engine>() {
    let engine = E::start().await;
    let id = engine.submit_one(task("A", "1")).await;
    let mut worker = engine.worker(1).await;
    for round in 0..20u8 {
        let claimed = worker.claimed_one().await;
        let declined = claimed.history.as_ref().map_or(0, |history| history.declined.len());
        assert_eq!(declined, usize::from(round).min(16));
        let step = NextStep::Defer(seconds(1), ReadyReason::Declined);
        let mut commit = ended(&claimed, step, RunEnd::Declined("not mine".to_owned()));
        commit.handler = None;
        commit.declined = vec![Digest::from_bytes([round; 32])];
        worker.commit(commit, 1).await;
        let view = engine.get(&id).await;
        assert_eq!((view.attempt, view.reason.as_deref(), view.attempts().len()), (0, Some("declined"), 0));
        engine.advance(seconds(1)).await;
        assert!(worker.line.sender.renew().await.unwrap());
    }
    let claimed = worker.claimed_one().await;
    assert_eq!(claimed.history.as_ref().unwrap().deferrals, 20);
    worker.commit(ended(&claimed, NextStep::Retry(seconds(1)), failed()), 1).await;
    engine.advance(seconds(1)).await;
    let history = worker.claimed_one().await.history.unwrap();
    assert_eq!((history.deferrals, history.attempts), (0, 1));
}

pub(crate) async fn a_parked_task_waits_for_another_catalogue<E: Engine>() {
    let engine = E::start().await;
    let id = engine.submit_one(task("A", "1")).await;
    let mut worker = engine.worker(1).await;
    let claimed = worker.claimed_one().await;
    worker.commit(ended(&claimed, NextStep::Park, RunEnd::Declined(String::new())), 1).await;
    let view = engine.get(&id).await;
    assert_eq!((view.state, view.reason.as_deref()), (State::Ready, Some("no_capable_worker")));
    assert_eq!(engine.store().depths()[0].pending, 1);
    worker.line.sender.serve(ServedRoutes::new(1, |_| true));
    engine.advance(seconds(3600)).await;
    worker.line.sender.renew().await.unwrap();
    worker.assert_idle_or_lost(&engine).await;
    let mut worker = engine.worker(1).await;
    assert_eq!(worker.claimed_one().await.id, id);
    drop(worker);

    let mut worker = engine.worker(1).await;
    let claimed = worker.claimed_one().await;
    worker.commit(ended(&claimed, NextStep::Park, RunEnd::Declined(String::new())), 1).await;
    worker.assert_idle(&engine).await;
    worker.line.sender.serve(ServedRoutes::new(2, |_| true));
    assert_eq!(worker.claimed_one().await.id, id);
}

pub(crate) async fn a_checkpoint_goes_on_at_the_next_stage_with_its_state<E: Engine>() {
    let engine = E::start().await;
    let id = engine.submit_one(task("A", "1")).await;
    let mut worker = engine.worker(1).await;
    for stage in 0..3u8 {
        let claimed = worker.claimed_one().await;
        let checkpoint = Checkpoint { state: json(&format!("[{stage}]")), processed: 1, total: None };
        let mut commit = ended(&claimed, NextStep::Advance, RunEnd::Checkpointed(checkpoint));
        commit.handler = Some(version(stage));
        worker.commit(commit, 1).await;
    }
    let claimed = worker.claimed_one().await;
    let history = claimed.history.as_deref().unwrap();
    assert_eq!((history.stage, history.attempts, history.elapsed_micros, history.fuel), (3, 0, 4_500, 3_000));
    assert_eq!(history.state.as_ref().map(JsonText::as_str), Some("[2]"));
    assert_eq!(history.digests, [0, 1, 2].map(|byte| version(byte).digest));
    worker.commit(succeeded(&claimed), 0).await;
    let view = engine.get(&id).await;
    assert_eq!((view.state, view.stage, view.attempt, view.attempts().len()), (State::Succeeded, 3, 1, 1));
    assert_eq!((view.attempts()[0].fuel, view.attempts()[0].digests.len()), (4_000, 4));
}

fn then(child: bulkhead_core::NewTask) -> RunEnd {
    let then = vec![Child { name: None, task: child }];
    RunEnd::Completed(Completion { result: json("1"), metadata: json(r#"{"m":1}"#), then })
}

pub(crate) async fn tasks_that_follow_are_submitted_with_the_result<E: Engine>() {
    let engine = E::start().await;
    engine.submit_one(task("A", "1")).await;
    let mut worker = engine.worker(2).await;
    let claimed = worker.claimed_one().await;
    worker.commit(ended(&claimed, NextStep::Succeed, then(task("B", "2"))), 0).await;
    let child = worker.claimed_one().await;
    assert_eq!((child.route.kind.as_str(), child.payload.as_str()), ("B", "2"));
    assert_eq!(engine.get(&claimed.id).await.metadata.unwrap().as_str(), r#"{"m":1}"#);
}

pub(crate) async fn tasks_that_follow_under_a_taken_id_make_the_outcome_invalid<E: Engine>() {
    let engine = E::start().await;
    let mut own = task("X", "1");
    own.id = Some(TaskId::parse("mine").unwrap());
    engine.submit(vec![own.clone(), task("A", "1"), task("A", "2")]).await;
    let mut worker = engine.worker_for(5, |route| route.kind.as_str() == "A").await;
    let claimed = worker.claimed().await;
    own.payload = json("2");
    let commits = vec![ended(&claimed[0], NextStep::Succeed, then(own)), succeeded(&claimed[1])];
    let fates = worker.commit_all(commits, 0).await;
    assert_eq!(fates[0].1, CommitFate::Written(NextStep::Die(DeadReason::InvalidOutcome)));
    assert_eq!(fates[1].1, CommitFate::Written(NextStep::Succeed));
    let view = engine.get(&claimed[0].id).await;
    assert_eq!((view.state, view.result), (State::Dead, None));
    assert!(view.error.unwrap().message.contains("`mine`"));
    assert_eq!(engine.store().count(TaskFilter::default()).await.unwrap(), 3);
}

pub(crate) async fn a_second_commit_under_the_same_lease_is_fenced<E: Engine>() {
    let engine = E::start().await;
    let id = engine.submit_one(task("A", "1")).await;
    let mut worker = engine.worker(1).await;
    let claimed = worker.claimed_one().await;
    let mut other = ended(&claimed, NextStep::Succeed, completed("2"));
    let fates = worker.commit_all(vec![succeeded(&claimed), other.clone()], 0).await;
    assert_eq!((fates[0].1, fates[1].1), (CommitFate::Written(NextStep::Succeed), CommitFate::Fenced));
    assert_eq!(worker.commit(other.clone(), 0).await, CommitFate::Fenced);
    other.lease.0 += 1;
    assert_eq!(worker.commit(other, 0).await, CommitFate::Fenced);
    assert_eq!(engine.get(&id).await.result.unwrap().as_str(), "true");
}

pub(crate) async fn a_commit_of_another_worker_is_fenced<E: Engine>() {
    let engine = E::start().await;
    engine.submit_one(task("A", "1")).await;
    let mut worker = engine.worker(1).await;
    let claimed = worker.claimed_one().await;
    let mut other = engine.worker(0).await;
    assert_eq!(other.commit(succeeded(&claimed), 0).await, CommitFate::Fenced);
    assert_eq!(worker.commit(succeeded(&claimed), 0).await, CommitFate::Written(NextStep::Succeed));
}

pub(crate) async fn a_task_is_not_parked_where_a_handler_came_while_the_others_declined_it<E: Engine>() {
    let engine = E::start().await;
    let id = engine.submit_one(task("A", "1")).await;
    let mut worker = engine.worker(1).await;
    let claimed = worker.claimed_one().await;
    let other = Digest::from_bytes([9; 32]);
    let has_another = move |_: &Route, declined: &[Digest]| !declined.contains(&other);
    let routes = ServedRoutes { has_another: Arc::new(has_another), ..ServedRoutes::new(2, |_| true) };
    worker.line.sender.serve(routes);
    let declined = Commit { declined: vec![Digest::from_bytes([1; 32])], ..park(&claimed) };
    worker.commit(declined, 1).await;
    let again = worker.claimed_one().await;
    assert_eq!((again.id.clone(), again.history.as_ref().unwrap().declined.len()), (id.clone(), 1));
    // That one declines it, too.
    worker.commit(Commit { declined: vec![other], ..park(&again) }, 1).await;
    worker.assert_idle(&engine).await;
    assert_eq!(engine.get(&id).await.reason.as_deref(), Some("no_capable_worker"));
}

fn park(claimed: &Claimed) -> Commit {
    ended(claimed, NextStep::Park, RunEnd::Declined(String::new()))
}
