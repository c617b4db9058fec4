//! What the host keeps of one guest's files.

use std::fs::File;
use std::sync::{Arc, Weak};

use wasmtime_wasi::p2::FsResult;
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;

use super::calls::Calls;
use super::{Workspace, WorkspaceBounds, WorkspaceRoom};

/// Files and folders that one guest may have open: far fewer than the host may, for all of its guests together.
const MAX_OPEN: usize = 128;

/// What the host keeps of one guest's files.
#[derive(Debug, Default)]
pub(crate) struct RunFiles {
    room: Option<Arc<WorkspaceRoom>>,
    /// What is open; streams keep a file open after its descriptor is gone.
    open: Vec<Weak<File>>,
    calls: Calls,
}

impl RunFiles {
    pub(crate) fn of(workspace: Option<&Workspace>) -> Self {
        let room = workspace.map(|workspace| WorkspaceRoom::new(Arc::clone(&workspace.usage), workspace.bounds));
        let calls = Calls::told(workspace.and_then(|workspace| workspace.calls.clone()));
        Self { room: room.map(Arc::new), open: Vec::new(), calls }
    }

    /// The guest's view of its workspace, where it has one.
    pub(super) fn room(&self) -> Option<Arc<WorkspaceRoom>> {
        self.room.clone()
    }

    /// Where the guest's calls are counted.
    pub(super) fn calls(&self) -> Calls {
        self.calls.clone()
    }

    /// Remembers what is open for as long as anybody holds it.
    pub(super) fn opened(&mut self, file: &Arc<File>) {
        self.open.push(Arc::downgrade(file));
    }

    /// The bounds that anything was refused for.
    pub(crate) fn refused_for(&self) -> Option<WorkspaceBounds> {
        self.room.as_ref().filter(|room| room.has_refused()).map(|room| room.bounds())
    }

    /// Whether one more may be open.
    pub(super) fn check_open(&mut self) -> FsResult<()> {
        if self.open.len() >= MAX_OPEN {
            self.open.retain(|file| file.strong_count() > 0);
        }
        // WASI has no word for it.
        if self.open.len() >= MAX_OPEN { Err(ErrorCode::InsufficientMemory.into()) } else { Ok(()) }
    }
}
