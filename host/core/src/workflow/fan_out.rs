//! Steps for which several tasks stand.

use serde::{Deserialize, Serialize};

use crate::{Join, JsonText};

/// How a step becomes several tasks, and when it has ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FanOut {
    /// What there is a task for each of.
    pub over: FanOutOver,
    /// When the step has ended.
    #[serde(default)]
    pub join: Join,
    /// It has ended well only if all of its tasks have.
    #[serde(default)]
    pub needs_all: bool,
}

/// What there is a task for each of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FanOutOver {
    /// Each of these; it is the task's payload.
    Items(Vec<JsonText>),
    /// Each element of the list that an expression over input and results gives; it is the task's payload.
    Expression(String),
    /// Each range that the analyzer at this place cut; the task finds it as `context.step.cursor`.
    Batches(u32),
}

/// What becomes of a batch one of whose workers ends badly; Tasker's failure strategies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureStrategy {
    /// The others go on, and the convergence step finds the errors.
    #[default]
    ContinueOnFailure,
    /// The others are cancelled, and the step is dead.
    FailFast,
    /// The others go on; what comes after waits until the bad ones are requeued or resolved.
    Isolate,
}

impl FailureStrategy {
    /// Every strategy, for messages and schemas.
    pub const ALL: [Self; 3] = [Self::ContinueOnFailure, Self::FailFast, Self::Isolate];

    /// The public name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ContinueOnFailure => "continue_on_failure",
            Self::FailFast => "fail_fast",
            Self::Isolate => "isolate",
        }
    }
}
