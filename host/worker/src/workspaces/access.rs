//! Workspaces as the API reaches them. Everything here blocks.

use std::fs::File;
use std::io;
use std::sync::Arc;

use bulkhead_core::TaskId;
use bulkhead_sandbox::workspace::{Opening, WorkspaceRoom, open_folder};
use rustix::fs::{AtFlags, FileType, statat};

use super::folders::make_workspace;
use super::name::folder_name;
use super::{Claim, WorkspaceError, WorkspacePath, Workspaces, removal};

/// A workspace that somebody outside changes or reads.
pub(super) struct Opened {
    claim: Option<Arc<Claim>>,
    pub(super) room: WorkspaceRoom,
    pub(super) root: File,
}

impl Opened {
    /// The folder of a path, and the name in it; no link is followed on the way.
    pub(super) fn parent<'path>(&self, path: &'path WorkspacePath, make: bool) -> io::Result<(File, &'path str)> {
        let (folders, name) = path.parts();
        let mut at = self.root.try_clone()?;
        for folder in folders {
            let how = Opening::default();
            let next = match self.room.open(&at, folder.as_ref(), how) {
                Err(error) if make && error.kind() == io::ErrorKind::NotFound => {
                    match self.room.create_dir(&at, folder.as_ref()) {
                        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                        _ => self.room.open(&at, folder.as_ref(), how)?,
                    }
                }
                opened => opened?,
            };
            if !next.metadata()?.is_dir() {
                return Err(rustix::io::Errno::NOTDIR.into());
            }
            at = next.try_clone()?;
        }
        Ok((at, name))
    }

    /// What an error means: a refusal for want of room in the workspace is told from a full disk.
    pub(super) fn error(&self, id: &TaskId, path: &str, error: io::Error) -> WorkspaceError {
        if self.room.has_refused() {
            return WorkspaceError::Full { id: id.clone(), bounds: self.room.bounds() };
        }
        if self.claim.as_ref().is_some_and(|claim| claim.elsewhere().is_some()) {
            return WorkspaceError::TakenElsewhere(id.clone());
        }
        WorkspaceError::of(id, path, error)
    }
}

impl Workspaces {
    /// Refuses a workspace that another host has.
    pub(super) fn check_here(&self, id: &TaskId) -> Result<(), WorkspaceError> {
        let Some(bindings) = &self.bindings else { return Ok(()) };
        match bindings.block_on(bindings.bound_to(id))? {
            Some(home) if bindings.own().as_ref() != Some(&home.home) => {
                Err(WorkspaceError::Elsewhere { id: id.clone(), host: home.host })
            }
            _ => Ok(()),
        }
    }

    /// Opens a workspace that is there.
    pub(super) fn open_to_read(&self, id: &TaskId) -> Result<Opened, WorkspaceError> {
        self.check_here(id)?;
        self.open_here(id)
    }

