//! How a handler says that it failed, and what callers see of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::JsonText;

/// A label for failures; `retryable` decides, not this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Category {
    /// The task's input is wrong.
    Validation,
    /// Trying again cannot help.
    Permanent,
    /// Trying again may help.
    Retryable,
    /// The handler itself went wrong.
    Handler,
    /// Something took too long.
    Timeout,
}

impl Category {
    /// The public name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Validation => "validation",
            Self::Permanent => "permanent",
            Self::Retryable => "retryable",
            Self::Handler => "handler",
            Self::Timeout => "timeout",
        }
    }
}

/// A failure as the handler returned it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The label.
    pub category: Category,
    /// Stable, for programs: `EMPTY_CART`.
    pub code: String,
    /// For people.
    pub message: String,
    /// Whether another attempt may help.
    pub retryable: bool,
    /// The wait that the handler asks for, instead of the back-off.
    pub retry_after: Option<Duration>,
    /// More, for programs.
    pub details: JsonText,
}

/// Why an attempt did not succeed, as callers see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskError {
    /// A label: a [`Category`], or `host` where the host ended the run.
    pub category: String,
    /// Stable, for programs.
    pub code: String,
    /// For people.
    pub message: String,
    /// Which rule of the contract ended it: `permanent`, `trap`, `out_of_fuel`, `limit:memory` …
    pub reason: String,
    /// More, for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<JsonText>,
}
