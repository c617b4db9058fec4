//! Workflows: steps that wait for each other.

use std::time::Duration;

use bulkhead_core::{
    Child, Completion, DeadReason, DomainEvent, Due, EventType, FanOut, FanOutOver, Join, NewWorkflow, NextStep,
    PlanStep, PublishCondition, RunEnd, Span, Spawn, State, Suspension, UpstreamEnd, WorkflowPlan, WorkflowState,
};
use bulkhead_store::{
    Change, Claimed, Commit, Delivery, EventStore as _, Fate, UpstreamPart, WorkflowChange, WorkflowFate,
    WorkflowFilter, WorkflowRefusal, WorkflowSelection, WorkflowStore as _,
};

use crate::harness::{Engine, Worker, completed, ended, failed, json, kind, seconds, succeeded, task};
use crate::workflow_harness::{Workflows as _, convergence, decided, decision, step, step_of, workflow};

fn died(task: &Claimed) -> Commit {
    ended(task, NextStep::Die(DeadReason::Permanent), failed())
}

/// The claimed task of this step, out of a batch.
fn take(tasks: &mut Vec<Claimed>, name: &str) -> Claimed {
    let place = tasks.iter().position(|task| step_of(task) == name).unwrap_or_else(|| panic!("{name}: {tasks:?}"));
    tasks.remove(place)
}

/// Commits the ends of runs, and gives what was claimed in the same cycle.
async fn go_on(worker: &mut Worker, commits: Vec<Commit>, permits: usize) -> Vec<Claimed> {
    worker.commit_all(commits, permits).await;
    worker.claimed().await
}

fn page() -> UpstreamPart {
    UpstreamPart::Page { offset: 0, count: 100, bytes: 1 << 20 }
}

pub(crate) async fn a_step_runs_once_those_before_it_have_ended_well<E: Engine>() {
    let engine = E::start().await;
    let begun =
        engine.begin(workflow(vec![step("a", &[]), step("b", &[0]), step("c", &[0]), step("d", &[1, 2])])).await;
    assert!(!begun.duplicate);
    engine
        .assert_steps(
            &begun.id,
            WorkflowState::Pending,
            &[("a", State::Ready), ("b", State::Waiting), ("c", State::Waiting), ("d", State::Waiting)],
        )
        .await;
    let mut worker = engine.worker(1).await;
    let a = worker.claimed_one().await;
    assert_eq!((step_of(&a).as_str(), a.payload.as_str()), ("a", "{\"n\":7}"));
    assert_eq!(engine.show(&begun.id).await.state, WorkflowState::Running);
    // What a step releases is claimed in the very cycle in which it ends.
    let mut both = go_on(&mut worker, vec![ended(&a, NextStep::Succeed, completed("{\"of\":\"a\"}"))], 2).await;
    let (b, c) = (take(&mut both, "b"), take(&mut both, "c"));
    assert_eq!(b.payload.as_str(), "{\"n\":7}");
    let of_b = engine.database().dependencies(&begun.id, 1, page()).await.unwrap();
    assert_eq!(of_b.len(), 1);
    assert_eq!((of_b[0].name.as_str(), &of_b[0].end), ("a", &UpstreamEnd::Succeeded(json("{\"of\":\"a\"}"))));
    worker.commit(succeeded(&b), 1).await;
    worker.assert_idle(&engine).await;
    let d = go_on(&mut worker, vec![succeeded(&c)], 0).await.remove(0);
    let of_d = engine.database().dependencies(&begun.id, 3, page()).await.unwrap();
    assert_eq!(of_d.iter().map(|task| task.name.as_str()).collect::<Vec<_>>(), ["b", "c"]);
    assert_eq!(engine.database().count_dependencies(&begun.id, 3).await.unwrap(), 2);
    // One further back is found by its name alone, as handlers of Tasker's ask; one that is not before it is not.
    let named = |name: &str| engine.database().dependencies(&begun.id, 3, UpstreamPart::Named(name.to_owned()));
    assert_eq!(named("a").await.unwrap()[0].end, UpstreamEnd::Succeeded(json("{\"of\":\"a\"}")));
    assert!(named("d").await.unwrap().is_empty() && named("nobody").await.unwrap().is_empty());
    worker.commit(succeeded(&d), 0).await;
    let shown = engine.show(&begun.id).await;
    assert_eq!((shown.state, shown.ended, shown.total), (WorkflowState::Succeeded, 4, 4));
    assert!(shown.settled_at.is_some());
    let task = engine.get(&d.id).await;
    assert_eq!(task.payload, Some(json("{\"n\":7}")));
    assert_eq!(task.workflow.map(|of| (of.id, of.step)), Some((begun.id, "d".to_owned())));
}

