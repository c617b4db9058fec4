//! The delegates of a claimed task's run.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bulkhead_core::{Caller, CallerWorkspace, HandlerVersion};
use bulkhead_delegates::RunDelegates;
use bulkhead_sandbox::Workspace;
use bulkhead_store::Claimed;

use crate::shared::Shared;

/// So much later than the run's own end is the end of what is begun for it.
const PAST_THE_RUN: Duration = Duration::from_secs(1);

/// When calls end that are made now for a run which ends then. The run ends its calls by itself; were they to end first, the
/// guest could still answer, and how the task ends would be a matter of chance.
pub fn calls_deadline(end_of_run: Instant) -> Instant {
    end_of_run + PAST_THE_RUN
}

/// What does for the run what its handler was granted; none where that is nothing.
pub(crate) fn delegates_for(
    shared: &Arc<Shared>,
    task: &Claimed,
    version: &HandlerVersion,
    workspace: Option<&Workspace>,
    end_of_run: impl Fn() -> Instant + Send + Sync + 'static,
    tokens: u64,
) -> Option<Arc<RunDelegates>> {
    if !shared.delegates.grants_any(&version.name) {
        return None;
    }
    let caller = Caller {
        handler: version.name.clone(),
        task: task.id.clone(),
        lease: Some(task.lease),
        workspace: workspace.map(CallerWorkspace::from),
        traceparent: task.extras.as_deref().and_then(|extras| extras.traceparent),
        deadline: calls_deadline(end_of_run()),
    };
    let confirmed = Arc::clone(shared);
    // Nothing begins under a lease that is not confirmed.
    let until = move || confirmed.lease.left().map(|_| calls_deadline(end_of_run()));
    Some(shared.delegates.for_run(caller, tokens, until))
}
