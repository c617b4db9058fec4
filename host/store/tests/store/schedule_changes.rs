//! Schedules that are put, replaced, paused and removed, and those that come to grief.

use bulkhead_core::{ScheduleSubmission, State};
use bulkhead_store::{LastTick, ScheduleChange, ScheduleFate, TickFate};

use crate::harness::{Engine, after_start, seconds};
use crate::schedules::{ask, assert_tick, finish, name, pass, put, started, submission, view};

pub(crate) async fn a_paused_schedule_makes_no_tasks<E: Engine>() {
    let engine: E = started(r#""every":"10s","missed":"all","overlap":"queue","paused":true"#).await;
    let mut worker = engine.worker(1).await;
    pass(&engine, &worker, 100).await;
    worker.assert_idle(&engine).await;
    assert_eq!((view(&engine).await.paused, view(&engine).await.next_tick), (true, None));
    assert_eq!(ask(&engine, ScheduleChange::Resume(name("s"))).await, ScheduleFate::Done);
    worker.assert_idle(&engine).await;
    assert_eq!(view(&engine).await.next_tick, Some(after_start(seconds(110))));
    pass(&engine, &worker, 10).await;
    let claimed = worker.claimed_one().await;
    pass(&engine, &worker, 10).await;
    // What waits when it is paused waits until it is resumed, over a crash, too.
    assert_eq!(ask(&engine, ScheduleChange::Pause(name("s"))).await, ScheduleFate::Done);
    assert_eq!(ask(&engine, ScheduleChange::Pause(name("s"))).await, ScheduleFate::Done);
    finish(&mut worker, &claimed).await;
    worker.assert_idle(&engine).await;
    let engine = engine.crash().await;
    engine.advance(seconds(45)).await;
    let mut worker = engine.worker(1).await;
    worker.assert_idle(&engine).await;
    assert_eq!(ask(&engine, ScheduleChange::Resume(name("s"))).await, ScheduleFate::Done);
    let claimed = worker.claimed_one().await;
    assert_tick(&claimed, seconds(120));
    finish(&mut worker, &claimed).await;
    worker.assert_idle(&engine).await;
    // Resuming what is not paused takes no tick away.
    pass(&engine, &worker, 4).await;
    assert_eq!(ask(&engine, ScheduleChange::Resume(name("s"))).await, ScheduleFate::Done);
    pass(&engine, &worker, 1).await;
    assert_tick(&worker.claimed_one().await, seconds(170));
    assert_eq!(ask(&engine, ScheduleChange::Pause(name("t"))).await, ScheduleFate::Unknown);
}

pub(crate) async fn a_removed_schedule_is_forgotten_and_its_task_goes_on<E: Engine>() {
    let engine: E = started(r#""every":"10s","overlap":"queue""#).await;
    let mut worker = engine.worker(1).await;
    pass(&engine, &worker, 10).await;
    let claimed = worker.claimed_one().await;
    pass(&engine, &worker, 10).await;
    assert_eq!(ask(&engine, ScheduleChange::Remove(name("s"))).await, ScheduleFate::Done);
    assert_eq!(ask(&engine, ScheduleChange::Remove(name("s"))).await, ScheduleFate::Unknown);
    assert_eq!(engine.store().schedule(&name("s")).await.unwrap(), None);
    assert_eq!(engine.store().schedules().await.unwrap(), []);
    finish(&mut worker, &claimed).await;
    assert_eq!(engine.get(&claimed.id).await.state, State::Succeeded);
    pass(&engine, &worker, 60).await;
    worker.assert_idle(&engine).await;
}

pub(crate) async fn a_schedule_is_put_once_and_replaced_when_asked<E: Engine>() {
    let engine: E = started(r#""every":"10s""#).await;
    assert_eq!(ask(&engine, ScheduleChange::Pause(name("s"))).await, ScheduleFate::Done);
    assert_eq!(put(&engine, submission(r#""every":"10s""#), false).await, ScheduleFate::Same);
    let other = || submission(r#""cron":"0 9 * * *","time_zone":"Europe/Berlin","missed":"one""#);
    assert_eq!(put(&engine, other(), false).await, ScheduleFate::Taken);
    assert_eq!(view(&engine).await.cron, None);
    assert_eq!(put(&engine, other(), true).await, ScheduleFate::Replaced);
    assert_eq!(put(&engine, other(), true).await, ScheduleFate::Same);
    let engine = engine.crash().await;
    let seen = view(&engine).await;
    assert_eq!((seen.cron.as_deref(), seen.time_zone.as_deref()), (Some("0 9 * * *"), Some("Europe/Berlin")));
    assert_eq!((seen.every, seen.paused, seen.task), (None, true, Some(other().task)));
    let mut never = submission(r#""cron":"0 0 30 2 *""#);
    never.name = name("t");
    assert!(matches!(put(&engine, never, false).await, ScheduleFate::Unacceptable(_)));
    let listed = engine.store().schedules().await.unwrap();
    assert_eq!((listed.len(), &listed[0].name, &listed[0].task), (1, &name("s"), &None));
}

pub(crate) async fn a_replaced_schedule_goes_on_where_its_ticks_are_the_same<E: Engine>() {
    let engine: E = started(r#""every":"10s""#).await;
    engine.advance(seconds(7)).await;
    put(&engine, submission(r#""every":"10s","overlap":"queue""#), true).await;
    assert_eq!(view(&engine).await.next_tick, Some(after_start(seconds(10))));
    put(&engine, submission(r#""every":"20s","overlap":"queue""#), true).await;
    let seen = view(&engine).await;
    assert_eq!((seen.made_at, seen.next_tick), (after_start(seconds(7)), Some(after_start(seconds(27)))));
    // The task of an earlier tick is one still.
    engine.advance(seconds(20)).await;
    let mut worker = engine.worker(2).await;
    let claimed = worker.claimed_one().await;
    put(&engine, submission(r#""every":"5s","overlap":"queue""#), true).await;
    pass(&engine, &worker, 5).await;
    worker.assert_idle(&engine).await;
    finish(&mut worker, &claimed).await;
    assert_tick(&worker.claimed_one().await, seconds(32));
}

pub(crate) async fn a_schedule_whose_task_is_refused_goes_on_and_stops_nobody<E: Engine>() {
    let engine: E = started(r#""every":"10s""#).await;
    engine.refuse_payload("13");
    let mut bad: ScheduleSubmission =
        serde_json::from_str(r#"{"name":"bad","every":"5s","task":{"kind":"B","payload":13}}"#).unwrap();
    assert_eq!(put(&engine, bad.clone(), false).await, ScheduleFate::Added);
    let mut worker = engine.worker(4).await;
    pass(&engine, &worker, 5).await;
    let seen = engine.store().schedule(&name("bad")).await.unwrap().unwrap();
    assert_eq!(seen.last, Some(LastTick { tick: after_start(seconds(5)), fate: TickFate::Refused }));
    assert_eq!(seen.next_tick, Some(after_start(seconds(10))));
    pass(&engine, &worker, 5).await;
    assert_tick(&worker.claimed_one().await, seconds(10));
    // Written otherwise it goes on.
    bad.task.payload = crate::harness::json("14");
    assert_eq!(put(&engine, bad, true).await, ScheduleFate::Replaced);
    pass(&engine, &worker, 5).await;
    assert_eq!(worker.claimed_one().await.route.kind.as_str(), "B");
}