pub(crate) async fn what_a_decision_did_not_choose_is_skipped_with_what_needs_it<E: Engine>() {
    let engine = E::start().await;
    let begun = engine
        .begin(workflow(vec![
            decision("choose", &[]),
            step("left", &[0]),
            step("right", &[0]),
            step("after_right", &[2]),
            convergence("end", &[1, 3]),
        ]))
        .await;
    let mut worker = engine.worker(1).await;
    let choose = worker.claimed_one().await;
    let left = go_on(&mut worker, vec![decided(&choose, &[1])], 1).await.remove(0);
    assert_eq!(step_of(&left), "left");
    let end = go_on(&mut worker, vec![succeeded(&left)], 1).await.remove(0);
    worker.commit(succeeded(&end), 1).await;
    let skipped = State::Skipped;
    let well = State::Succeeded;
    engine
        .assert_steps(
            &begun.id,
            WorkflowState::Succeeded,
            &[("choose", well), ("left", well), ("right", skipped), ("after_right", skipped), ("end", well)],
        )
        .await;
}

pub(crate) async fn a_decision_for_nothing_skips_all_that_is_behind_it<E: Engine>() {
    let engine = E::start().await;
    let begun =
        engine.begin(workflow(vec![decision("choose", &[]), step("left", &[0]), convergence("end", &[1])])).await;
    let mut worker = engine.worker(1).await;
    let choose = worker.claimed_one().await;
    worker.commit(decided(&choose, &[]), 1).await;
    engine
        .assert_steps(
            &begun.id,
            WorkflowState::Succeeded,
            &[("choose", State::Succeeded), ("left", State::Skipped), ("end", State::Skipped)],
        )
        .await;
}

pub(crate) async fn behind_a_dead_step_all_is_blocked_until_it_is_requeued<E: Engine>() {
    let engine = E::start().await;
    let begun =
        engine.begin(workflow(vec![step("a", &[]), step("b", &[0]), step("c", &[1]), step("other", &[])])).await;
    let mut worker = engine.worker(2).await;
    let mut first = worker.claimed().await;
    let (a, other) = (take(&mut first, "a"), take(&mut first, "other"));
    worker.commit(died(&a), 0).await;
    let (dead, blocked) = (State::Dead, State::Blocked);
    // Independent branches go on.
    assert_eq!(engine.show(&begun.id).await.state, WorkflowState::Running);
    worker.commit(succeeded(&other), 0).await;
    engine
        .assert_steps(
            &begun.id,
            WorkflowState::Blocked,
            &[("a", dead), ("b", blocked), ("c", blocked), ("other", State::Succeeded)],
        )
        .await;
    let fates = engine.store().change(vec![a.id.clone()], Change::Requeue).await.unwrap();
    assert_eq!(fates, [Fate::Done]);
    engine
        .assert_steps(
            &begun.id,
            WorkflowState::Running,
            &[("a", State::Ready), ("b", State::Waiting), ("c", State::Waiting), ("other", State::Succeeded)],
        )
        .await;
    worker.line.sender.send(Vec::new(), 1);
    let a = worker.claimed_one().await;
    let b = go_on(&mut worker, vec![succeeded(&a)], 1).await.remove(0);
    let c = go_on(&mut worker, vec![succeeded(&b)], 1).await.remove(0);
    worker.commit(succeeded(&c), 1).await;
    assert_eq!(engine.show(&begun.id).await.state, WorkflowState::Succeeded);
}

