//! Removing a folder with all that is in it, however deep, and whatever is done there meanwhile.
//!
//! A container may outlive its run, and go on in the folder that it was given, wherever that is moved. So nothing is removed
//! by a path, in which it could put a link: folders are opened one by one, never through a link, and what is in one is
//! removed from there.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use bulkhead_sandbox::workspace::{Opening, WorkspaceRoom, open_folder};
use rustix::fs::{AtFlags, Mode, OFlags, chmod, fstat, openat, renameat, unlinkat};
use rustix::io::Errno;

use super::listing::names;

/// Files and folders that are removed in one go. Who makes more of them all the time keeps no thread for ever; it is a
/// hundred times what a workspace holds unless more is allowed.
const MOST: u64 = 1_000_000;

/// Removes what is in a folder that is open, one thing at a time.
pub(super) trait Remover {
    /// Removes what is no folder; of a folder the error says that it is one.
    fn unlink(&self, folder: &File, name: &OsStr) -> io::Result<()>;

    /// Removes an empty folder.
    fn unlink_folder(&self, folder: &File, name: &OsStr) -> io::Result<()>;

    /// Opens a folder, and no link to one.
    fn enter(&self, folder: &File, name: &OsStr) -> io::Result<Arc<File>>;

    /// Moves a folder to another, under a new name.
    fn lift(&self, folder: &File, name: &OsStr, to: &File, new: &OsStr) -> io::Result<()>;
}

/// In a workspace that is in use: its count stays right.
impl Remover for WorkspaceRoom {
    fn unlink(&self, folder: &File, name: &OsStr) -> io::Result<()> {
        self.remove_file(folder, name.as_ref())
    }

    fn unlink_folder(&self, folder: &File, name: &OsStr) -> io::Result<()> {
        self.remove_dir(folder, name.as_ref())
    }

    fn enter(&self, folder: &File, name: &OsStr) -> io::Result<Arc<File>> {
        self.open(folder, name.as_ref(), Opening::default())
    }

    fn lift(&self, folder: &File, name: &OsStr, to: &File, new: &OsStr) -> io::Result<()> {
        self.rename(folder, name.as_ref(), to, new.as_ref())
    }
}

/// In a folder that no workspace is any more.
struct Uncounted;

impl Remover for Uncounted {
    fn unlink(&self, folder: &File, name: &OsStr) -> io::Result<()> {
        Ok(unlinkat(folder, name, AtFlags::empty())?)
    }

    fn unlink_folder(&self, folder: &File, name: &OsStr) -> io::Result<()> {
        Ok(unlinkat(folder, name, AtFlags::REMOVEDIR)?)
    }

    fn enter(&self, folder: &File, name: &OsStr) -> io::Result<Arc<File>> {
        let found = let_in(folder, name)?;
        Ok(Arc::new(openat(&found, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?.into()))
    }

    fn lift(&self, folder: &File, name: &OsStr, to: &File, new: &OsStr) -> io::Result<()> {
        match renameat(folder, name, to, new) {
            // A folder that may not be written to cannot leave the one that it is in.
            Err(Errno::ACCESS) => {
                let_in(folder, name)?;
                Ok(renameat(folder, name, to, new)?)
            }
            lifted => Ok(lifted?),
        }
    }
}

/// Finds a folder, and no link to one, and lets the host in where a container that ran as the host's user has shut it.
fn let_in(folder: &File, name: &OsStr) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let found = openat(folder, name, flags, Mode::empty())?;
    if !Mode::from_raw_mode(fstat(&found)?.st_mode).contains(Mode::RWXU) {
        // What is open, and not what has the name by now. Where it is another user's, the next step fails, and says so.
        let _ = chmod(format!("/proc/self/fd/{}", found.as_raw_fd()), Mode::RWXU);
    }
    Ok(found)
}

/// Removes a folder, or a file, of which nobody but the host can make something else.
///
/// Where more comes into it, or is in it, than is removed in one go, the error is that it is not empty.
pub(super) fn remove_tree(tree: &Path) -> io::Result<()> {
    let (Some(folder), Some(name)) = (tree.parent(), tree.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    remove(&Uncounted, &open_folder(folder)?, name)
}

/// Removes what has this name in a folder; the error where that is too much for one go is that it is not empty.
pub(super) fn remove(by: &impl Remover, folder: &File, name: &OsStr) -> io::Result<()> {
    match by.unlink(folder, name) {
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => {}
        removed => return removed,
    }
    empty(by, &*by.enter(folder, name)?, MOST)?;
    by.unlink_folder(folder, name)
}

/// Removes what is in a folder, so many files and folders at most.
///
/// Folders inside of folders come up to the top first, so that neither the stack nor open files grow with the depth.
fn empty(by: &impl Remover, top: &File, most: u64) -> io::Result<()> {
    let mut left = most;
    let mut next = || {
        left = left.checked_sub(1).ok_or(Errno::NOTEMPTY)?;
        io::Result::Ok(())
    };
    loop {
        let entries = names(top)?;
        if entries.is_empty() {
            return Ok(());
        }
        for name in entries {
            next()?;
            let Some(folder) = unless_changed(unlink_or_enter(by, top, &name))?.flatten() else { continue };
            for within in unless_changed(names(&folder))?.unwrap_or_default() {
                next()?;
                let unique = format!(".{:016x}", fastrand::u64(..));
                match by.unlink(&folder, &within) {
                    Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
                        unless_changed(by.lift(&folder, &within, top, unique.as_ref()))?
                    }
                    unlinked => unless_changed(unlinked)?,
                };
            }
            unless_changed(by.unlink_folder(top, &name))?;
        }
    }
}

/// Removes what is no folder, and opens what is one.
fn unlink_or_enter(by: &impl Remover, folder: &File, name: &OsStr) -> io::Result<Option<Arc<File>>> {
    match by.unlink(folder, name) {
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => by.enter(folder, name).map(Some),
        unlinked => unlinked.map(|()| None),
    }
}

/// What the system says of something that somebody else has changed between two looks at it.
const CHANGED: [Errno; 5] = [Errno::NOENT, Errno::NOTDIR, Errno::LOOP, Errno::NOTEMPTY, Errno::EXIST];

/// Nothing, where somebody else has changed it meanwhile: what it is now, the next look shows.
fn unless_changed<T>(done: io::Result<T>) -> io::Result<Option<T>> {
    match done {
        Err(error) if Errno::from_io_error(&error).is_some_and(|errno| CHANGED.contains(&errno)) => Ok(None),
        done => done.map(Some),
    }
}

#[cfg(test)]
mod tests;
