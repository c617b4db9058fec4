//! A plan for Mermaid, which Markdown viewers draw.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use bulkhead_core::{StepRole, WorkflowPlan};

use super::{colour, notes};

/// The plan as a Mermaid flow chart; `state` says how the step of a place stands, where that is known.
pub fn mermaid(plan: &WorkflowPlan, state: &dyn Fn(u32) -> Option<String>) -> String {
    let mut text = String::from("flowchart TD\n");
    let mut states = BTreeSet::new();
    for (place, step) in (0_u32..).zip(&plan.steps) {
        let standing = state(place);
        let below = notes(step, standing.as_deref()).join(", ");
        let label = format!("{}<br/>{}", escaped(step.name.as_str()), escaped(&below));
        let (open, close) = match step.role {
            StepRole::Decision => ("{", "}"),
            StepRole::Convergence => ("([", "])"),
            StepRole::Standard | StepRole::Analyzer if step.fan_out.is_some() => ("[[", "]]"),
            StepRole::Standard | StepRole::Analyzer => ("[", "]"),
        };
        let class = standing.map_or_else(String::new, |state| {
            let class = class(&state);
            states.insert((class.clone(), state));
            format!(":::{class}")
        });
        // Writing to a text cannot fail.
        let _ = writeln!(text, "    s{place}{open}\"{label}\"{close}{class}");
    }
    for (place, step) in (0_u32..).zip(&plan.steps) {
        for from in &step.depends_on {
            let chosen = plan.steps.get(*from as usize).is_some_and(|from| from.role == StepRole::Decision);
            let arrow = if chosen { "-.->" } else { "-->" };
            let _ = writeln!(text, "    s{from} {arrow} s{place}");
        }
    }
    for (class, state) in states {
        let _ = writeln!(text, "    classDef {class} fill:{},stroke:#607d8b,color:#000", colour(&state));
    }
    text
}

/// A state as the name of a class, whatever is in it.
fn class(state: &str) -> String {
    let letters: String = state.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("state_{letters}")
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '<' | '>' | '&' | '#' | '`' | '\\' => {
                let _ = write!(escaped, "#{};", u32::from(character));
            }
            character if character.is_control() => escaped.push(' '),
            character => escaped.push(character),
        }
    }
    escaped
}