pub(crate) async fn a_dead_or_blocked_step_is_resolved_and_the_rest_goes_on<E: Engine>() {
    let engine = E::start().await;
    let begun = engine.begin(workflow(vec![step("a", &[]), step("b", &[0]), step("c", &[1])])).await;
    let mut worker = engine.worker(1).await;
    let a = worker.claimed_one().await;
    worker.commit(died(&a), 0).await;
    let steps = engine.show(&begun.id).await.steps.unwrap();
    let resolve = |step: usize, result: &str| {
        engine.store().change(vec![steps[step].task.clone()], Change::Resolve(json(result).into()))
    };
    assert_eq!(resolve(1, "\"by hand\"").await.unwrap(), [Fate::Done]);
    worker.line.sender.send(Vec::new(), 1);
    let c = worker.claimed_one().await;
    let upstream = engine.database().dependencies(&begun.id, 2, page()).await.unwrap();
    assert_eq!(upstream[0].end, UpstreamEnd::Resolved(json("\"by hand\"")));
    worker.commit(succeeded(&c), 0).await;
    assert_eq!(engine.show(&begun.id).await.state, WorkflowState::Failed);
    assert_eq!(resolve(0, "1").await.unwrap(), [Fate::Done]);
    engine
        .assert_steps(
            &begun.id,
            WorkflowState::Succeeded,
            &[("a", State::Resolved), ("b", State::Resolved), ("c", State::Succeeded)],
        )
        .await;
}

pub(crate) async fn what_waits_for_a_cancelled_step_is_cancelled<E: Engine>() {
    let engine = E::start().await;
    let begun = engine.begin(workflow(vec![step("a", &[]), step("b", &[0]), step("c", &[1])])).await;
    let steps = engine.show(&begun.id).await.steps.unwrap();
    engine.store().change(vec![steps[1].task.clone()], Change::Cancel).await.unwrap();
    let mut worker = engine.worker(1).await;
    let a = worker.claimed_one().await;
    worker.commit(succeeded(&a), 0).await;
    engine
        .assert_steps(
            &begun.id,
            WorkflowState::Cancelled,
            &[("a", State::Succeeded), ("b", State::Cancelled), ("c", State::Cancelled)],
        )
        .await;
}

pub(crate) async fn a_step_may_end_the_workflow_early<E: Engine>() {
    let engine = E::start().await;
    let begun =
        engine.begin(workflow(vec![step("a", &[]), step("b", &[0]), step("c", &[1]), step("other", &[])])).await;
    let mut worker = engine.worker(1).await;
    let a = worker.claimed_one().await;
    let end =
        RunEnd::Completed(Completion { result: json("1"), metadata: json("{\"terminate\":true}"), then: Vec::new() });
    worker.commit(ended(&a, NextStep::Succeed, end), 0).await;
    let skipped = State::Skipped;
    engine
        .assert_steps(
            &begun.id,
            WorkflowState::Succeeded,
            &[("a", State::Succeeded), ("b", skipped), ("c", skipped), ("other", State::Cancelled)],
        )
        .await;
}

pub(crate) async fn a_whole_workflow_is_cancelled<E: Engine>() {
    let engine = E::start().await;
    let begun = engine.begin(workflow(vec![step("a", &[]), step("b", &[0]), step("c", &[])])).await;
    let mut worker = engine.worker(1).await;
    let a = worker.claimed_one().await;
    let cancel = || engine.database().change_workflow(&begun.id, WorkflowChange::Cancel);
    assert_eq!(cancel().await.unwrap(), WorkflowFate::Done);
    let cancelled = State::Cancelled;
    engine
        .assert_steps(&begun.id, WorkflowState::Running, &[("a", State::Running), ("b", cancelled), ("c", cancelled)])
        .await;
    assert!(matches!(worker.next().await, bulkhead_store::Delivery::Cancel(_)));
    worker.commit(ended(&a, NextStep::Cancel, RunEnd::Cancelled), 0).await;
    assert_eq!(engine.show(&begun.id).await.state, WorkflowState::Cancelled);
    assert_eq!(cancel().await.unwrap(), WorkflowFate::Refused(WorkflowState::Cancelled));
}

pub(crate) async fn a_workflow_that_takes_too_long_fails<E: Engine>() {
    let engine = E::start().await;
    let mut made = workflow(vec![step("a", &[]), step("b", &[0])]);
    let plan = WorkflowPlan { max_duration: Some(Span::from_secs(60)), ..(*made.plan).clone() };
    made.plan = plan.into();
    let begun = engine.begin(made).await;
    engine.advance(seconds(59)).await;
    assert_eq!(engine.show(&begun.id).await.state, WorkflowState::Pending);
    engine.advance(seconds(2)).await;
    engine.assert_steps(&begun.id, WorkflowState::Failed, &[("a", State::Cancelled), ("b", State::Cancelled)]).await;
    assert!(engine.show(&begun.id).await.overdue);
}

