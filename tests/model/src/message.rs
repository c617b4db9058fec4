//! What is under way between workers and the store.
//!
//! A message is lost by never being delivered. A commit stays under way for ever, so that it may come any number of
//! times, at any time.

use crate::{AttachmentNumber, LeaseNumber, RunNumber, TaskNumber, WorkerTime};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RunEnding {
    /// It completed.
    Completed,
    /// It failed, and may be tried again.
    Failed,
}

/// The right to commit, as a worker holds it: what a claim gave it for one task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Right {
    /// The task.
    pub task: TaskNumber,
    /// The batch that it was claimed in.
    pub lease: LeaseNumber,
    /// The attachment that it was claimed for.
    pub attachment: AttachmentNumber,
    /// Which claim of the task that was; the store never looks at it.
    pub run: RunNumber,
}

/// The end of a run, on its way to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Commit {
    /// Under what right.
    pub right: Right,
    /// How the run ended.
    pub ending: RunEnding,
}

/// What a worker asks the store, and waits for before it asks again. Asking anew gives the old question up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Question {
    /// By the worker's clock.
    pub asked_at: WorkerTime,
    /// The attachment to be renewed; absent where the worker wants to attach.
    pub renews: Option<AttachmentNumber>,
    /// What the store said, on its way back; absent while the question is on its way there.
    pub answer: Option<Answer>,
}

/// What the store says to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Answer {
    /// The worker is attached, or its leases are renewed.
    Confirmed(AttachmentNumber),
    /// Its leases are void.
    Void,
}
