//! Whether the steps of a template can be a workflow.

mod batches;
mod cycles;
mod decisions;
mod expressions;
mod names;
mod order;
mod routes;

#[cfg(test)]
mod tests;

use bulkhead_core::MAX_STEPS;

pub(crate) use routes::unroutable;

use crate::Problem;
use crate::read::Draft;
use crate::yaml::Mark;

/// What the checks found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) problems: Vec<Problem>,
    pub(crate) warnings: Vec<Problem>,
}

/// Checks the steps as a whole and fills in their dependencies and batches. `whole` says that no step is missing because it
/// could not be read: else a name that is not there may only not have been understood.
pub(crate) fn check_steps(drafts: &mut [Draft], at: Mark, whole: bool) -> Findings {
    let mut findings = Findings::default();
    if drafts.is_empty() && whole {
        findings.problems.push(Problem::at(at, "a template needs at least one step"));
    }
    if drafts.len() > MAX_STEPS {
        let message = format!("{} steps; a workflow may have at most {MAX_STEPS}", drafts.len());
        findings.problems.push(Problem::at(at, message).hint("let a step fan out with `for_each`"));
        return findings;
    }
    batches::tie_workers(drafts);
    let places = names::resolve(drafts, whole, &mut findings);
    let dependencies: Vec<Vec<u32>> = drafts.iter().map(|draft| draft.step.depends_on.clone()).collect();
    let found = cycles::cycles(&dependencies);
    for cycle in &found {
        findings.problems.push(cycles::problem(cycle, drafts));
    }
    batches::check(drafts, &places, whole, &mut findings);
    expressions::check(drafts, &places, &mut findings);
    if found.is_empty() {
        decisions::check(drafts, &order::order(&dependencies), &mut findings);
    }
    findings
}
