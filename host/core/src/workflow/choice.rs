//! What a decision step chose, held against the plan.

use serde::Deserialize;

use super::{MAX_CHOSEN, StepRole, WorkflowPlan};

/// The places of the steps that a decision names; else what is wrong with it, for people.
///
/// Only steps that depend on the decision can be chosen, each once.
pub fn chosen_steps(plan: &WorkflowPlan, place: u32, names: &[String]) -> Result<Vec<u32>, String> {
    if names.len() > MAX_CHOSEN {
        return Err(format!("decide: {} steps are chosen; the limit is {MAX_CHOSEN}", names.len()));
    }
    let mut chosen = Vec::with_capacity(names.len());
    for name in names {
        let found = plan.dependents(place).find(|(_, step)| step.name.as_str() == name);
        let Some((found, _)) = found else {
            let known: Vec<&str> = choices(plan, place).collect();
            return Err(format!(
                "decide: no step `{name}` depends on this decision; there are {}",
                if known.is_empty() { "none".to_owned() } else { known.join(", ") }
            ));
        };
        if chosen.contains(&found) {
            return Err(format!("decide: step `{name}` is chosen twice"));
        }
        chosen.push(found);
    }
    Ok(chosen)
}

/// The steps that somebody names who closes a decision by hand: its result is a list of names, or an object with such a list
/// as `steps`. None where it names none, and then all of them run.
pub fn named_steps(result: &str) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Named {
        List(Vec<String>),
        Object { steps: Vec<String> },
    }
    match serde_json::from_str(result) {
        Ok(Named::List(steps) | Named::Object { steps }) => Some(steps),
        Err(_) => None,
    }
}

/// The steps between which a decision chooses. A convergence step behind it waits for what was chosen, and is not one.
fn choices(plan: &WorkflowPlan, place: u32) -> impl Iterator<Item = &str> {
    plan.dependents(place).filter(|(_, step)| step.role != StepRole::Convergence).map(|(_, step)| step.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_closes_a_decision_by_hand_may_name_the_steps_that_run() {
        assert_eq!(named_steps(r#"["a","b"]"#), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(named_steps(r#"{"steps":["a"],"why":"x"}"#), Some(vec!["a".to_owned()]));
        assert_eq!(named_steps("[]"), Some(Vec::new()));
        assert!(["1", "{}", "\"a\"", "[1]"].into_iter().all(|result| named_steps(result).is_none()));
    }
}
