//! Whether somebody could run a step.

use bulkhead_core::{PlanStep, Route, serves};

use crate::problem::nearest;
use crate::yaml::Mark;
use crate::{Problem, Served};

/// What is to be said of each step that no live handler serves.
pub(crate) fn unroutable<'a>(steps: impl Iterator<Item = (&'a PlanStep, Mark)>, served: &[Served]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (step, mark) in steps {
        let route = Route::new(step.kind.clone(), step.requires.clone());
        if served.iter().any(|handler| serves(&handler.kind, &handler.provides, &route)) {
            continue;
        }
        let of_kind: Vec<&Served> = served.iter().filter(|handler| handler.kind == step.kind).collect();
        let (name, kind) = (&step.name, &step.kind);
        problems.push(if of_kind.is_empty() {
            let message = format!("step `{name}`: no live handler serves the kind `{kind}`");
            let hint = "add a handler of that kind, or name another under [workflow.callables]";
            let problem = Problem::at(mark, message).hint(hint);
            match nearest(kind.as_str(), served.iter().map(|handler| handler.kind.as_str())) {
                Some(near) => problem.nearest(kind.as_str(), [near]),
                None => problem,
            }
        } else {
            let best = of_kind
                .iter()
                .map(|handler| &handler.provides)
                .min_by_key(|provides| step.requires.missing_from(provides).count());
            let missing = best.map(|provides| {
                step.requires.missing_from(provides).map(ToString::to_string).collect::<Vec<_>>().join(" ")
            });
            let message = format!(
                "step `{name}`: no live handler of the kind `{kind}` provides what it requires: `{}`",
                missing.unwrap_or_default()
            );
            Problem::at(mark, message)
        });
    }
    problems
}
