//! Whole workflows that an operator holds back.

use bulkhead_core::{Child, Join, NextStep, RunEnd, Spawn, State, TaskId, WorkflowState};
use bulkhead_store::{Claimed, TaskFilter, WorkflowChange, WorkflowFate, WorkflowStore as _};

use crate::harness::{Engine, ended, select, succeeded, task};
use crate::workflow_harness::{Workflows as _, step, workflow};

pub(crate) async fn a_paused_workflow_goes_on_where_it_was<E: Engine>() {
    let engine = E::start().await;
    let begun = engine.begin(workflow(vec![step("a", &[]), step("b", &[0]), step("c", &[])])).await;
    let mut worker = engine.worker(1).await;
    let a = worker.claimed_one().await;
    let change = |change| engine.database().change_workflow(&begun.id, change);
    assert_eq!(change(WorkflowChange::Pause).await.unwrap(), WorkflowFate::Done);
    worker.commit(succeeded(&a), 2).await;
    worker.assert_idle(&engine).await;
    engine
        .assert_steps(
            &begun.id,
            WorkflowState::Waiting,
            &[("a", State::Succeeded), ("b", State::Paused), ("c", State::Paused)],
        )
        .await;
    assert_eq!(change(WorkflowChange::Resume).await.unwrap(), WorkflowFate::Done);
    let both = worker.claimed().await;
    assert_eq!(both.len(), 2);
    worker.commit_all(both.iter().map(succeeded).collect(), 0).await;
    assert_eq!(engine.show(&begun.id).await.state, WorkflowState::Succeeded);
}

pub(crate) async fn what_a_paused_workflow_spawns_waits_with_it<E: Engine>() {
    let engine = E::start().await;
    let begun = engine.begin(workflow(vec![step("a", &[])])).await;
    let mut worker = engine.worker(3).await;
    let change = |change| engine.database().change_workflow(&begun.id, change);
    let spawned = |claimed: &Claimed, kinds: &[&str]| {
        let child = |kind: &&str| Child { name: None, task: task(kind, "1") };
        let spawn = Spawn { children: kinds.iter().map(child).collect(), join: Join::default(), state: None };
        ended(claimed, NextStep::Suspend, RunEnd::Spawned(spawn))
    };
    let a = worker.claimed_one().await;
    // One of two children is paused as it runs, and has a child of its own then.
    worker.commit(spawned(&a, &["B", "C"]), 2).await;
    let both = worker.claimed().await;
    assert_eq!(change(WorkflowChange::Pause).await.unwrap(), WorkflowFate::Done);
    worker.commit_all(vec![spawned(&both[0], &["D"]), succeeded(&both[1])], 3).await;
    worker.assert_idle(&engine).await;
    let children = |parent: &TaskId| TaskFilter { parent: Some(parent.clone()), ..TaskFilter::default() };
    let below = engine.store().list(select(children(&both[0].id))).await.unwrap().items;
    assert_eq!(below.iter().map(|task| task.state).collect::<Vec<_>>(), [State::Paused]);
    assert_eq!(change(WorkflowChange::Resume).await.unwrap(), WorkflowFate::Done);
    let d = worker.claimed_one().await;
    assert_eq!(d.id, below[0].id);
    worker.commit(succeeded(&d), 1).await;
    for _ in 0..2 {
        let above = worker.claimed_one().await;
        worker.commit(succeeded(&above), 1).await;
    }
    assert_eq!(engine.show(&begun.id).await.state, WorkflowState::Succeeded);
}
