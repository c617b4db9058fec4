//! Whether the outcome of a run is one that its task may have.

use bulkhead_core::{RunEnd, StepRole, chosen_steps};

use super::StepRun;

/// The end of a run, with what a decision chose as places of the plan and what a batch was cut into beside its result; an
/// outcome that only other steps may have is invalid.
pub(crate) fn check_outcome(step: Option<&StepRun<'_>>, end: RunEnd) -> RunEnd {
    let role = step.map(|step| step.step().role);
    let refuse = |verb: &str, who: &str| {
        let what = step.map_or_else(
            || "this task is no step of a workflow".to_owned(),
            |step| format!("step `{}` is none", step.ticket.name),
        );
        RunEnd::Invalid(format!("`{verb}` is for {who} alone, and {what}; set the step's `type` in its template"))
    };
    match (end, step) {
        (RunEnd::Decided(mut decision), Some(step)) if role == Some(StepRole::Decision) => {
            match chosen_steps(&step.plan, step.ticket.place, &decision.steps) {
                Ok(chosen) => {
                    decision.chosen = chosen;
                    RunEnd::Decided(decision)
                }
                Err(problem) => RunEnd::Invalid(problem),
            }
        }
        (RunEnd::Decided(_), _) => refuse("decide", "decision steps"),
        (RunEnd::Batched(plan), _) if role == Some(StepRole::Analyzer) => RunEnd::Batched(plan.with_cursors_kept()),
        (RunEnd::Batched(_), _) => refuse("batch", "steps of type `batchable`"),
        (RunEnd::Completed(_), Some(step)) if role == Some(StepRole::Decision) => RunEnd::Invalid(format!(
            "step `{}` is a decision and must answer with `decide`, naming the steps that run next, or none",
            step.ticket.name
        )),
        (end, _) => end,
    }
}
