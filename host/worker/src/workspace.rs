//! The workspace of a claimed task's run.

use std::sync::Arc;

use bulkhead_core::{HandlerName, Home, Interruption, RunEnd, TaskId, Use, before_use};
use bulkhead_sandbox::{Workspace, WorkspaceAccess, WorkspaceGrant};
use bulkhead_store::{Claimed, History};

use crate::shared::Shared;
use crate::workspaces::{BindError, Bindings, Claim, Entered, OpenedBy};

/// What a run finds of the workspace that its task uses.
#[derive(Debug)]
pub(crate) struct Found {
    /// The folder; none where the handler has no grant for it.
    pub(crate) workspace: Option<Workspace>,
    /// What it is bound to; none where nothing is bound.
    claim: Option<Arc<Claim>>,
}

/// Why a run is not begun: the task goes on elsewhere, or later.
#[derive(Debug)]
pub(crate) enum NotHere {
    /// Its workspace is at this home.
    Elsewhere(Home),
    /// It is not known where the workspace is.
    Unknown(BindError),
    /// It is here, and this host cannot open it: a fault of the host's, and none of the task's.
    Shut {
        /// Its name.
        workspace: TaskId,
        /// Why.
        error: std::io::Error,
    },
}

impl<E: Into<BindError>> From<E> for NotHere {
    fn from(error: E) -> Self {
        Self::Unknown(error.into())
    }
}

impl NotHere {
    /// How the run ends that was not begun, and where the task goes on.
    pub(crate) fn end(self) -> (RunEnd, Option<Home>) {
        match self {
            Self::Elsewhere(home) => (RunEnd::Interrupted(Interruption::WorkspaceElsewhere), Some(home)),
            Self::Unknown(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "it is not known where a workspace is");
                (RunEnd::Interrupted(Interruption::EngineGone), None)
            }
            Self::Shut { workspace, error } => {
                tracing::error!(
                    %error,
                    workspace = workspace.as_str(),
                    "the workspace cannot be opened, so that its task waits: look at `workspace.root`"
                );
                (RunEnd::Interrupted(Interruption::EngineGone), None)
            }
        }
    }
}

impl Found {
    /// What a run of a handler without a grant finds.
    pub(crate) const NOTHING: Self = Self { workspace: None, claim: None };

    /// Where the task goes on from now on, once a run is over; and how that run ended, where what it did came to nothing,
    /// since another host had begun the same workspace.
    pub(crate) fn outcome(&self) -> (Option<Home>, Option<RunEnd>) {
        let Some(claim) = &self.claim else { return (None, None) };
        match claim.elsewhere() {
            Some(home) => (Some(home), Some(RunEnd::Interrupted(Interruption::WorkspaceElsewhere))),
            None => (claim.home(), None),
        }
    }
}

/// Finds the workspace that the task uses, and opens it where that is this host's.
pub(crate) async fn find_workspace(
    shared: &Arc<Shared>,
    task: &Claimed,
    history: &History,
    handler: &HandlerName,
    grant: WorkspaceGrant,
) -> Result<Found, NotHere> {
    let Some(bindings) = shared.workspaces.bindings() else {
        let entered = open_workspace(shared, task, history, grant).await?;
        return Ok(Found { workspace: Some(entered.workspace), claim: None });
    };
    let bound_to = bound_to(bindings, task).await?;
    if let Use::Elsewhere(home) = before_use(bound_to.clone(), bindings.own().as_ref(), false, false) {
        return Err(NotHere::Elsewhere(home));
    }
    let Entered { workspace, claim, holds_files } = open_workspace(shared, task, history, grant).await?;
    let Some(claim) = claim else { return Ok(Found { workspace: Some(workspace), claim: None }) };
    let unwatched = grant.access == WorkspaceAccess::ReadWrite && shared.delegates.may_change_files(handler);
    match before_use(bound_to.clone(), bindings.own().as_ref(), holds_files, unwatched) {
        Use::Elsewhere(home) => return Err(NotHere::Elsewhere(home)),
        Use::Here => bound_to.into_iter().for_each(|home| claim.note(home)),
        Use::Unbound => {}
        Use::Bind => {
            let is_here = claim.bind().await?;
            if let Some(home) = claim.elsewhere().filter(|_| !is_here) {
                return Err(NotHere::Elsewhere(home));
            }
        }
    }
    Ok(Found { workspace: Some(workspace), claim: Some(claim) })
}