pub(crate) async fn a_step_that_waits_too_long_is_dead_as_stale<E: Engine>() {
    let engine = E::start().await;
    let late = PlanStep { stale_after: Some(Span::from_secs(10)), ..step("b", &[0]) };
    let begun = engine.begin(workflow(vec![step("a", &[]), late, step("c", &[1])])).await;
    engine.advance(seconds(11)).await;
    engine
        .assert_steps(
            &begun.id,
            WorkflowState::Running,
            &[("a", State::Ready), ("b", State::Dead), ("c", State::Blocked)],
        )
        .await;
}

pub(crate) async fn a_step_that_is_blocked_waits_for_help_however_long_that_takes<E: Engine>() {
    let engine = E::start().await;
    let late = |depends_on: &[u32]| PlanStep { stale_after: Some(Span::from_secs(60)), ..step("b", depends_on) };
    let begun = engine.begin(workflow(vec![step("a", &[]), late(&[0])])).await;
    let mut worker = engine.worker(1).await;
    let claimed = worker.claimed_one().await;
    engine.advance(seconds(5)).await;
    worker.commit(ended(&claimed, NextStep::Die(DeadReason::Permanent), failed()), 1).await;
    drop(worker);
    engine.advance(seconds(3_600)).await;
    engine.assert_steps(&begun.id, WorkflowState::Blocked, &[("a", State::Dead), ("b", State::Blocked)]).await;
    engine.store().change(vec![claimed.id.clone()], Change::Requeue).await.unwrap();
    // Its time begins anew.
    engine.advance(seconds(59)).await;
    engine.assert_steps(&begun.id, WorkflowState::Running, &[("a", State::Ready), ("b", State::Waiting)]).await;
    engine.advance(seconds(2)).await;
    engine.assert_steps(&begun.id, WorkflowState::Running, &[("a", State::Ready), ("b", State::Dead)]).await;
}

pub(crate) async fn a_stale_step_that_is_requeued_waits_for_the_steps_before_it_again<E: Engine>() {
    let engine = E::start().await;
    let late = |name: &str, before: u32| PlanStep { stale_after: Some(Span::from_secs(60)), ..step(name, &[before]) };
    let begun = engine.begin(workflow(vec![step("a", &[]), late("b", 0), late("c", 1)])).await;
    engine.advance(seconds(61)).await;
    let stands = async |state, a, b, c| engine.assert_steps(&begun.id, state, &[("a", a), ("b", b), ("c", c)]).await;
    stands(WorkflowState::Running, State::Ready, State::Dead, State::Dead).await;
    let view = engine.show(&begun.id).await;
    let change = async |place: usize, change| {
        engine.store().change(vec![view.steps.as_ref().unwrap()[place].task.clone()], change).await.unwrap()[0]
    };
    // What is behind a dead one is blocked until that is helped, too.
    assert_eq!(change(2, Change::Requeue).await, Fate::Done);
    stands(WorkflowState::Running, State::Ready, State::Dead, State::Blocked).await;
    assert_eq!(change(1, Change::Requeue).await, Fate::Done);
    stands(WorkflowState::Running, State::Ready, State::Waiting, State::Waiting).await;
    engine.advance(seconds(3_600)).await;
    let mut worker = engine.worker(1).await;
    for name in ["a", "b", "c"] {
        let claimed = worker.claimed_one().await;
        assert_eq!(step_of(&claimed), name);
        assert_eq!(claimed.history.as_ref().map_or(1, |history| history.epoch), if name == "a" { 1 } else { 2 });
        worker.commit(succeeded(&claimed), 1).await;
    }
    stands(WorkflowState::Succeeded, State::Succeeded, State::Succeeded, State::Succeeded).await;
}

