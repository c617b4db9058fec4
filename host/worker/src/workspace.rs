//! The workspace of a claimed task's run.

use std::sync::Arc;

use bulkhead_core::{RunEnd, TaskId};
use bulkhead_sandbox::{Workspace, WorkspaceGrant};
use bulkhead_store::{Claimed, History};

use crate::shared::Shared;
use crate::workspaces::OpenedBy;

/// Opens the workspace that the task uses; none where it cannot be, which the guest is told as a folder that is not there.
///
/// Off the guest's thread, since a large one takes a while to be counted.
pub(crate) async fn open_workspace(
    shared: &Arc<Shared>,
    task: &Claimed,
    history: &History,
    grant: WorkspaceGrant,
) -> Option<Workspace> {
    let choice = task.extras.as_deref().and_then(|extras| extras.workspace.as_ref());
    let is_fresh = choice.and_then(|choice| choice.fresh).unwrap_or(grant.fresh);
    let id = workspace_of(task).clone();
    // What others use is not emptied for one of them.
    let empties = is_fresh && id == task.id && is_retry(history);
    let (shared, name, user) = (Arc::clone(shared), id.clone(), task.id.clone());
    let opened = tokio::task::spawn_blocking(move || {
        shared.workspaces.open(&name, OpenedBy { task: &user, grant: &grant, empties })
    });
    match opened.await.unwrap_or_else(|_| Err(std::io::Error::other("it was given up"))) {
        Ok(workspace) => Some(workspace),
        Err(error) => {
            tracing::warn!(%error, workspace = id.as_str(), task = task.id.as_str(), "the workspace cannot be opened");
            None
        }
    }
}

/// The name of the workspace that a task uses.
fn workspace_of(task: &Claimed) -> &TaskId {
    task.extras.as_deref().and_then(|extras| extras.workspace_of()).unwrap_or(&task.id)
}

/// Whether an earlier run came to nothing, and not only to a stage.
const fn is_retry(history: &History) -> bool {
    let begins = history.elapsed_micros == 0;
    history.deferrals > 0 || (begins && (history.attempts > 0 || history.epoch > 1 || history.losses > 0))
}

/// Lets children use no workspace but their own or the one that their parent uses, which is kept for them.
pub(crate) fn check_children(shared: &Shared, task: &Claimed, mut end: RunEnd) -> RunEnd {
    let own = workspace_of(task);
    let named = |child: &bulkhead_core::Child| child.task.extras.as_deref()?.workspace_of().cloned();
    let children = end.children_mut();
    let Some(first) = children.iter().find_map(named) else { return end };
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
