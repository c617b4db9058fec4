//! What workflows look like from outside.

use bulkhead_core::{JsonText, NextStep, RunEnd, State, Suspension, TaskId, WorkflowState};
use bulkhead_store::{Change, StoreError, WorkflowChange, WorkflowFilter, WorkflowSelection, WorkflowStore as _};

use crate::harness::{Engine, ended, json, retried, seconds, succeeded};
use crate::workflow_harness::{Workflows as _, step, workflow};

pub(crate) async fn the_attempts_that_ran_longest_are_told_first<E: Engine>() {
    let engine = E::start().await;
    let begun = engine.begin(workflow(vec![step("quick", &[]), step("slow", &[0])])).await;
    let other = engine.begin(workflow(vec![step("other", &[])])).await;
    let mut worker = engine.worker(2).await;
    let mut claimed = worker.claimed().await;
    claimed.sort_by_key(|task| task.seq);
    let mut first = retried(&claimed[0], seconds(1));
    first.run.elapsed_micros = 9_000_000;
    worker.commit_all(vec![first, succeeded(&claimed[1])], 1).await;
    engine.advance(seconds(1)).await;
    let again = worker.claimed_one().await;
    worker.commit(succeeded(&again), 1).await;
    let slow = worker.claimed_one().await;
    let mut longest = succeeded(&slow);
    longest.run.elapsed_micros = 10_000_000;
    worker.commit(longest, 0).await;
    let told = engine.show(&begun.id).await.slowest_attempts.unwrap();
    let told: Vec<_> =
        told.iter().map(|slow| (slow.step.as_str(), slow.attempt, slow.ran_ms, slow.end.as_str())).collect();
    assert_eq!(told[..2], [("slow", 1, 10_000, "succeeded"), ("quick", 1, 9_000, "failed")]);
    assert_eq!(told.len(), 3);
    assert_eq!(engine.show(&other.id).await.slowest_attempts.unwrap().len(), 1);
}

pub(crate) async fn a_workflow_whose_first_step_has_waited_is_not_pending_again<E: Engine>() {
    let engine = E::start().await;
    let begun = engine.begin(workflow(vec![step("ask", &[]), step("after", &[0])])).await;
    let mut worker = engine.worker(1).await;
    let ask = worker.claimed_one().await;
    let suspension =
        Suspension { reason: "why".to_owned(), metadata: JsonText::empty_object(), state: None, timeout: None };
    worker.commit(ended(&ask, NextStep::Suspend, RunEnd::Suspended(suspension)), 0).await;
    assert_eq!(engine.show(&begun.id).await.state, WorkflowState::Waiting);
    engine.database().change_workflow(&begun.id, WorkflowChange::Pause).await.unwrap();
    engine.store().change(vec![ask.id.clone()], Change::Resume(Some(json("1")))).await.unwrap();
    engine.assert_steps(&begun.id, WorkflowState::Waiting, &[("ask", State::Paused), ("after", State::Waiting)]).await;
    engine.database().change_workflow(&begun.id, WorkflowChange::Resume).await.unwrap();
    assert_eq!(engine.show(&begun.id).await.state, WorkflowState::Running);
}

pub(crate) async fn pages_of_workflows_come_to_an_end_though_some_are_removed<E: Engine>() {
    let engine = E::start().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(engine.begin(workflow(vec![step("a", &[])])).await.id);
    }
    ids.reverse();
    let page = |after: Option<TaskId>| {
        let selection = WorkflowSelection { filter: WorkflowFilter::default(), limit: 2, after };
        engine.database().workflows(selection)
    };
    let (mut seen, mut next) = (Vec::new(), None);
    loop {
        let found = page(next).await.unwrap();
        seen.extend(found.items.into_iter().map(|workflow| workflow.id));
        next = found.next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(seen, ids);
    // From the start again, whoever reads page by page would read for ever.
    let gone = page(Some(TaskId::parse("gone").unwrap())).await;
    assert!(matches!(gone, Err(StoreError::Cursor(_))), "{gone:?}");
}
