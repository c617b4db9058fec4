//! Why the host does not do something with a workspace.

use std::io;

use bulkhead_core::TaskId;
use bulkhead_sandbox::WorkspaceBounds;
use bulkhead_sandbox::workspace::is_full;
use bulkhead_store::StoreError;

/// Why something was not done with a workspace.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// There is no such workspace.
    #[error("there is no workspace `{0}` on this host; a task's workspace is made when it first runs, or by a push")]
    Unknown(TaskId),
    /// Another host has it.
    #[error(
        "workspace `{id}` is on host `{host}`: ask that host; if it is gone for good, `bulkhead workspace release {host}` gives up what it has"
    )]
    Elsewhere {
        /// The workspace.
        id: TaskId,
        /// The name of the worker there.
        host: String,
    },
    /// Another host was the first to put something into it.
    #[error("workspace `{0}` was just begun on another host; try again, and you are told which")]
    TakenElsewhere(TaskId),
    /// The store does not say where it is.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no such file.
    #[error("there is no file `{}` in workspace `{id}`", .path.escape_debug())]
    NoFile {
        /// The workspace.
        id: TaskId,
        /// The path.
        path: String,
    },
    /// Something else is there, or on the way.
    #[error("`{}` {rule}", .path.escape_debug())]
    Unfit {
        /// The path.
        path: String,
        /// What is wrong with it.
        rule: &'static str,
    },
    /// A run uses it.
    #[error("workspace `{0}` is in use by a run; try again when that is over")]
    InUse(TaskId),
    /// Its bounds would be exceeded.
    #[error(
        "there is no room in workspace `{id}`: it may hold {bytes} (workspace.max_bytes) and {files} files (workspace.max_files)",
        bytes = .bounds.bytes, files = .bounds.files
    )]
    Full {
        /// The workspace.
        id: TaskId,
        /// Its bounds.
        bounds: WorkspaceBounds,
    },
    /// The disk is full.
    #[error("the disk of the workspaces is full; make room on the host")]
    DiskFull,
    /// Too many uploads at once.
    #[error("too many files are pushed at once; try again")]
    Busy,
    /// The system refuses.
    #[error("the workspace cannot be used; the host's log says more")]
    System(#[source] io::Error),
}

impl WorkspaceError {
    /// What an error of the system means for this path.
    pub(super) fn of(id: &TaskId, path: &str, error: io::Error) -> Self {
        let unfit = |rule| Self::Unfit { path: path.to_owned(), rule };
        match error.kind() {
            io::ErrorKind::NotFound => Self::NoFile { id: id.clone(), path: path.to_owned() },
            io::ErrorKind::NotADirectory => unfit("leads through something that is no folder"),
            io::ErrorKind::IsADirectory => unfit("is a folder"),
            io::ErrorKind::AlreadyExists => unfit("is there already"),
            io::ErrorKind::PermissionDenied => {
                unfit("may not be touched: it is neither a file nor a folder, or belongs to somebody else on the host")
            }
            io::ErrorKind::DirectoryNotEmpty => {
                unfit("is a folder with too much in it to be emptied in one go, or is filled meanwhile; try again")
            }
            _ if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
                unfit("leads through a link, which is not followed")
            }
            _ if is_full(&error) => Self::DiskFull,
            _ => Self::System(error),
        }
    }
}
