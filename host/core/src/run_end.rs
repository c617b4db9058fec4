//! How one run in the sandbox ended.

use serde_json::json;

use crate::{BatchPlan, Checkpoint, Child, Completion, Decision, Failure, JsonText, Spawn, Suspension, TaskError};

/// How one run ended: by its own answer, or by a fence.
#[derive(Debug, Clone, PartialEq)]
pub enum RunEnd {
    /// The work is done.
    Completed(Completion),
    /// Progress is kept; run again.
    Checkpointed(Checkpoint),
    /// Children are to be created; run again when they have ended.
    Spawned(Spawn),
    /// Somebody outside is to answer; run again then.
    Suspended(Suspension),
    /// The work is done, and these of the steps behind it run.
    Decided(Decision),
    /// The work is cut into ranges.
    Batched(BatchPlan),
    /// The step's condition is not met: it never runs.
    Skipped,
    /// Not for this handler: `dispatch` was false, or `handle` skipped, with the reason it gave.
    Declined(String),
    /// The handler failed.
    Failed(Failure),
    /// The guest hit a trap: its code and what is known of where.
    Trapped {
        /// The trap's name, e.g. `unreachable`.
        code: String,
        /// The guest's own back-trace, bounded.
        backtrace: String,
    },
    /// The fuel was used up.
    OutOfFuel,
    /// The wall clock ran out.
    TimedOut,
    /// A limit other than fuel and time was reached.
    LimitReached(Limit),
    /// The answer breaks the contract.
    Invalid(String),
    /// The host ended the run for reasons of its own; not the task's fault.
    Interrupted(Interruption),
    /// Somebody cancelled the task.
    Cancelled,
}

/// Which limit was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Linear memory.
    Memory,
    /// Table elements.
    Table,
    /// Instances, memories or tables in number.
    Instances,
    /// Size of what was returned.
    Result,
    /// Open handles.
    Handles,
    /// Calls into the host, or bytes passed to it.
    HostCalls,
    /// Stages of one task.
    Stages,
    /// Fuel of one task over all of its runs.
    TotalFuel,
    /// Generations of children.
    Depth,
    /// Children and children's children of one task.
    Descendants,
}

impl Limit {
    /// The public name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Table => "table",
            Self::Instances => "instances",
            Self::Result => "result",
            Self::Handles => "handles",
            Self::HostCalls => "host_calls",
            Self::Stages => "stages",
            Self::TotalFuel => "total_fuel",
            Self::Depth => "depth",
            Self::Descendants => "descendants",
        }
    }

    /// What to change where the limit is too low, for people.
    const fn remedy(self) -> &'static str {
        match self {
            Self::Memory => "the sandbox's memory is used up; raise `memory` if the handler needs more",
            Self::Table => "the sandbox's tables are full",
            Self::Instances => "the sandbox has too many instances, memories or tables",
            Self::Result => "the result is too large; raise `result`, or put large things into the workspace",
            Self::Handles => "too many handles are open",
            Self::HostCalls => "too many calls to the host, or too much passed in them",
            Self::Stages => "the task has resumed as often as `max_stages` allows without coming to its end",
            Self::TotalFuel => {
                "the fuel of all the task's runs together is used up; raise `max_fuel_total` if it needs more"
            }
            Self::Depth => "children of children of children: a task may have at most 32 generations above it",
            Self::Descendants => {
                "the task that all of this began with has as many descendants as it may; raise store.max_descendants"
            }
        }
    }
}

/// Why the host ended a run that had done nothing wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Interruption {
    /// The host is shutting down.
    Drain,
    /// No sandbox was free.
    PoolFull,
    /// The engine of a delegate is gone, or the host failed inside a call.
    EngineGone,
    /// The worker could not confirm its lease.
    LeaseLost,
    /// The handler was retired between claim and run.
    HandlerGone,
    /// The workspace that the task uses is on another host, where it goes on.
    WorkspaceElsewhere,
}

