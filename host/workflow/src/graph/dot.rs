//! A plan for Graphviz.

use std::fmt::Write as _;

use bulkhead_core::{StepRole, WorkflowPlan};

use super::{colour, notes};

/// The plan in Graphviz's DOT; `state` says how the step of a place stands, where that is known.
pub fn dot(plan: &WorkflowPlan, state: &dyn Fn(u32) -> Option<String>) -> String {
    let mut text = format!("digraph {} {{\n    rankdir=TB;\n", quoted(&plan.reference()));
    text.push_str("    node [shape=box, style=\"rounded,filled\", fillcolor=\"#ffffff\", fontname=\"sans-serif\"];\n");
    for (place, step) in (0_u32..).zip(&plan.steps) {
        let standing = state(place);
        let label = format!("{}\n{}", step.name, notes(step, standing.as_deref()).join(", "));
        let shape = match step.role {
            StepRole::Decision => ", shape=diamond",
            StepRole::Convergence => ", shape=ellipse",
            StepRole::Standard | StepRole::Analyzer if step.fan_out.is_some() => ", peripheries=2",
            StepRole::Standard | StepRole::Analyzer => "",
        };
        let fill = standing.map_or_else(String::new, |state| format!(", fillcolor=\"{}\"", colour(&state)));
        // Writing to a text cannot fail.
        let _ = writeln!(text, "    {} [label={}{shape}{fill}];", quoted(step.name.as_str()), quoted(&label));
    }
    for step in &plan.steps {
        for from in step.depends_on.iter().filter_map(|from| plan.steps.get(*from as usize)) {
            let style = if from.role == StepRole::Decision { " [style=dashed]" } else { "" };
            let _ = writeln!(text, "    {} -> {}{style};", quoted(from.name.as_str()), quoted(step.name.as_str()));
        }
    }
    text.push_str("}\n");
    text
}

fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            character if character.is_control() => quoted.push(' '),
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}
