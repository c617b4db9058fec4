//! What is in a workspace, a page at a time.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStringExt;

use bulkhead_core::{TaskId, Timestamp};
use bulkhead_sandbox::workspace::{MAX_DEPTH, Opening};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, openat, statat};
use serde::Serialize;

use super::access::Opened;
use super::{WorkspaceError, WorkspacePath, Workspaces};

/// Entries of one page.
pub const MAX_LISTED: usize = 10_000;
/// Entries of one folder that are looked at; one with more was filled by something that knows no bounds.
const MAX_IN_FOLDER: usize = 100_000;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryType {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// A link.
    Link,
    /// A FIFO, a socket or a device.
    Other,
}

/// One file or folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its path in the workspace.
    pub path: String,
    /// What it is.
    #[serde(rename = "type")]
    pub entry_type: EntryType,
    /// Its bytes, of a file.
    pub size: u64,
    /// When it was last changed.
    pub modified_at: Timestamp,
}

/// A page of entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listing {
    /// The entries that can be asked for, each folder before what is in it, in the order of their names.
    pub items: Vec<Entry>,
    /// The path after which the next page begins; none where this is the last.
    pub next: Option<String>,
    /// Bytes of all files together.
    pub bytes: u64,
    /// Files, folders and links.
    pub files: u64,
}

impl Workspaces {
    /// Lists a workspace from behind a path on, or from the start; blocks.
    pub fn list(&self, id: &TaskId, after: Option<&str>, limit: usize) -> Result<Listing, WorkspaceError> {
        let opened = self.open_to_read(id)?;
        let mut walk = Walk { after: after.map(|path| path.split('/').collect()), limit, items: Vec::new() };
        let root = opened.root.try_clone().map_err(|error| WorkspaceError::of(id, "", error))?;
        let is_whole = walk.folder(&opened, &root, "", 0).map_err(|error| WorkspaceError::of(id, "", error))?;
        let next = if is_whole { None } else { walk.items.last().map(|last| last.path.clone()) };
        let (bytes, files) = opened.room.holds();
        Ok(Listing { items: walk.items, next, bytes, files })
    }
}

struct Walk<'path> {
    /// The parts of the path that the page before ended with.
    after: Option<Vec<&'path str>>,
    limit: usize,
    items: Vec<Entry>,
}

impl<'path> Walk<'path> {
    /// The name in this folder up to which the page before has listed it, where that ended on it or inside of it.
    fn listed_in(&self, prefix: &str, depth: usize) -> Option<&'path str> {
        let after = self.after.as_ref()?;
        let ended_here = after.iter().take(depth).copied().eq(prefix.split('/').take(depth));
        after.get(depth).copied().filter(|_| ended_here)
    }

    /// Lists a folder and what is in it; false where the page is full.
    fn folder(&mut self, opened: &Opened, folder: &File, prefix: &str, depth: usize) -> io::Result<bool> {
        let listed = self.listed_in(prefix, depth);
        // One that is no UTF-8 cannot be asked for.
        let mut names: Vec<_> = names(folder)?.into_iter().filter_map(|name| name.into_string().ok()).collect();
        names.sort_unstable();
        for name in names.into_iter().filter(|name| listed.is_none_or(|last| name.as_str() >= last)) {
            let is_listed = listed == Some(name.as_str());
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
            // Containers know no bounds: one that is too long or too deep cannot be asked for, nor what is in it.
            let Ok(path) = WorkspacePath::parse(path) else { continue };
            // What is gone meanwhile is not listed.
            let Ok(found) = statat(folder, &name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
            let entry_type = match FileType::from_raw_mode(found.st_mode) {
                FileType::RegularFile => EntryType::File,
                FileType::Directory => EntryType::Folder,
                FileType::Symlink => EntryType::Link,
                _ => EntryType::Other,
            };
            if !is_listed {
                if self.items.len() >= self.limit {
                    return Ok(false);
                }
                let size = if entry_type == EntryType::File { u64::try_from(found.st_size).unwrap_or(0) } else { 0 };
                let millis = found
                    .st_mtime
                    .saturating_mul(1000)
                    .saturating_add(i64::try_from(found.st_mtime_nsec).unwrap_or(0) / 1_000_000);
                let modified_at = Timestamp::from_millis(millis);
                self.items.push(Entry { path: path.as_str().to_owned(), entry_type, size, modified_at });
            }
            if entry_type == EntryType::Folder && depth < MAX_DEPTH {
                let Ok(inner) = opened.room.open(folder, name.as_ref(), Opening::default()) else { continue };
                if !self.folder(opened, &inner, path.as_str(), depth + 1)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

/// The names in a folder.
pub(super) fn names(folder: &File) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    // Anew, since the folder may be open for what is beneath it alone.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    for entry in Dir::new(openat(folder, ".", flags, Mode::empty())?)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if !matches!(name, b"." | b"..") {
            names.push(OsString::from_vec(name.to_owned()));
        }
        if names.len() >= MAX_IN_FOLDER {
            break;
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use rustix::fs::mkdirat;

    use super::*;
    use crate::workspaces::WorkspaceSettings;

    #[test]
    fn what_is_listed_can_be_asked_for_whatever_containers_have_named_it() {
        let root = tempfile::tempdir().expect("a folder");
        let workspaces = Workspaces::new(WorkspaceSettings::at(root.path().to_owned()), None);
        let id = TaskId::parse("t1").expect("an id");
        std::fs::create_dir(root.path().join("t1")).expect("a folder");
        // The names of 17 are too long together; 101 are too many.
        for (name, levels) in [("n".repeat(250), 18), ("d".to_owned(), 102)] {
            let mut at = File::open(root.path().join("t1")).expect("a folder");
            for _ in 0..levels {
                mkdirat(&at, &name, Mode::RWXU).expect("a folder");
                at = openat(&at, &name, OFlags::DIRECTORY, Mode::empty()).expect("a folder").into();
            }
        }
        let (mut listed, mut after) = (Vec::new(), None);
        loop {
            let page = workspaces.list(&id, after.as_deref(), 5).expect("a page");
            listed.extend(page.items.into_iter().map(|entry| entry.path));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(listed.len(), 16 + 100);
        assert!(listed.is_sorted());
        assert!(listed.iter().all(|path| WorkspacePath::parse(path.as_str()).is_ok()));
    }
}
