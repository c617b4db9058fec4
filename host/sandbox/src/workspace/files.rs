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

    fn check(&self, counted: &Counted, bytes: u64, files: u64) -> io::Result<()> {
        if counted.has_room(self.bounds, bytes, files) {
            return Ok(());
        }
        self.refused.store(true, Ordering::Relaxed);
        Err(full())
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
            self.check(&counted, 0, 1)?;
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
        self.check(&counted, end(size).saturating_sub(size), 0)?;
        let done = work();
        // Half of it may have been done where it failed.
        counted.resized(size, file.metadata()?.len());
        done
    }

    /// Makes a folder.
    pub fn create_dir(&self, folder: &File, path: &Path) -> io::Result<()> {
        let mut counted = self.usage.lock();
        self.check(&counted, 0, 1)?;
        create_dir(folder, path, &DirOptions::new())?;
        counted.add_files(1);
        Ok(())
    }

    /// Makes a link, which may lead nowhere outside.
    pub fn symlink(&self, target: &Path, folder: &File, path: &Path) -> io::Result<()> {
        let mut counted = self.usage.lock();
        self.check(&counted, 0, 1)?;
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
        self.check(&counted, bytes, files)?;
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
mod tests {
    use bulkhead_core::Size;

    use super::*;
    use crate::workspace::open_folder;

    struct World {
        folder: tempfile::TempDir,
        usage: Arc<WorkspaceUsage>,
        room: WorkspaceRoom,
        root: File,
    }

    fn world(bytes: u64, files: u64) -> World {
        let folder = tempfile::tempdir().unwrap();
        let usage = Arc::new(WorkspaceUsage::default());
        let root = open_folder(folder.path()).unwrap();
        usage.count(&root, files);
        let bounds = WorkspaceBounds { bytes: Size::from_bytes(bytes), files };
        World { folder, room: WorkspaceRoom::new(Arc::clone(&usage), bounds), usage, root }
    }

    const MAKE: Opening =
        Opening { read: true, write: true, create: true, exclusive: false, truncate: false, follow: true };

    impl World {
        fn make(&self, name: &str) -> io::Result<Arc<File>> {
            self.room.open(&self.root, name.as_ref(), MAKE)
        }

        /// The count must be what a count of the folder gives.
        fn holds(&self, bytes: u64, files: u64) {
            assert_eq!(self.usage.now(), (bytes, files));
            let anew = WorkspaceUsage::default();
            anew.count(&self.root, 1000);
            assert_eq!(anew.now(), (bytes, files));
        }
    }

    #[test]
    fn holes_count_as_the_bytes_that_they_appear_to_be() {
        let world = world(1000, 10);
        let file = world.make("a").unwrap();
        assert!(is_full(&world.room.write_all_at(&file, b"x", 1000).unwrap_err()));
        assert!(is_full(&world.room.set_len(&file, 1001).unwrap_err()));
        assert!(is_full(&world.room.write_all_at(&file, b"x", u64::MAX).unwrap_err()));
        world.room.write_all_at(&file, b"x", 999).unwrap();
        world.holds(1000, 1);
        world.room.write_all_at(&file, b"yy", 10).unwrap();
        assert!(is_full(&world.room.append_all(&file, b"x").unwrap_err()));
        world.room.set_len(&file, 10).unwrap();
        world.room.append_all(&file, b"tail").unwrap();
        world.holds(14, 1);
    }

    #[test]
    fn what_is_removed_replaced_or_emptied_makes_room() {
        let world = world(100, 3);
        for name in ["a", "b"] {
            world.room.write_all_at(&world.make(name).unwrap(), &[1; 50], 0).unwrap();
        }
        world.room.create_dir(&world.root, "c".as_ref()).unwrap();
        assert!(is_full(&world.make("d").unwrap_err()));
        assert!(is_full(&world.room.symlink("a".as_ref(), &world.root, "d".as_ref()).unwrap_err()));
        world.holds(100, 3);
        world.room.rename(&world.root, "a".as_ref(), &world.root, "b".as_ref()).unwrap();
        world.holds(50, 2);
        drop(world.room.open(&world.root, "b".as_ref(), Opening { truncate: true, ..MAKE }).unwrap());
        world.holds(0, 2);
        world.room.remove_file(&world.root, "b".as_ref()).unwrap();
        world.room.remove_dir(&world.root, "c".as_ref()).unwrap();
        world.holds(0, 0);
    }

    #[test]
    fn a_file_without_a_name_holds_its_bytes_for_as_long_as_it_is_open() {
        let world = world(100, 3);
        let (first, second) = (world.make("a").unwrap(), world.make("a").unwrap());
        world.room.write_all_at(&first, &[1; 100], 0).unwrap();
        drop(first);
        world.room.remove_file(&world.root, "a".as_ref()).unwrap();
        assert_eq!(world.usage.now(), (100, 0));
        assert!(is_full(&world.room.append_all(&second, b"x").unwrap_err()));
    }

    #[test]
    fn more_than_may_be_there_is_not_counted_to_its_end_and_nothing_is_added() {
        let world = world(100, 3);
        for number in 0..5 {
            std::fs::write(world.folder.path().join(number.to_string()), "x").unwrap();
        }
        let usage = Arc::new(WorkspaceUsage::default());
        usage.count(&world.root, 3);
        let room = WorkspaceRoom::new(Arc::clone(&usage), world.room.bounds());
        let file = room.open(&world.root, "1".as_ref(), Opening { write: true, ..Opening::default() }).unwrap();
        assert!(is_full(&room.append_all(&file, b"x").unwrap_err()));
        room.write_all_at(&file, b"y", 0).unwrap();
        assert!(room.has_refused());
    }

    #[test]
    fn what_is_neither_file_nor_folder_is_refused_at_once() {
        let world = world(100, 10);
        let place = world.folder.path();
        rustix::fs::mknodat(rustix::fs::CWD, place.join("fifo"), rustix::fs::FileType::Fifo, 0o666.into(), 0).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(place.join("socket")).unwrap();
        std::os::unix::fs::symlink("fifo", place.join("link")).unwrap();
        for name in ["fifo", "socket", "link"] {
            for how in [Opening { follow: true, ..Opening::default() }, Opening { write: true, follow: true, ..MAKE }] {
                let error = world.room.open(&world.root, name.as_ref(), how).unwrap_err();
                assert_eq!(error.raw_os_error(), Some(Errno::PERM.raw_os_error()), "{name}");
            }
        }
    }

    #[test]
    fn no_link_leads_out() {
        let world = world(100, 10);
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), "x").unwrap();
        std::os::unix::fs::symlink(outside.path(), world.folder.path().join("out")).unwrap();
        assert!(world.room.open(&world.root, "out/secret".as_ref(), Opening::default()).is_err());
        assert!(world.make("out/made").is_err());
        assert!(world.room.create_dir(&world.root, "out/made".as_ref()).is_err());
        assert!(world.room.remove_file(&world.root, "out/secret".as_ref()).is_err());
        assert!(world.room.symlink("/etc".as_ref(), &world.root, "etc".as_ref()).is_err());
        assert!(outside.path().join("secret").is_file() && !outside.path().join("made").exists());
    }
}
