//! What can happen next.

use crate::message::{Commit, RunEnding};
use crate::{AttachmentNumber, TaskNumber, WorkerNumber};

/// One step of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Time goes on for everybody, but for the clock of the worker that loses the tick.
    Tick(Option<WorkerNumber>),
    /// Faults stop.
    Calm,
    /// A worker asks to attach, or to have its leases renewed.
    Ask(WorkerNumber),
    /// The store hears the question, and answers.
    HearQuestion(WorkerNumber),
    /// The worker hears the answer.
    HearAnswer(WorkerNumber),
    /// The worker sees that it trusts its leases no more.
    GuardFires(WorkerNumber),
    /// The store hears that a worker has left, and takes its tasks back.
    HearLeave(WorkerNumber),
    /// The store claims the first ready task for a worker.
    ClaimOne(WorkerNumber),
    /// The store claims every ready task for a worker, under one lease.
    ClaimAll(WorkerNumber),
    /// The worker hears of the oldest batch claimed for it, and begins its runs.
    HearClaim(WorkerNumber),
    /// A run ends, and its commit is sent.
    RunEnds(WorkerNumber, TaskNumber, RunEnding),
    /// The store hears a commit, for the first time or again.
    HearCommit(Commit),
    /// The store hears a commit that its database refuses to write.
    Refuse(Commit),
    /// The store voids the leases of an attachment that was not renewed in time.
    Sweep(AttachmentNumber),
    /// A worker stands still.
    Pause(WorkerNumber),
    /// It goes on where it was.
    Resume(WorkerNumber),
    /// A worker's process dies, and is started again.
    Crash(WorkerNumber),
    /// The line to a worker breaks: what was under way on it is lost, and the worker sees it.
    BreakLine(WorkerNumber),
    /// The store's process dies, and is opened anew.
    TakeOver,
    /// Somebody cancels a task.
    Cancel(TaskNumber),
}
