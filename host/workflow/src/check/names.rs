//! Which step a name means.

use std::collections::HashMap;

use bulkhead_core::{FanOutOver, MAX_STEPS, instance_name};

use super::Findings;
use crate::Problem;
use crate::problem::Guesses;
use crate::read::{Draft, Role};

/// Puts places where names were; refuses names that mean two steps, or none.
pub(super) fn resolve(drafts: &mut [Draft], whole: bool, findings: &mut Findings) -> HashMap<String, u32> {
    let mut places: HashMap<String, u32> = HashMap::with_capacity(drafts.len());
    for (place, draft) in (0_u32..).zip(drafts.iter()) {
        let name = draft.step.name.as_str();
        if let Some(first) = places.get(name) {
            let line = drafts[*first as usize].mark.line;
            let message = format!("two steps are called `{name}`");
            findings.problems.push(Problem::at(draft.mark, message).hint(format!("the first is on line {line}")));
        } else {
            places.insert(name.to_owned(), place);
        }
    }
    refuse_instances(drafts, &places, findings);
    let mut guesses = Guesses::default();
    let known: Vec<String> = drafts.iter().map(|draft| draft.step.name.to_string()).collect();
    for draft in drafts {
        let mut depends_on = Vec::with_capacity(draft.depends_on.len());
        for (name, mark) in &draft.depends_on {
            match places.get(name) {
                Some(place) => depends_on.push(*place),
                None if whole => {
                    let message =
                        format!("step `{}` depends on an unknown step: `{}`", draft.step.name, crate::shown(name));
                    let others = known.iter().map(String::as_str).filter(|known| *known != draft.step.name.as_str());
                    findings.problems.push(Problem::at(*mark, message).guessed(name, others, &mut guesses));
                }
                None => {}
            }
        }
        depends_on.sort_unstable();
        depends_on.dedup();
        draft.step.depends_on = depends_on;
    }
    places
}

/// Refuses steps that are called as one of the tasks that stand for another step.
fn refuse_instances(drafts: &[Draft], places: &HashMap<String, u32>, findings: &mut Findings) {
    for draft in drafts {
        let name = draft.step.name.as_str();
        let Some((base, number)) = name.rsplit_once('_') else { continue };
        let Some(other) = places.get(base).map(|place| &drafts[*place as usize]) else { continue };
        let most = match other.step.fan_out.as_ref().map(|fan_out| &fan_out.over) {
            Some(FanOutOver::Items(items)) => items.len(),
            Some(_) => MAX_STEPS,
            None if other.role == Role::BatchWorker => MAX_STEPS,
            None => continue,
        };
        let index = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        if index.is_some_and(|index| index < most && instance_name(base, index) == name) {
            let message = format!("step `{name}` is called as a task of the step `{base}`, which stands for several");
            findings.problems.push(Problem::at(draft.mark, message).hint("give one of them another name"));
        }
    }
}
