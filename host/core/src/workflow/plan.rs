//! What a workflow does, step by step: a template that was read and checked.

use serde::{Deserialize, Serialize};

use super::{DomainEvent, FanOut, StepName};
use crate::{JsonText, Kind, Overrides, Priority, Span, TagSet};

/// The most steps of one workflow.
pub const MAX_STEPS: usize = 10_000;

/// The most decisions on one path; Tasker's bound.
pub const MAX_DECISIONS: u32 = 20;

/// The most steps that one decision may choose; Tasker's bound.
pub const MAX_CHOSEN: usize = 100;

/// The steps of a workflow and how they depend on each other. It is kept with every workflow that began from it, so that
/// a change of the template does not reach one that runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkflowPlan {
    /// The template's namespace.
    pub namespace: String,
    /// The template's name within it.
    pub name: String,
    /// The template's version.
    pub version: String,
    /// Cancelled, and failed, if it has not ended after so long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_duration: Option<Span>,
    /// The steps, in the order of the template; a step is known by its place here.
    pub steps: Vec<PlanStep>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanStep {
    /// What it is called.
    pub name: StepName,
    /// What its outcome means to others.
    #[serde(default)]
    pub role: StepRole,
    /// The kind of its task.
    pub kind: Kind,
    /// The tags that its task requires.
    #[serde(default, skip_serializing_if = "TagSet::is_empty")]
    pub requires: TagSet,
    /// What the handler finds as `context.step.method`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// An object that joins the handler's settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<JsonText>,
    /// Its payload; the workflow's input where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<JsonText>,
    /// The places of the steps that it waits for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<u32>,
    /// Its priority; the workflow's where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// What bounds its attempts.
    #[serde(default)]
    pub options: Overrides,
    /// Dead if it waits for its dependencies longer than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_after: Option<Span>,
    /// An expression over input and results; where it is false, the step is skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Several tasks stand for the step, made once its dependencies have ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fan_out: Option<FanOut>,
    /// What is told once it has ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub publishes: Vec<DomainEvent>,
}

/// What a step's outcome means to others; the step types of Tasker.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepRole {
    /// Runs once all that it depends on has ended well.
    #[default]
    Standard,
    /// Chooses which of the steps that depend on it run.
    Decision,
    /// Waits for those of its dependencies that run; those that were skipped do not count.
    Convergence,
    /// Cuts the work into ranges, each of which a task of the batch's workers takes.
    Analyzer,
}

impl StepRole {
    /// All of them; the place of each is its number in stores.
    pub const ALL: [Self; 4] = [Self::Standard, Self::Decision, Self::Convergence, Self::Analyzer];

    /// Its number in stores.
    pub const fn number(self) -> i64 {
        self as i64
    }

    /// The one of this number.
    pub fn of_number(number: i64) -> Option<Self> {
        usize::try_from(number).ok().and_then(|place| Self::ALL.get(place).copied())
    }
}

impl WorkflowPlan {
    /// `namespace/name@version`.
    pub fn reference(&self) -> String {
        format!("{}/{}@{}", self.namespace, self.name, self.version)
    }

    /// The step of a name, and its place.
    pub fn find(&self, name: &str) -> Option<(u32, &PlanStep)> {
        (0_u32..).zip(&self.steps).find(|(_, step)| step.name.as_str() == name)
    }

    /// The steps that depend on the one of this place.
    pub fn dependents(&self, place: u32) -> impl Iterator<Item = (u32, &PlanStep)> {
        (0_u32..).zip(&self.steps).filter(move |(_, step)| step.depends_on.contains(&place))
    }
}