pub(crate) async fn to_cancel_a_workflow_ends_what_its_dead_steps_have_left_at_work<E: Engine>() {
    let engine = E::start().await;
    let join = Join::Critical(vec!["train_001".to_owned()]);
    let fan_out = FanOut { over: FanOutOver::Items(vec![json("1"), json("2")]), join: join.clone(), needs_all: false };
    let begun = engine.begin(workflow(vec![PlanStep { fan_out: Some(fan_out), ..step("train", &[]) }])).await;
    let mut worker = engine.worker(1).await;
    let train = worker.claimed_one().await;
    let child = |name: &str| Child { name: Some(name.to_owned()), task: task("C", "1") };
    let spawn = Spawn { children: vec![child("train_001"), child("train_002")], join, state: None };
    worker.commit(ended(&train, NextStep::Suspend, RunEnd::Spawned(spawn)), 1).await;
    let first = worker.claimed_one().await;
    worker.commit(died(&first), 1).await;
    // The one that counts is dead, and so is the step; the other goes on.
    let train = worker.claimed_one().await;
    assert_eq!(train.route.kind, kind("STEP"));
    worker.commit(died(&train), 1).await;
    let other = worker.claimed_one().await;
    assert_eq!(engine.show(&begun.id).await.state, WorkflowState::Failed);
    let cancel = async || engine.database().change_workflow(&begun.id, WorkflowChange::Cancel).await.unwrap();
    assert_eq!(cancel().await, WorkflowFate::Done);
    let Delivery::Cancel(told) = worker.next().await else { panic!("not told") };
    assert_eq!(told, [other.seq]);
    worker.commit(ended(&other, NextStep::Cancel, RunEnd::Cancelled), 0).await;
    assert_eq!(cancel().await, WorkflowFate::Refused(WorkflowState::Failed));
}

pub(crate) async fn the_time_to_wait_for_other_steps_bounds_no_other_wait<E: Engine>() {
    let engine = E::start().await;
    let asks = PlanStep { stale_after: Some(Span::from_secs(60)), ..step("a", &[]) };
    let after = PlanStep { stale_after: Some(Span::from_secs(60)), ..step("b", &[0]) };
    let later = NewWorkflow { due: Due::After(seconds(3_600)), ..workflow(vec![asks, after]) };
    let begun = engine.begin(later).await;
    engine.advance(seconds(3_600)).await;
    let mut worker = engine.worker(1).await;
    let claimed = worker.claimed_one().await;
    let question = Suspension { reason: "may it?".to_owned(), metadata: json("{}"), state: None, timeout: None };
    worker.commit(ended(&claimed, NextStep::Suspend, RunEnd::Suspended(question)), 0).await;
    drop(worker);
    engine.advance(seconds(3_600)).await;
    assert_eq!(engine.get(&claimed.id).await.state, State::Suspended);
    engine.assert_steps(&begun.id, WorkflowState::Waiting, &[("a", State::Suspended), ("b", State::Dead)]).await;
}

pub(crate) async fn the_same_key_and_body_give_the_first_workflow<E: Engine>() {
    let engine = E::start().await;
    let keyed = |input: &str| {
        let mut made = workflow(vec![step("a", &[])]);
        made.extras.key = Some("once".to_owned());
        NewWorkflow { input: json(input), ..made }
    };
    let first = engine.begin(keyed("1")).await;
    let again = engine.begin(keyed("1")).await;
    assert_eq!((&again.id, again.duplicate), (&first.id, true));
    let refused = engine.database().begin(keyed("2")).await.unwrap().unwrap_err();
    assert!(matches!(refused, WorkflowRefusal::Taken { what: "key", holder, .. } if holder == first.id));
    let selection = WorkflowSelection { filter: WorkflowFilter::default(), limit: 10, after: None };
    assert_eq!(engine.database().workflows(selection).await.unwrap().items.len(), 1);
}

pub(crate) async fn a_workflow_that_finds_no_room_is_refused_whole<E: Engine>() {
    let engine = E::start_with_room_for(3).await;
    let steps = || (0..4).map(|number| step(&format!("s{number}"), &[])).collect();
    let refused = engine.database().begin(workflow(steps())).await.unwrap().unwrap_err();
    assert_eq!(refused, WorkflowRefusal::QueueFull { waiting: 0, most: 3 });
    let selection = WorkflowSelection { filter: WorkflowFilter::default(), limit: 10, after: None };
    assert!(engine.database().workflows(selection).await.unwrap().items.is_empty());
    engine.begin(workflow(vec![step("a", &[])])).await;
}

