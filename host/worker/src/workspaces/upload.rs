//! A file on its way into a workspace.

use std::fs::File;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::Arc;

use bulkhead_core::TaskId;
use bulkhead_sandbox::workspace::open_folder;
use tokio::sync::OwnedSemaphorePermit;

use super::{WorkspaceError, WorkspacePath, Workspaces};

/// A file that nobody sees before it is whole; dropped before that, it leaves nothing behind.
#[derive(Debug)]
pub struct Upload {
    workspaces: Arc<Workspaces>,
    id: TaskId,
    path: WorkspacePath,
    file: File,
    /// Where it is until it is whole, and what it is called there.
    folder: PathBuf,
    name: String,
    length: u64,
    _turn: OwnedSemaphorePermit,
}

impl Workspaces {
    /// Begins to take in a file, where the workspace is not another host's; blocks.
    pub fn upload(self: &Arc<Self>, id: TaskId, path: WorkspacePath) -> Result<Upload, WorkspaceError> {
        self.check_here(&id)?;
        let turn = Arc::clone(&self.uploads).try_acquire_owned().map_err(|_| WorkspaceError::Busy)?;
        let made = self.notes.upload().and_then(|(folder, name)| {
            let mut options = File::options();
            options.write(true).create_new(true).mode(0o666);
            options.open(folder.join(&name)).map(|file| (file, folder, name))
        });
        let (file, folder, name) = made.map_err(|error| WorkspaceError::of(&id, path.as_str(), error))?;
        Ok(Upload { workspaces: Arc::clone(self), id, path, file, folder, name, length: 0, _turn: turn })
    }
}

impl Upload {
    /// Takes in more of it; blocks.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), WorkspaceError> {
        let bounds = self.workspaces.settings.bounds;
        if self.length.saturating_add(bytes.len() as u64) > bounds.bytes.bytes() {
            return Err(WorkspaceError::Full { id: self.id.clone(), bounds });
        }
        let written = self.file.write_all_at(bytes, self.length);
        written.map_err(|error| WorkspaceError::of(&self.id, self.path.as_str(), error))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Puts it into the workspace, in place of what has its name; gives its length. Blocks.
    pub fn finish(self) -> Result<u64, WorkspaceError> {
        let opened = self.workspaces.open_to_change(&self.id)?;
        let of = |error| opened.error(&self.id, self.path.as_str(), error);
        let (folder, name) = opened.parent(&self.path, true).map_err(of)?;
        let uploads = open_folder(&self.folder).map_err(of)?;
        opened.room.adopt(&uploads, self.name.as_ref(), &folder, name.as_ref()).map_err(of)?;
        Ok(self.length)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        // It is gone from there where it is whole.
        let _ = std::fs::remove_file(self.folder.join(&self.name));
    }
}
