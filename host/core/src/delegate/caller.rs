//! On whose behalf a delegate acts.

use std::any::Any;
use std::path::PathBuf;
use std::sync::Arc;
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
#[derive(Debug, Clone)]
pub struct CallerWorkspace {
    /// The folder on this host.
    pub folder: PathBuf,
    /// Whether it may be written to.
    pub writable: bool,
    /// What keeps it in use; a delegate keeps a clone for as long as anything that it began may change the files.
    pub in_use: InUse,
    /// Whether it holds more than it may by now.
    pub overrun: Overrun,
}

/// Looks whether something holds more than it may; by default nothing does.
#[derive(Clone, Default)]
pub struct Overrun(Option<Look>);

type Look = Arc<dyn Fn() -> Option<String> + Send + Sync>;

impl Overrun {
    /// Looks so; it says, for people, which bound is exceeded, and may block.
    pub fn by(look: impl Fn() -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(look)))
    }

    /// The bound that is exceeded now, for people. Looks at files, and blocks for as long as that takes.
    pub fn look(&self) -> Option<String> {
        self.0.as_ref().and_then(|look| look())
    }
}

impl std::fmt::Debug for Overrun {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Overrun").field(&self.0.is_some()).finish()
    }
}

/// Keeps something in use until the last clone is dropped; by default nothing.
#[derive(Clone, Default)]
pub struct InUse(Option<Arc<dyn Any + Send + Sync>>);

impl InUse {
    /// Keeps this in use.
    pub fn of(kept: Arc<impl Any + Send + Sync>) -> Self {
        Self(Some(kept))
    }
}

impl std::fmt::Debug for InUse {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("InUse").field(&self.0.is_some()).finish()
    }
}
