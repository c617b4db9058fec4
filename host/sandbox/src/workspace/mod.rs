//! A folder of the host that a run sees as `/workspace`.
//!
//! `usage` counts what is in it, `files` changes it within its bounds, `grant` is what the operator says; `guest` is
//! wasi:filesystem as guests find it, with `input` and `output` for its streams and `calls` to count what they do. The host's own side (pushes, lists) goes
//! through `files` as guests do, so that one count and one set of rules holds for both.

mod calls;
mod files;
mod grant;
mod guest;
mod input;
mod output;
mod run_files;
mod usage;

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use bulkhead_core::{CallerWorkspace, InUse, Overrun, Size};
use cap_primitives::ambient_authority;

pub use self::calls::{FileCalls, FileResult};
pub use self::files::{Opening, WorkspaceRoom, is_full};
pub use self::grant::{WorkspaceAccess, WorkspaceGrant};
pub(crate) use self::guest::{GuestFiles, WorkspaceFilesystem};
pub(crate) use self::run_files::RunFiles;
use self::usage::overrun;
pub use self::usage::{Begun, Keeper, MAX_DEPTH, WorkspaceUsage};

/// The folder, and what the guest may do there.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// The folder on the host.
    pub folder: PathBuf,
    /// What the guest may do.
    pub access: WorkspaceAccess,
    /// What it may hold.
    pub bounds: WorkspaceBounds,
    /// What it holds; shared by everybody who uses the same folder at the same time.
    pub usage: Arc<WorkspaceUsage>,
    /// Who is told of the guest's calls.
    pub calls: Option<Arc<dyn FileCalls>>,
}

impl Workspace {
    /// A folder that nobody else uses, with what it holds now counted; blocks for as long as that takes.
    pub fn open(folder: PathBuf, access: WorkspaceAccess, bounds: WorkspaceBounds) -> std::io::Result<Self> {
        let usage = Arc::new(WorkspaceUsage::default());
        usage.count(&open_folder(&folder)?, bounds.files);
        Ok(Self { folder, access, bounds, usage, calls: None })
    }
}

/// Opens a folder by its path on the host, for what is done beneath it.
pub fn open_folder(folder: &std::path::Path) -> std::io::Result<File> {
    cap_primitives::fs::open_ambient_dir(folder, ambient_authority())
}

impl From<&Workspace> for CallerWorkspace {
    fn from(workspace: &Workspace) -> Self {
        Self {
            folder: workspace.folder.clone(),
            writable: workspace.access == WorkspaceAccess::ReadWrite,
            in_use: InUse::of(Arc::clone(workspace.usage.begun())),
            overrun: {
                let (folder, bounds) = (workspace.folder.clone(), workspace.bounds);
                Overrun::by(move || overrun(&folder, bounds))
            },
        }
    }
}

/// What a workspace may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkspaceBounds {
    /// Bytes of all its files together, as they appear: holes count.
    pub bytes: Size,
    /// Its files, folders and links together.
    pub files: u64,
}

impl Default for WorkspaceBounds {
    fn default() -> Self {
        Self { bytes: Size::from_mib(1024), files: 10_000 }
    }
}
