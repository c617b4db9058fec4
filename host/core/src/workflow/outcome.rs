//! Whether the outcome of a run is one that its task may have.

use super::{StepRole, StepTicket, WorkflowPlan, chosen_steps};
use crate::RunEnd;

/// The end of a run of a task, which may be the step of a plan: with what a decision chose as places of the plan, and what a
/// batch was cut into beside its result. An outcome that only other steps may have is invalid.
pub fn check_outcome(step: Option<(&WorkflowPlan, &StepTicket)>, end: RunEnd) -> RunEnd {
    let role = step.and_then(|(plan, ticket)| plan.steps.get(ticket.place as usize)).map(|step| step.role);
    let refuse = |verb: &str, who: &str| {
        let what = step.map_or_else(
            || "this task is no step of a workflow".to_owned(),
            |(_, ticket)| format!("step `{}` is none", ticket.name),
        );
        RunEnd::Invalid(format!("`{verb}` is for {who} alone, and {what}; set the step's `type` in its template"))
    };
    match (end, step, role) {
        (RunEnd::Decided(mut decision), Some((plan, ticket)), Some(StepRole::Decision)) => {
            match chosen_steps(plan, ticket.place, &decision.steps) {
                Ok(chosen) => {
                    decision.chosen = chosen;
                    RunEnd::Decided(decision)
                }
                Err(problem) => RunEnd::Invalid(format!("decide: {problem}")),
            }
        }
        (RunEnd::Decided(_), ..) => refuse("decide", "decision steps"),
        (RunEnd::Batched(plan), _, Some(StepRole::Analyzer)) => RunEnd::Batched(plan.with_cursors_kept()),
        (RunEnd::Batched(_), ..) => refuse("batch", "steps of type `batchable`"),
        (RunEnd::Completed(_), Some((_, ticket)), Some(StepRole::Decision)) => RunEnd::Invalid(format!(
            "step `{}` is a decision and must answer with `decide`, naming the steps that run next, or none",
            ticket.name
        )),
        (end, ..) => end,
    }
}
