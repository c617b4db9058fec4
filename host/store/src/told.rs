//! What runs tell of themselves, and what is kept of it.

use bulkhead_core::{JsonText, Timestamp};
use serde::{Deserialize, Serialize};

/// What one run told.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Told {
    /// Its log, oldest first.
    pub lines: Vec<LogLine>,
    /// What belongs into the task's audit trail, oldest first.
    pub audits: Vec<Audit>,
    /// How far it said it had come, last.
    pub progress: Option<ProgressNote>,
}

impl Told {
    /// Whether it told nothing.
    pub const fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.audits.is_empty() && self.progress.is_none()
    }
}

/// A line of a run's log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// When, by the worker's clock.
    pub at: Timestamp,
    /// `trace debug info warn error`
    pub level: String,
    /// What it says, control characters escaped.
    pub message: String,
    /// More, a JSON object.
    pub fields: JsonText,
}

/// An entry of a task's audit trail.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Audit {
    /// When, by the worker's clock.
    pub at: Timestamp,
    /// What happened, in snake_case.
    pub code: String,
    /// More, a JSON object.
    pub details: JsonText,
}

/// How far a task says it has come.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProgressNote {
    /// When, by the worker's clock.
    pub at: Timestamp,
    /// The part of the work, in the handler's own words.
    pub stage: String,
    /// For people.
    pub text: String,
    /// From 0 to 1, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fraction: Option<f64>,
    /// More, a JSON object.
    pub metadata: JsonText,
}

/// Part of a task's log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LogPage {
    /// Run by run, oldest first.
    pub items: Vec<RunLog>,
    /// Where the next part begins; none at the end of what is known by now.
    pub next: Option<i64>,
}

/// The log of one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunLog {
    /// The task's life in which it was.
    pub epoch: u32,
    /// The attempt.
    pub attempt: u32,
    /// The stage.
    pub stage: u32,
    /// Its lines, oldest first.
    pub lines: Vec<LogLine>,
}

/// An entry of the audit trail with the run that made it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AuditView {
    /// The task's life in which it was.
    pub epoch: u32,
    /// The attempt.
    pub attempt: u32,
    /// The stage.
    pub stage: u32,
    /// The entry.
    #[serde(flatten)]
    pub audit: Audit,
}
