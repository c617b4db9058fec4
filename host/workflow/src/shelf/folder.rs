//! What lies in the templates folder: the one place of this crate that reads files.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::yaml::MAX_BYTES;

/// What of a file changes whenever its content does, told from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// The top-level templates of the folder by file name; links to files count as files, hidden files are somebody's drafts.
pub(super) fn scan(folder: &Path) -> std::io::Result<BTreeMap<String, (PathBuf, Stamp)>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let file = entry?.path();
        let Some(name) = file.file_name().map(|name| name.to_string_lossy().into_owned()) else { continue };
        let is_template = file.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        // What is gone again by now was never there.
        if let Some(stamp) = stamp(&file).filter(|_| is_template && !name.starts_with('.')) {
            found.insert(name, (file, stamp));
        }
    }
    Ok(found)
}

/// The text of a file; none if it is no longer in the state that was seen.
pub(super) fn read(file: &Path, seen: &Stamp) -> Option<Result<String, String>> {
    if seen.size > MAX_BYTES as u64 {
        return Some(Err(format!("{} bytes long; a template may have at most {MAX_BYTES}", seen.size)));
    }
    let bytes = std::fs::read(file);
    if stamp(file).as_ref() != Some(seen) {
        return None;
    }
    let unreadable = |error: &dyn std::fmt::Display| format!("the file cannot be read: {error}");
    Some(match bytes {
        Ok(bytes) => String::from_utf8(bytes).map_err(|error| unreadable(&error.utf8_error())),
        Err(error) => Err(unreadable(&error)),
    })
}

/// The stamp of a plain file, or of the plain file that a link leads to.
fn stamp(file: &Path) -> Option<Stamp> {
    let found = std::fs::metadata(file).ok().filter(std::fs::Metadata::is_file)?;
    Some(Stamp {
        device: found.dev(),
        inode: found.ino(),
        size: found.size(),
        modified: (found.mtime(), found.mtime_nsec()),
        changed: (found.ctime(), found.ctime_nsec()),
    })
}
