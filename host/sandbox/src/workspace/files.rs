//! What is done in a workspace, within its bounds and never outside of its folder.
//!
//! Everything here blocks. Paths are resolved beneath the folder they start from, whatever links are on the way.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cap_primitives::fs::{
    DirOptions, FollowSymlinks, Metadata, MetadataExt, OpenOptions, OpenOptionsExt, create_dir, open, remove_dir,
    remove_file, rename, stat, symlink,
};
use rustix::fs::OFlags;
use rustix::io::{Errno, ReadWriteFlags, pwritev2};

use super::usage::Counted;
use super::{WorkspaceBounds, WorkspaceUsage};

/// A workspace as one of those who change it sees it: what it holds, and how much more that may be.
#[derive(Debug)]
pub struct WorkspaceRoom {
    usage: Arc<WorkspaceUsage>,
    bounds: WorkspaceBounds,
    /// Whether anything was refused for want of room.
    refused: AtomicBool,
}

/// How a file or folder is opened.
#[derive(Debug, Clone, Copy, Default)]
pub struct Opening {
    /// To read; what is not opened to write is opened to read.
    pub read: bool,
    /// To write.
    pub write: bool,
    /// Made where it is not there.
    pub create: bool,
    /// Refused where it is there.
    pub exclusive: bool,
    /// Emptied.
    pub truncate: bool,
    /// Whether the last part of the path may be a link.
    pub follow: bool,
}

/// The error of what there is no room for: the same as that of a full disk.
fn full() -> io::Error {
    Errno::NOSPC.into()
}

/// Whether something was refused because there is no room for it, in the workspace or on the disk.
pub fn is_full(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::NOSPC.raw_os_error())
}

impl WorkspaceRoom {
    /// The room in a workspace that was counted.
    pub fn new(usage: Arc<WorkspaceUsage>, bounds: WorkspaceBounds) -> Self {
        Self { usage, bounds, refused: AtomicBool::new(false) }
    }

    /// The bounds.
    pub const fn bounds(&self) -> WorkspaceBounds {
        self.bounds
    }

    /// Whether anything was refused for want of room so far.
    pub fn has_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    /// Bytes and files that it holds now.
    pub fn holds(&self) -> (u64, u64) {
        self.usage.now()
    }

    /// Whether so much may be added.
    fn check(&self, counted: &mut Counted, bytes: u64, files: u64) -> io::Result<()> {
        if !counted.has_room(self.bounds, bytes, files) {
            self.refused.store(true, Ordering::Relaxed);
            return Err(full());
        }
        if bytes > 0 || files > 0 { counted.keep() } else { Ok(()) }
    }

    /// Opens a file or a folder; anything else (FIFO, device, socket) is refused, and never waited for.
    pub fn open(&self, folder: &File, path: &Path, how: Opening) -> io::Result<Arc<File>> {
        self.open_as(folder, path, how, |file, _| {
            let file = Arc::new(file);
            (Arc::clone(&file), file)
        })
    }

