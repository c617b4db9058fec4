//! A folder of the host that a run sees as `/workspace`.

use std::path::PathBuf;

use bulkhead_core::CallerWorkspace;
use serde::{Deserialize, Serialize};

/// The folder, and what the guest may do there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// The folder on the host.
    pub folder: PathBuf,
    /// What the guest may do.
    pub access: WorkspaceAccess,
}

impl From<&Workspace> for CallerWorkspace {
    fn from(workspace: &Workspace) -> Self {
        Self { folder: workspace.folder.clone(), writable: workspace.access == WorkspaceAccess::ReadWrite }
    }
}

/// What a guest may do in its workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorkspaceAccess {
    /// Read files and list folders.
    Read,
    /// Also write, create, rename and remove.
    ReadWrite,
}
