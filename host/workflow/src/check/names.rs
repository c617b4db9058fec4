//! Which step a name means.

use std::collections::HashMap;

use super::Findings;
use crate::Problem;
use crate::problem::Guesses;
use crate::read::Draft;

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
