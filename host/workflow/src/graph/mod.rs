//! A plan as a picture: for Mermaid, for Graphviz, and as JSON for consoles.

mod dot;
mod json;
mod mermaid;

use bulkhead_core::{PlanStep, StepRole};

pub use dot::dot;
pub use json::{Graph, GraphEdge, GraphStep, graph};
pub use mermaid::mermaid;

/// What stands below a step's name: what it is, where it is not ordinary, and how it stands.
fn notes(step: &PlanStep, state: Option<&str>) -> Vec<String> {
    let mut notes = vec![step.kind.to_string()];
    match step.role {
        StepRole::Standard => {}
        StepRole::Decision => notes.push("decision".to_owned()),
        StepRole::Convergence => notes.push("convergence".to_owned()),
        StepRole::Analyzer => notes.push("batch".to_owned()),
    }
    if step.fan_out.is_some() {
        notes.push("for each".to_owned());
    }
    if step.when.is_some() {
        notes.push("if".to_owned());
    }
    notes.extend(state.map(str::to_owned));
    notes
}

/// The colour of a state: what is well, what runs, what is wrong, what never runs.
fn colour(state: &str) -> &'static str {
    match state {
        "succeeded" | "resolved" => "#c8e6c9",
        "running" | "ready" => "#bbdefb",
        "suspended" | "paused" => "#fff3c4",
        "dead" | "blocked" => "#ffcdd2",
        "skipped" | "cancelled" => "#e0e0e0",
        _ => "#ffffff",
    }
}
