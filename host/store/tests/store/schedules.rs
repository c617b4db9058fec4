//! Schedules: what becomes of each tick.

use std::time::Duration;

use bulkhead_core::{Due, ScheduleName, ScheduleSubmission, State, TickSkip};
use bulkhead_store::{
    Claimed, Delivery, LastTick, ScheduleChange, ScheduleFate, ScheduleView, TaskFilter, TaskView, TickFate,
};

use crate::harness::{Engine, Worker, after_start, seconds, select, succeeded, task, with_key};

pub(crate) fn name(text: &str) -> ScheduleName {
    ScheduleName::parse(text).unwrap()
}

/// The schedule `s` of tasks of kind `A`, with these members beside its name.
pub(crate) fn submission(members: &str) -> ScheduleSubmission {
    let text = format!(r#"{{"name":"s","task":{{"kind":"A","payload":1}},{members}}}"#);
    serde_json::from_str(&text).unwrap()
}

pub(crate) async fn ask<E: Engine>(engine: &E, change: ScheduleChange) -> ScheduleFate {
    engine.store().change_schedule(change).await.unwrap()
}

pub(crate) async fn put<E: Engine>(engine: &E, submission: ScheduleSubmission, replace: bool) -> ScheduleFate {
    ask(engine, ScheduleChange::Put { submission: Box::new(submission), replace }).await
}

pub(crate) async fn started<E: Engine>(members: &str) -> E {
    let engine = E::start().await;
    assert_eq!(put(&engine, submission(members), false).await, ScheduleFate::Added);
    engine
}

pub(crate) async fn view<E: Engine>(engine: &E) -> ScheduleView {
    engine.store().schedule(&name("s")).await.unwrap().unwrap()
}

async fn tasks<E: Engine>(engine: &E) -> Vec<TaskView> {
    engine.store().list(select(TaskFilter::default())).await.unwrap().items
}

/// Moves the clock on while a worker lives.
pub(crate) async fn pass<E: Engine>(engine: &E, worker: &Worker, time: u64) {
    for _ in 0..time {
        engine.advance(seconds(1)).await;
        assert!(worker.line.sender.renew().await.unwrap());
    }
}

pub(crate) async fn finish(worker: &mut Worker, claimed: &Claimed) {
    worker.commit(succeeded(claimed), 1).await;
}

/// The tick that a claimed task is of, as a time after the start.
#[track_caller]
pub(crate) fn assert_tick(claimed: &Claimed, after: Duration) {
    let key = claimed.extras.as_ref().unwrap().key.clone().unwrap();
    let tick = after_start(after).to_string().replace(".000Z", "Z");
    assert_eq!(key, format!("schedule:s:{tick}"));
}

fn skipped(reason: TickSkip, after: Duration) -> Option<LastTick> {
    Some(LastTick { tick: after_start(after), fate: TickFate::Skipped { reason } })
}

pub(crate) async fn each_tick_is_one_task_with_the_key_of_the_tick<E: Engine>() {
    let engine: E = started(r#""every":"10s""#).await;
    let mut worker = engine.worker(1).await;
    assert_eq!(view(&engine).await.next_tick, Some(after_start(seconds(10))));
    pass(&engine, &worker, 9).await;
    worker.assert_idle(&engine).await;
    for count in 1..=3 {
        pass(&engine, &worker, if count == 1 { 1 } else { 10 }).await;
        let claimed = worker.claimed_one().await;
        assert_tick(&claimed, seconds(10 * count));
        assert_eq!((claimed.route.kind.as_str(), claimed.payload.as_str()), ("A", "1"));
        let seen = view(&engine).await;
        let last =
            LastTick { tick: after_start(seconds(10 * count)), fate: TickFate::Task { task: claimed.id.clone() } };
        assert_eq!((seen.running, seen.last), (Some(claimed.id.clone()), Some(last)));
        assert_eq!(seen.next_tick, Some(after_start(seconds(10 * count + 10))));
        finish(&mut worker, &claimed).await;
        assert_eq!(view(&engine).await.running, None);
        worker.assert_idle(&engine).await;
    }
    assert_eq!(tasks(&engine).await.len(), 3);
}

pub(crate) async fn a_tick_is_one_task_over_crashes<E: Engine>() {
    let mut engine: E = started(r#""cron":"* * * * *","overlap":"queue""#).await;
    for minute in 1..=3 {
        engine.advance(seconds(60)).await;
        engine = engine.crash().await;
        engine.advance(seconds(0)).await;
        assert_eq!(view(&engine).await.waiting.len(), minute - 1);
    }
    assert_eq!(tasks(&engine).await.len(), 1);
    for minute in 1..=3 {
        let mut worker = engine.worker(1).await;
        let claimed = worker.claimed_one().await;
        assert_tick(&claimed, seconds(60 * minute));
        worker.commit(succeeded(&claimed), 0).await;
        engine.settle().await;
        drop(worker);
        engine = engine.crash().await;
    }
    engine.settle().await;
    assert!(tasks(&engine).await.iter().all(|task| task.state == State::Succeeded));
    assert_eq!(tasks(&engine).await.len(), 3);
}

pub(crate) async fn a_tick_whose_task_is_there_already_makes_no_other<E: Engine>() {
    let engine: E = started(r#""every":"10s""#).await;
    let there = with_key(task("A", "1"), "schedule:s:2027-01-15T08:00:10Z");
    assert_eq!(there.due, Due::Now);
    let there = engine.submit_one(there).await;
    let other = engine.submit_one(with_key(task("A", "2"), "schedule:s:2027-01-15T08:00:20Z")).await;
    engine.advance(seconds(10)).await;
    assert_eq!(view(&engine).await.running, Some(there.clone()));
    let mut worker = engine.worker(2).await;
    let claimed = worker.claimed().await;
    assert_eq!([&claimed[0].id, &claimed[1].id], [&there, &other]);
    worker.commit_all(claimed.iter().map(succeeded).collect(), 2).await;
    // The key of the next belongs to a task with another body.
    pass(&engine, &worker, 10).await;
    let last = LastTick { tick: after_start(seconds(20)), fate: TickFate::Refused };
    assert_eq!(view(&engine).await.last, Some(last));
    worker.assert_idle(&engine).await;
    pass(&engine, &worker, 10).await;
    assert_tick(&worker.claimed_one().await, seconds(30));
}

pub(crate) async fn missed_ticks_are_skipped_unless_told_otherwise<E: Engine>() {
    let engine: E = started(r#""every":"4m""#).await;
    let engine = engine.closed_for(seconds(9 * 60 + 30)).await;
    let seen = view(&engine).await;
    assert_eq!(seen.last, skipped(TickSkip::Missed, seconds(8 * 60)));
    assert_eq!(seen.next_tick, Some(after_start(seconds(12 * 60))));
    assert_eq!(tasks(&engine).await, []);
    // One that is late by less than the grace is on time.
    let engine = engine.closed_for(seconds(3 * 60)).await;
    let mut worker = engine.worker(1).await;
    assert_tick(&worker.claimed_one().await, seconds(12 * 60));
}

pub(crate) async fn one_task_makes_up_for_all_missed_ticks<E: Engine>() {
    let engine: E = started(r#""every":"4m","missed":"one""#).await;
    let engine = engine.closed_for(seconds(9 * 60 + 30)).await;
    let mut worker = engine.worker(1).await;
    let claimed = worker.claimed_one().await;
    assert_tick(&claimed, seconds(8 * 60));
    finish(&mut worker, &claimed).await;
    worker.assert_idle(&engine).await;
    assert_eq!(tasks(&engine).await.len(), 1);
}

pub(crate) async fn each_missed_tick_is_made_up_for_one_after_another<E: Engine>() {
    let engine: E = started(r#""every":"4m","missed":"all""#).await;
    let engine = engine.closed_for(seconds(13 * 60 + 30)).await;
    assert_eq!(view(&engine).await.waiting, [after_start(seconds(8 * 60)), after_start(seconds(12 * 60))]);
    let mut worker = engine.worker(3).await;
    for tick in 1..=3 {
        let claimed = worker.claimed_one().await;
        assert_tick(&claimed, seconds(4 * 60 * tick));
        worker.assert_idle(&engine).await;
        finish(&mut worker, &claimed).await;
    }
    worker.assert_idle(&engine).await;
}

pub(crate) async fn a_tick_is_passed_over_while_an_earlier_task_runs<E: Engine>() {
    let engine: E = started(r#""every":"10s""#).await;
    let mut worker = engine.worker(2).await;
    pass(&engine, &worker, 10).await;
    let claimed = worker.claimed_one().await;
    pass(&engine, &worker, 10).await;
    let seen = view(&engine).await;
    assert_eq!((seen.running, seen.waiting), (Some(claimed.id.clone()), vec![]));
    assert_eq!(seen.last, skipped(TickSkip::StillRunning, seconds(20)));
    finish(&mut worker, &claimed).await;
    worker.assert_idle(&engine).await;
    pass(&engine, &worker, 10).await;
    assert_tick(&worker.claimed_one().await, seconds(30));
}

pub(crate) async fn a_tick_waits_until_the_earlier_task_has_ended<E: Engine>() {
    let engine: E = started(r#""every":"10s","overlap":"queue""#).await;
    let mut worker = engine.worker(2).await;
    pass(&engine, &worker, 10).await;
    let mut claimed = worker.claimed_one().await;
    pass(&engine, &worker, 10).await;
    pass(&engine, &worker, 10).await;
    worker.assert_idle(&engine).await;
    assert_eq!(view(&engine).await.waiting, [after_start(seconds(20)), after_start(seconds(30))]);
    // It is the end that lets the next begin, not the clock.
    for tick in 2..=3 {
        finish(&mut worker, &claimed).await;
        claimed = worker.claimed_one().await;
        assert_tick(&claimed, seconds(10 * tick));
    }
    finish(&mut worker, &claimed).await;
    worker.assert_idle(&engine).await;
}

pub(crate) async fn a_tick_replaces_the_earlier_task<E: Engine>() {
    let engine: E = started(r#""every":"10s","overlap":"replace""#).await;
    engine.advance(seconds(10)).await;
    let waited = tasks(&engine).await.remove(0);
    engine.advance(seconds(10)).await;
    assert_eq!(engine.get(&waited.id).await.state, State::Cancelled);
    let mut worker = engine.worker(2).await;
    let ran = worker.claimed_one().await;
    assert_tick(&ran, seconds(20));
    pass(&engine, &worker, 10).await;
    let (mut told, mut next) = (Vec::new(), Vec::new());
    while told.is_empty() || next.is_empty() {
        match worker.next().await {
            Delivery::Cancel(tasks) => told.extend(tasks),
            Delivery::Claimed { tasks, .. } => next.extend(tasks),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(told, [ran.seq]);
    assert_tick(&next[0], seconds(30));
    assert_eq!(view(&engine).await.running, Some(next[0].id.clone()));
}
