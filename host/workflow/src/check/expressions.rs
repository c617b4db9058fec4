//! Whether conditions speak of steps that have ended when they are asked.

use std::collections::HashMap;

use super::Findings;
use crate::Problem;
use crate::expression::step_names;
use crate::problem::Guesses;
use crate::read::Draft;
use crate::shape::quoted;

/// Refuses `steps.NAME` for steps on which the one that asks does not depend.
pub(super) fn check(drafts: &[Draft], places: &HashMap<String, u32>, findings: &mut Findings) {
    let mut guesses = Guesses::default();
    for draft in drafts {
        for (what, text, mark) in &draft.expressions {
            for name in step_names(text) {
                if draft.depends_on.iter().any(|(on, _)| *on == name) {
                    continue;
                }
                let known = || draft.depends_on.iter().map(|(on, _)| on.as_str());
                let shown = crate::shown(&name);
                let problem = if places.contains_key(&name) {
                    let message = format!(
                        "`{what}` speaks of `{shown}`, on which the step `{}` does not depend",
                        draft.step.name
                    );
                    Problem::at(*mark, message).hint(format!("add `{shown}` to `depends_on`"))
                } else {
                    let hint = match quoted(known().take(10)) {
                        names if names.is_empty() => "the step depends on no other".to_owned(),
                        names => format!("the step depends on {names}"),
                    };
                    let problem = Problem::at(*mark, format!("`{what}` speaks of an unknown step: `{shown}`"));
                    problem.hint(hint).guessed(&name, known(), &mut guesses)
                };
                findings.problems.push(problem);
            }
        }
    }
}