impl Interruption {
    /// The public name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Drain => "drain",
            Self::PoolFull => "pool_full",
            Self::EngineGone => "engine_gone",
            Self::LeaseLost => "lease_lost",
            Self::HandlerGone => "handler_gone",
            Self::WorkspaceElsewhere => "workspace_elsewhere",
        }
    }
}

impl RunEnd {
    /// The public name of this end, as attempts, metrics and logs show it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Completed(_) => "succeeded",
            Self::Checkpointed(_) => "checkpoint",
            Self::Spawned(_) => "spawn",
            Self::Suspended(_) => "suspend",
            Self::Decided(_) => "decide",
            Self::Batched(_) => "batch",
            Self::Skipped => "skipped",
            Self::Declined(_) => "skip",
            Self::Failed(_) => "failed",
            Self::Trapped { .. } => "trap",
            Self::OutOfFuel => "out_of_fuel",
            Self::TimedOut => "timeout",
            Self::LimitReached(_) => "limit",
            Self::Invalid(_) => "invalid_outcome",
            Self::Interrupted(_) => "interrupted",
            Self::Cancelled => "cancelled",
        }
    }

    /// The tasks that this end asks for.
    pub fn children_mut(&mut self) -> &mut [Child] {
        match self {
            Self::Completed(completion) => &mut completion.then,
            Self::Spawned(spawn) => &mut spawn.children,
            _ => &mut [],
        }
    }

    /// Whether the handler had begun with the task when the host ended its run.
    pub const fn was_cut_short(&self) -> bool {
        matches!(self, Self::Interrupted(Interruption::Drain | Interruption::EngineGone | Interruption::LeaseLost))
    }

    /// What callers are told where the run did not succeed.
    pub fn error(&self) -> Option<TaskError> {
        let host = |code: &str, message: String, reason: String| {
            Some(TaskError { category: "host".to_owned(), code: code.to_owned(), message, reason, details: None })
        };
        match self {
            Self::Completed(_)
            | Self::Checkpointed(_)
            | Self::Spawned(_)
            | Self::Suspended(_)
            | Self::Decided(_)
            | Self::Batched(_)
            | Self::Skipped => None,
            Self::Failed(failure) => Some(TaskError {
                category: failure.category.as_str().to_owned(),
                code: failure.code.clone(),
                message: failure.message.clone(),
                reason: if failure.retryable { "retryable" } else { "permanent" }.to_owned(),
                details: (failure.details.as_str() != "null").then(|| failure.details.clone()),
            }),
            Self::Declined(reason) => host("skip", reason.clone(), "skip".to_owned()),
            Self::Trapped { code, backtrace } => {
                let details = json!({ "backtrace": backtrace });
                let mut error = host("trap", format!("the handler trapped: {code}"), "trap".to_owned())?;
                error.details = JsonText::from_value(&details).ok();
                Some(error)
            }
            Self::OutOfFuel => host(
                "out_of_fuel",
                "the fuel of the run is used up; raise `fuel` if the handler needs more".to_owned(),
                "out_of_fuel".to_owned(),
            ),
            Self::TimedOut => host(
                "timeout",
                "the attempt's running time is over; raise `timeout` if the handler needs more".to_owned(),
                "timeout".to_owned(),
            ),
            Self::LimitReached(limit) => host("limit", limit.remedy().to_owned(), format!("limit:{}", limit.as_str())),
            Self::Invalid(message) => host("invalid_outcome", message.clone(), "invalid_outcome".to_owned()),
            Self::Interrupted(cause) => host(
                "interrupted",
                format!("the host ended the run ({}); it will run again", cause.as_str()),
                format!("interrupted:{}", cause.as_str()),
            ),
            Self::Cancelled => host("cancelled", "the task was cancelled".to_owned(), "cancelled".to_owned()),
        }
    }
}
