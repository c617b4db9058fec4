//! On whose behalf a delegate acts.

use std::path::PathBuf;
use std::time::Instant;

use crate::{HandlerName, LeaseId, TaskId, Traceparent};

/// The run that asks a delegate.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Its handler, whose grant it is.
    pub handler: HandlerName,
    /// Its task.
    pub task: TaskId,
    /// The lease under which it runs; none where it runs outside of a queue.
    pub lease: Option<LeaseId>,
    /// The folder of the task's workspace, where the handler has the grant for one.
    pub workspace: Option<CallerWorkspace>,
    /// Where the call stands in a trace; none where its task is part of none.
    pub traceparent: Option<Traceparent>,
    /// When the attempt is over, and whatever is done for it must be too.
    pub deadline: Instant,
}

/// A workspace as a delegate may use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerWorkspace {
    /// The folder on this host.
    pub folder: PathBuf,
    /// Whether it may be written to.
    pub writable: bool,
}
