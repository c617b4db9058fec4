//! What a decision step chose, held against the plan.

use super::{MAX_CHOSEN, StepRole, WorkflowPlan};

/// The places of the steps that a decision names; else what is wrong with it, for people.
///
/// Only steps that depend on the decision can be chosen, each once.
pub fn chosen_steps(plan: &WorkflowPlan, place: u32, names: &[String]) -> Result<Vec<u32>, String> {
    if names.len() > MAX_CHOSEN {
        return Err(format!("{} steps are chosen; the limit is {MAX_CHOSEN}", names.len()));
    }
    let mut chosen = Vec::with_capacity(names.len());
    for name in names {
        let found = plan.dependents(place).find(|(_, step)| step.name.as_str() == name);
        let Some((found, _)) = found else {
            return Err(format!(
                "no step `{name}` depends on this decision; there are {}",
                listed(choices(plan, place))
            ));
        };
        if chosen.contains(&found) {
            return Err(format!("step `{name}` is chosen twice"));
        }
        chosen.push(found);
    }
    Ok(chosen)
}

/// The steps between which a decision chooses. A convergence step behind it waits for what was chosen, and is not one.
pub(super) fn choices(plan: &WorkflowPlan, place: u32) -> impl Iterator<Item = &str> {
    plan.dependents(place).filter(|(_, step)| step.role != StepRole::Convergence).map(|(_, step)| step.name.as_str())
}

/// Names with commas between, for people.
pub(super) fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
