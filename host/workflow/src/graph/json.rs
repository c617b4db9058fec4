//! A plan as JSON: steps and edges.

use bulkhead_core::{FanOutOver, StepRole, WorkflowPlan};
use serde::Serialize;

/// Steps and edges of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Graph {
    /// `namespace/name@version`.
    pub template: String,
    /// The steps, in the order of the template.
    pub steps: Vec<GraphStep>,
    /// From each step to those that depend on it.
    pub edges: Vec<GraphEdge>,
}

/// A step of a graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GraphStep {
    /// Its name.
    pub name: String,
    /// The kind of its task.
    pub kind: String,
    /// What its outcome means to others.
    pub role: StepRole,
    /// Its condition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// What there is a task for each of: `items`, `expression` or `batches`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub for_each: Option<&'static str>,
    /// How it stands, where that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

/// An edge of a graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GraphEdge {
    /// The step that goes before.
    pub from: String,
    /// The step that depends on it.
    pub to: String,
    /// It is one of those that a decision chooses.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub chosen: bool,
}

/// The graph of a plan; `state` says how the step of a place stands, where that is known.
pub fn graph(plan: &WorkflowPlan, state: &dyn Fn(u32) -> Option<String>) -> Graph {
    let mut graph = Graph { template: plan.reference(), steps: Vec::new(), edges: Vec::new() };
    for (place, step) in (0_u32..).zip(&plan.steps) {
        let for_each = step.fan_out.as_ref().map(|fan_out| match fan_out.over {
            FanOutOver::Items(_) => "items",
            FanOutOver::Expression(_) => "expression",
            FanOutOver::Batches(_) => "batches",
        });
        graph.steps.push(GraphStep {
            name: step.name.to_string(),
            kind: step.kind.to_string(),
            role: step.role,
            when: step.when.clone(),
            for_each,
            state: state(place),
        });
        for from in step.depends_on.iter().filter_map(|from| plan.steps.get(*from as usize)) {
            let (from, chosen) = (from.name.to_string(), from.role == StepRole::Decision);
            graph.edges.push(GraphEdge { from, to: step.name.to_string(), chosen });
        }
    }
    graph
}
