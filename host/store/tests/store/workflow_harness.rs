//! Workflows in few words.

use std::collections::BTreeMap;
use std::sync::Arc;

use bulkhead_core::{
    Decision, Digest, Due, Extras, JsonText, NewWorkflow, NextStep, PlanStep, Priority, RunEnd, State, StepName,
    StepRole, TaskId, WorkflowPlan, WorkflowState,
};
use bulkhead_store::{Begun, Claimed, Commit, WorkflowStore as _, WorkflowView};

use crate::harness::{Engine, ended, json, kind};

/// A step of this name that waits for those at these places.
pub(crate) fn step(name: &str, depends_on: &[u32]) -> PlanStep {
    PlanStep {
        name: StepName::parse(name).unwrap(),
        role: StepRole::Standard,
        kind: kind("STEP"),
        requires: bulkhead_core::TagSet::default(),
        method: None,
        settings: None,
        payload: None,
        depends_on: depends_on.to_vec(),
        priority: None,
        options: bulkhead_core::Overrides::default(),
        stale_after: None,
        when: None,
        fan_out: None,
        publishes: Vec::new(),
    }
}

pub(crate) fn decision(name: &str, depends_on: &[u32]) -> PlanStep {
    PlanStep { role: StepRole::Decision, ..step(name, depends_on) }
}

pub(crate) fn convergence(name: &str, depends_on: &[u32]) -> PlanStep {
    PlanStep { role: StepRole::Convergence, ..step(name, depends_on) }
}

pub(crate) fn workflow(steps: Vec<PlanStep>) -> NewWorkflow {
    let plan = WorkflowPlan {
        namespace: "tests".to_owned(),
        name: "made".to_owned(),
        version: "1.0.0".to_owned(),
        max_duration: None,
        steps,
    };
    let digest = blake3::hash(serde_json::to_string(&plan).unwrap().as_bytes());
    NewWorkflow {
        id: None,
        plan: Arc::new(plan),
        digest: Digest::from_bytes(*digest.as_bytes()),
        input: json("{\"n\":7}"),
        priority: Priority::default(),
        due: Due::Now,
        extras: Extras::default(),
    }
}

/// The step that a claimed task is.
pub(crate) fn step_of(task: &Claimed) -> String {
    task.extras.as_ref().unwrap().step.as_ref().unwrap().name.clone()
}

/// The end of a decision that chose the steps at these places.
pub(crate) fn decided(task: &Claimed, chosen: &[u32]) -> Commit {
    let end = RunEnd::Decided(Decision {
        steps: Vec::new(),
        chosen: chosen.to_vec(),
        result: json("\"decided\""),
        metadata: JsonText::empty_object(),
    });
    ended(task, NextStep::Succeed, end)
}

/// What workflows are asked for in tests.
#[allow(async_fn_in_trait, reason = "used by these tests alone")]
pub(crate) trait Workflows: Engine {
    async fn begin(&self, workflow: NewWorkflow) -> Begun {
        self.database().begin(workflow).await.unwrap().unwrap()
    }

    async fn show(&self, id: &TaskId) -> WorkflowView {
        self.database().workflow(id).await.unwrap().unwrap()
    }

    /// The state of each step by its name.
    async fn step_states(&self, id: &TaskId) -> BTreeMap<String, State> {
        let steps = self.show(id).await.steps.unwrap();
        steps.into_iter().map(|step| (step.name.to_string(), step.state)).collect()
    }

    async fn assert_steps(&self, id: &TaskId, workflow: WorkflowState, wanted: &[(&str, State)]) {
        let steps = self.step_states(id).await;
        let wanted: BTreeMap<String, State> = wanted.iter().map(|(name, state)| ((*name).to_owned(), *state)).collect();
        assert_eq!(steps, wanted);
        assert_eq!(self.show(id).await.state, workflow);
    }
}

impl<E: Engine> Workflows for E {}