    /// The same for those who keep it in their own way: they are told whether it is a folder, and give what is watched
    /// for as long as it is open.
    pub(super) fn open_as<T>(
        &self,
        folder: &File,
        path: &Path,
        how: Opening,
        keep: impl FnOnce(File, bool) -> (Arc<File>, T),
    ) -> io::Result<T> {
        let mut counted = self.usage.lock();
        let follow = if how.follow { FollowSymlinks::Yes } else { FollowSymlinks::No };
        let is_new = match stat(folder, path, follow) {
            Ok(_) if how.create && how.exclusive => return Err(Errno::EXIST.into()),
            // Looked at before it is opened, since a device may do something when it is.
            Ok(metadata) => {
                let is_link = !how.follow && metadata.is_symlink();
                if is_link { Err(Errno::LOOP.into()) } else { is_plain(&metadata).map(|()| false) }?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && how.create => true,
            Err(error) => return Err(error),
        };
        if is_new {
            self.check(&mut counted, 0, 1)?;
        }
        let mut options = OpenOptions::new();
        options.read(how.read || !how.write).write(how.write)._cap_fs_ext_follow(follow);
        // Whatever has taken its place meanwhile does not block, and becomes nobody's terminal.
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        options.custom_flags(i32::try_from(flags.bits()).unwrap_or_default());
        if is_new {
            options.create(true);
        }
        let file = open(folder, path, &options)?;
        if is_new {
            counted.add_files(1);
        }
        let metadata = Metadata::from_file(&file)?;
        is_plain(&metadata)?;
        if metadata.is_file() && how.truncate {
            file.set_len(0)?;
            counted.resized(metadata.len(), 0);
        }
        let (file, kept) = keep(file, metadata.is_dir());
        counted.opened(&metadata, &file);
        Ok(kept)
    }

    /// Writes all of the bytes from this position on; a hole before them counts.
    pub fn write_all_at(&self, file: &File, bytes: &[u8], position: u64) -> io::Result<()> {
        self.grow(file, |_| position.saturating_add(bytes.len() as u64), || file.write_all_at(bytes, position))
    }

    /// Writes some of the bytes from this position on; says how many.
    pub fn write_at(&self, file: &File, bytes: &[u8], position: u64) -> io::Result<usize> {
        self.grow(file, |_| position.saturating_add(bytes.len() as u64), || file.write_at(bytes, position))
    }

    /// Writes all of the bytes at the file's end.
    pub fn append_all(&self, file: &File, bytes: &[u8]) -> io::Result<()> {
        let end = |size: u64| size.saturating_add(bytes.len() as u64);
        self.grow(file, end, || {
            let mut left = bytes;
            while !left.is_empty() {
                let written = pwritev2(file, &[io::IoSlice::new(left)], 0, ReadWriteFlags::APPEND)?;
                left = left.get(written..).unwrap_or_default();
            }
            Ok(())
        })
    }

    /// Gives the file another size.
    pub fn set_len(&self, file: &File, size: u64) -> io::Result<()> {
        self.grow(file, |_| size, || file.set_len(size))
    }

    /// Does what may make the file larger, up to this end, where there is room for that.
    fn grow<T>(
        &self,
        file: &File,
        end: impl FnOnce(u64) -> u64,
        work: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        let mut counted = self.usage.lock();
        let size = file.metadata()?.len();
        self.check(&mut counted, end(size).saturating_sub(size), 0)?;
        let done = work();
        // Half of it may have been done where it failed.
        counted.resized(size, file.metadata()?.len());
        done
    }

    /// Makes a folder.
    pub fn create_dir(&self, folder: &File, path: &Path) -> io::Result<()> {
        let mut counted = self.usage.lock();
        self.check(&mut counted, 0, 1)?;
        create_dir(folder, path, &DirOptions::new())?;
        counted.add_files(1);
        Ok(())
    }

    /// Makes a link, which may lead nowhere outside.
    pub fn symlink(&self, target: &Path, folder: &File, path: &Path) -> io::Result<()> {
        let mut counted = self.usage.lock();
        self.check(&mut counted, 0, 1)?;
        symlink(target, folder, path)?;
        counted.add_files(1);
        Ok(())
    }

    /// Removes a file, a link, or anything else that is no folder.
    pub fn remove_file(&self, folder: &File, path: &Path) -> io::Result<()> {
        let mut counted = self.usage.lock();
        let metadata = stat(folder, path, FollowSymlinks::No)?;
        remove_file(folder, path)?;
        counted.removed(&metadata);
        Ok(())
    }

    /// Removes an empty folder.
    pub fn remove_dir(&self, folder: &File, path: &Path) -> io::Result<()> {
        let mut counted = self.usage.lock();
        let metadata = stat(folder, path, FollowSymlinks::No)?;
        remove_dir(folder, path)?;
        counted.removed(&metadata);
        Ok(())
    }

    /// Gives something another name, in place of what has that name.
    pub fn rename(&self, folder: &File, path: &Path, to: &File, new: &Path) -> io::Result<()> {
        let mut counted = self.usage.lock();
        let moved = stat(folder, path, FollowSymlinks::No)?;
        let replaced = stat(to, new, FollowSymlinks::No).ok();
        rename(folder, path, to, new)?;
        // Two names of one file stay as they are.
        if let Some(replaced) = replaced.filter(|other| (other.dev(), other.ino()) != (moved.dev(), moved.ino())) {
            counted.removed(&replaced);
        }
        Ok(())
    }

    /// Puts a file from outside under a name inside, in place of what has that name, where there is room for it.
    pub fn adopt(&self, outside: &File, path: &Path, to: &File, new: &Path) -> io::Result<()> {
        let mut counted = self.usage.lock();
        let adopted = stat(outside, path, FollowSymlinks::No)?;
        let replaced = stat(to, new, FollowSymlinks::No).ok();
        let (bytes, files) = match &replaced {
            Some(replaced) if replaced.is_file() => (adopted.len().saturating_sub(replaced.len()), 0),
            Some(_) => (adopted.len(), 0),
            None => (adopted.len(), 1),
        };
        self.check(&mut counted, bytes, files)?;
        rename(outside, path, to, new)?;
        if let Some(replaced) = replaced {
            counted.removed(&replaced);
        }
        counted.add_files(1);
        counted.resized(0, adopted.len());
        Ok(())
    }
}

/// Whether it is a file or a folder, and neither a FIFO, a device nor a socket.
fn is_plain(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_file() || metadata.is_dir() { Ok(()) } else { Err(Errno::PERM.into()) }
}

#[cfg(test)]
mod tests;