/// What the task's workspace is bound to; a task that was sent here for it need not be asked about.
async fn bound_to(bindings: &Bindings, task: &Claimed) -> Result<Option<Home>, NotHere> {
    if task.route.home.is_some() && task.route.home == bindings.own() {
        return Ok(task.route.home.clone());
    }
    let found = bindings.bound_to(workspace_of(task)).await;
    Ok(found?.map(|view| view.home))
}

/// Opens the workspace that the task uses.
///
/// Off the guest's thread, since a large one takes a while to be counted, and since whoever changes it holds its count for
/// as long as it takes to ask the store whether it is here.
async fn open_workspace(
    shared: &Arc<Shared>,
    task: &Claimed,
    history: &History,
    grant: WorkspaceGrant,
) -> Result<Entered, NotHere> {
    let choice = task.extras.as_deref().and_then(|extras| extras.workspace.as_ref());
    let is_fresh = choice.and_then(|choice| choice.fresh).unwrap_or(grant.fresh);
    let id = workspace_of(task).clone();
    // What others use is not emptied for one of them.
    let empties = is_fresh && id == task.id && is_retry(history);
    let calls = shared.delegates.file_calls();
    let (shared, name, user) = (Arc::clone(shared), id.clone(), task.id.clone());
    let opened = tokio::task::spawn_blocking(move || {
        shared.workspaces.open(&name, OpenedBy { task: &user, grant: &grant, empties })
    });
    let opened = opened.await.unwrap_or_else(|_| Err(std::io::Error::other("it was given up")));
    let mut entered = opened.map_err(|error| NotHere::Shut { workspace: id, error })?;
    entered.workspace.calls = Some(calls);
    Ok(entered)
}

/// The name of the workspace that a task uses.
fn workspace_of(task: &Claimed) -> &TaskId {
    task.extras.as_deref().and_then(|extras| extras.workspace_of()).unwrap_or(&task.id)
}

/// Whether an earlier run began at this stage and came to nothing.
///
/// What was pushed before anybody has begun is there for the first run. Where stages of this attempt are done, their files are
/// kept: the next one stands on them.
const fn is_retry(history: &History) -> bool {
    history.elapsed_micros == 0 && history.past().was_begun()
}

/// Lets children use no workspace but their own or the one that their parent uses, which is kept for them; and sends them
/// where that is.
pub(crate) fn check_children(shared: &Shared, task: &Claimed, home: Option<&Home>, mut end: RunEnd) -> RunEnd {
    let own = workspace_of(task);
    let named = |child: &bulkhead_core::Child| child.task.extras.as_deref()?.workspace_of().cloned();
    let children = end.children_mut();
    let Some(first) = children.iter().find_map(named) else { return end };
    for child in children.iter_mut().filter(|child| named(child).is_some()) {
        child.task.route.home = home.cloned();
    }
    if let Some(other) = children.iter().filter_map(named).find(|id| id != own) {
        return RunEnd::Invalid(format!(
            "a child may use the workspace of its parent, `workspace:{own}`, not `{other}`"
        ));
    }
    if let Err(error) = shared.workspaces.hold(&first) {
        tracing::warn!(%error, workspace = first.as_str(), "the workspace may go before those who are to use it run");
    }
    end
}

#[cfg(test)]
mod tests {
    use bulkhead_core::Digest;

    use super::*;

    #[test]
    fn only_a_task_that_a_run_has_begun_is_retried() {
        let never = History { epoch: 1, ..History::default() };
        let digests = vec![Digest::from_bytes([7; 32])];
        for (history, retried) in [
            (never.clone(), false),
            // Declined, or without a sandbox: no run has begun.
            (History { deferrals: 3, declined: digests.clone(), ..never.clone() }, false),
            (History { deferrals: 1, digests: digests.clone(), ..never.clone() }, true),
            (History { attempts: 1, ..never.clone() }, true),
            (History { attempts: 1, deferrals: 2, ..never.clone() }, true),
            (History { losses: 1, ..never.clone() }, true),
            (History { epoch: 2, ..never.clone() }, true),
            // A stage of this attempt is done, whatever became of the next.
            (History { stage: 1, elapsed_micros: 5, digests: digests.clone(), ..never.clone() }, false),
            (History { stage: 1, elapsed_micros: 5, digests, deferrals: 1, attempts: 1, ..never }, false),
        ] {
            assert_eq!(is_retry(&history), retried, "{history:?}");
        }
    }
}
