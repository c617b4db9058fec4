//! What is kept of each attempt.

use serde::{Deserialize, Serialize};

use crate::{Digest, HandlerName, TaskError, Timestamp};

/// What one run used, as the worker measured it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunRecord {
    /// When the run entered the sandbox, by the worker's clock.
    pub started_at: Timestamp,
    /// How long it ran, in microseconds.
    pub elapsed_micros: u64,
    /// Fuel used.
    pub fuel: u64,
    /// The most memory held at once, in bytes.
    pub peak_memory: u64,
    /// Tokens of language models that it used.
    pub tokens: u64,
}

/// One attempt, as callers see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttemptRecord {
    /// 1 for the first of an epoch.
    pub number: u32,
    /// 1 in the task's first life; one more for each requeue.
    pub epoch: u32,
    /// The handler that ran it.
    pub handler: Option<HandlerName>,
    /// The version of each of its runs.
    pub digests: Vec<Digest>,
    /// The worker that ran it.
    pub worker: String,
    /// When its last run began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// How it ended: the name of a [`crate::RunEnd`], or `worker_lost`.
    pub end: String,
    /// Fuel used over its runs.
    pub fuel: u64,
    /// The most memory held at once, in bytes.
    pub peak_memory: u64,
    /// Why it did not succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<TaskError>,
}
