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
