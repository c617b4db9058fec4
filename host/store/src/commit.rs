//! What a worker hands over when a run has ended.

use std::sync::Arc;

use bulkhead_core::{Digest, HandlerVersion, Home, NextStep, RunEnd, RunRecord};

use crate::{LeaseId, TaskSeq, Told};

/// One run that has ended, with the step that [`bulkhead_core::decide`] chose for it.
#[derive(Debug, Clone)]
pub struct Commit {
    /// The batch the task was claimed in; a commit under a void lease is refused.
    pub lease: LeaseId,
    /// The task.
    pub seq: TaskSeq,
    /// What is to be written.
    pub step: NextStep,
    /// How the run ended: the source of result, error, state and following tasks.
    pub end: RunEnd,
    /// What the run used.
    pub run: RunRecord,
    /// The handler and its version; absent where no run was entered.
    pub handler: Option<Arc<HandlerVersion>>,
    /// Versions that declined the task in this run, in order.
    pub declined: Vec<Digest>,
    /// What the run told of itself, where it did.
    pub told: Option<Box<Told>>,
    /// A retry begins at stage 0, without state.
    pub from_start: bool,
    /// Attempts in all, as it held for this attempt; kept for those who ask later. None where no run was entered.
    pub max_attempts: Option<u32>,
    /// Where the task goes on, since its workspace is there; none where it may do so anywhere it could before.
    pub home: Option<Home>,
}

/// What became of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitFate {
    /// Written; the step that was taken, which differs from the one asked for where the database refused the row.
    Written(NextStep),
    /// Refused: the lease is void or the task was already committed under it; somebody else runs the task, or has.
    Fenced,
    /// The task had been cancelled; the run's outcome was dropped.
    Cancelled,
}