    fn open_here(&self, id: &TaskId) -> Result<Opened, WorkspaceError> {
        let name = folder_name(id);
        let unknown = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => WorkspaceError::Unknown(id.clone()),
            _ => WorkspaceError::of(id, "", error),
        };
        let root = open_folder(&self.settings.root.join(&name)).map_err(unknown)?;
        let (usage, claim) = {
            let mut live = self.live();
            live.touched.insert(name.clone());
            self.usage_of(&mut live, id, &name)
        };
        usage.count(&root, self.settings.bounds.files);
        Ok(Opened { claim, room: WorkspaceRoom::new(usage, self.settings.bounds), root })
    }

    /// Opens a workspace, and makes it where it is not there yet.
    pub(super) fn open_to_change(&self, id: &TaskId) -> Result<Opened, WorkspaceError> {
        self.check_here(id)?;
        let name = folder_name(id);
        let made = {
            let mut live = self.live();
            live.touched.insert(name.clone());
            make_workspace(&self.settings.root, &self.settings.root.join(&name))
        };
        made.and_then(|()| self.notes.hold(&name)).map_err(|error| WorkspaceError::of(id, "", error))?;
        self.open_here(id)
    }

    /// Opens a file to be read; gives its length.
    pub fn read(&self, id: &TaskId, path: &WorkspacePath) -> Result<(Arc<File>, u64), WorkspaceError> {
        let opened = self.open_to_read(id)?;
        let of = |error| opened.error(id, path.as_str(), error);
        let (folder, name) = opened.parent(path, false).map_err(of)?;
        let file = opened.room.open(&folder, name.as_ref(), Opening::default()).map_err(of)?;
        let metadata = file.metadata().map_err(of)?;
        if metadata.is_dir() {
            return Err(of(rustix::io::Errno::ISDIR.into()));
        }
        Ok((file, metadata.len()))
    }

    /// Makes a folder, and those on the way; it may be there already.
    pub fn make_folder(&self, id: &TaskId, path: &WorkspacePath) -> Result<(), WorkspaceError> {
        let opened = self.open_to_change(id)?;
        let of = |error| opened.error(id, path.as_str(), error);
        let (folder, name) = opened.parent(path, true).map_err(of)?;
        match opened.room.create_dir(&folder, name.as_ref()) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && is_folder(&folder, name) => Ok(()),
            made => made.map_err(of),
        }
    }

    /// Removes a file, or a folder with all that is in it.
    pub fn remove(&self, id: &TaskId, path: &WorkspacePath) -> Result<(), WorkspaceError> {
        let opened = self.open_to_read(id)?;
        let of = |error| opened.error(id, path.as_str(), error);
        let (folder, name) = opened.parent(path, false).map_err(of)?;
        removal::remove(&opened.room, &folder, name.as_ref()).map_err(of)
    }

    /// Removes a workspace that no run uses.
    pub fn remove_all(&self, id: &TaskId) -> Result<(), WorkspaceError> {
        self.check_here(id)?;
        let name = folder_name(id);
        let removed = self.notes.removed().map_err(|error| WorkspaceError::of(id, "", error))?;
        {
            let live = self.live();
            if live.is_used(&name) {
                return Err(WorkspaceError::InUse(id.clone()));
            }
            match std::fs::rename(self.settings.root.join(&name), &removed) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Err(WorkspaceError::Unknown(id.clone()));
                }
                moved => moved.map_err(|error| WorkspaceError::of(id, "", error))?,
            }
            self.notes.forget(&name);
        }
        if let Some(bindings) = &self.bindings {
            bindings.block_on(bindings.unbind(id))?;
        }
        match removal::remove_tree(&removed) {
            // The sweep goes on with it.
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
            done => done.map_err(|error| WorkspaceError::of(id, "", error)),
        }
    }
}

/// Whether a folder, and no link to one, has the name.
fn is_folder(folder: &File, name: &str) -> bool {
    let found = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW);
    found.is_ok_and(|found| FileType::from_raw_mode(found.st_mode) == FileType::Directory)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;
    use crate::workspaces::WorkspaceSettings;

    #[test]
    fn a_folder_goes_with_what_has_a_name_that_nobody_can_ask_for() {
        let root = tempfile::tempdir().expect("a folder");
        let workspaces = Workspaces::new(WorkspaceSettings::at(root.path().to_owned()), None);
        let id = TaskId::parse("t1").expect("an id");
        let folder = root.path().join("t1/folder/within");
        std::fs::create_dir_all(&folder).expect("folders");
        std::fs::write(folder.join(OsStr::from_bytes(b"\xff")), "four").expect("a file");
        std::fs::write(root.path().join("t1/stays"), "three").expect("a file");
        workspaces.remove(&id, &WorkspacePath::parse("folder").expect("a path")).expect("it goes");
        let left = workspaces.list(&id, None, 10).expect("a page");
        assert_eq!((left.items.len(), left.files, left.bytes), (1, 1, 5));
    }
}