pub(crate) async fn a_template_tells_of_its_own_events_once_a_step_has_ended<E: Engine>() {
    let engine = E::start().await;
    engine.database().keep_stream(Duration::from_secs(600)).await.unwrap();
    let event = |name: &str, condition| DomainEvent { name: name.to_owned(), condition };
    let publishes = vec![
        event("order.paid", PublishCondition::Success),
        event("order.refused", PublishCondition::Failure),
        event("order.seen", PublishCondition::Always),
    ];
    let begun = engine.begin(workflow(vec![PlanStep { publishes, ..step("pay", &[]) }])).await;
    let mut worker = engine.worker(1).await;
    let pay = worker.claimed_one().await;
    worker.commit(succeeded(&pay), 0).await;
    engine.settle().await;
    let kept = engine.database().events(0, 100).await.unwrap().items;
    let told: Vec<(EventType, String)> = kept
        .into_iter()
        .map(|kept| {
            (
                kept.event.event_type,
                kept.event.data.facts.details.map(|details| details.to_string()).unwrap_or_default(),
            )
        })
        .collect();
    assert_eq!(told.len(), 4, "{told:?}");
    assert_eq!(told[0].0, EventType::Succeeded);
    assert!(told[1].0 == EventType::WorkflowEvent && told[1].1.contains("\"order.paid\""), "{told:?}");
    assert!(told[2].1.contains("\"order.seen\"") && told[2].1.contains(begun.id.as_str()), "{told:?}");
    assert_eq!(told[3].0, EventType::WorkflowSucceeded);
}

pub(crate) async fn steps_stay_as_long_as_their_workflow_does<E: Engine>() {
    let engine = E::start().await;
    let begun = engine.begin(workflow(vec![step("a", &[]), step("b", &[0])])).await;
    let mut worker = engine.worker(1).await;
    let a = worker.claimed_one().await;
    worker.commit(succeeded(&a), 0).await;
    drop(worker);
    engine.walk(seconds(25 * 3600)).await;
    assert_eq!(engine.show(&begun.id).await.steps.unwrap().len(), 2);
    let mut worker = engine.worker(1).await;
    let b = worker.claimed_one().await;
    worker.commit(succeeded(&b), 0).await;
    drop(worker);
    engine.walk(seconds(25 * 3600)).await;
    engine.walk(seconds(3600)).await;
    assert!(engine.database().workflow(&begun.id).await.unwrap().is_none());
    assert!(engine.store().get(&b.id).await.unwrap().is_none() || E::keeps_partitions());
}

pub(crate) async fn ten_thousand_steps_fan_out_and_come_together<E: Engine>() {
    let engine = E::start().await;
    let width: u32 = 9_998;
    let mut steps = vec![step("first", &[])];
    steps.extend((0..width).map(|number| step(&format!("s{number}"), &[0])));
    steps.push(step("last", &(1..=width).collect::<Vec<_>>()));
    let begun = engine.begin(workflow(steps)).await;
    let mut worker = engine.worker(1).await;
    let first = worker.claimed_one().await;
    worker.commit(succeeded(&first), 20_000).await;
    let mut done = 1;
    while done <= width {
        let batch = worker.claimed().await;
        done += u32::try_from(batch.len()).unwrap();
        worker.line.sender.send(batch.iter().map(succeeded).collect(), 0);
        loop {
            match worker.next().await {
                bulkhead_store::Delivery::Committed(_) => break,
                bulkhead_store::Delivery::Claimed { tasks, .. } => {
                    done += u32::try_from(tasks.len()).unwrap();
                    worker.line.sender.send(tasks.iter().map(succeeded).collect(), 0);
                }
                other => panic!("{other:?}"),
            }
        }
    }
    let id = begun.id.clone();
    let waits = engine.database().wait_workflow(&id, seconds(60));
    let last = async {
        loop {
            match worker.next().await {
                bulkhead_store::Delivery::Committed(_) => {}
                bulkhead_store::Delivery::Claimed { tasks, .. } => {
                    assert_eq!(step_of(&tasks[0]), "last");
                    worker.line.sender.send(tasks.iter().map(succeeded).collect(), 0);
                    break;
                }
                other => panic!("{other:?}"),
            }
        }
    };
    let (shown, ()) = tokio::join!(waits, last);
    assert_eq!(shown.unwrap().unwrap().state, WorkflowState::Succeeded);
}
