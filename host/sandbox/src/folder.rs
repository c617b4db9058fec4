//! What lies in the handlers folder.

use std::collections::{BTreeMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What of a file changes whenever its content does, told from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    /// Unlike the time of modification nobody can set this one back.
    changed: (i64, i64),
}

impl Stamp {
    /// The file's length in bytes.
    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    fn of(found: &Metadata) -> Self {
        Self {
            device: found.dev(),
            inode: found.ino(),
            size: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        }
    }
}

/// The files that their writers are done with.
///
/// Known by their names alone: the watcher writes the folder from the root on, and whoever looks at it as the operator did.
#[derive(Debug, Default)]
pub(crate) struct Closed(HashSet<OsString>);

impl Closed {
    /// These files of the folder are closed.
    pub(crate) fn add(&mut self, files: &[PathBuf]) {
        self.0.extend(files.iter().filter_map(|file| file.file_name().map(OsStr::to_owned)));
    }

    pub(crate) fn has(&self, file: &Path) -> bool {
        file.file_name().is_some_and(|name| self.0.contains(name))
    }
}

/// The top-level `*.wasm` files of the folder by stem; links to files count as files.
pub(crate) fn scan(folder: &Path) -> std::io::Result<BTreeMap<String, (PathBuf, Stamp)>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let file = entry?.path();
        if file.extension().is_none_or(|extension| extension != "wasm") {
            continue;
        }
        // What is gone again by now was never there.
        let Some(stamp) = stamp(&file) else { continue };
        if let Some(stem) = file.file_stem() {
            found.insert(stem.to_string_lossy().into_owned(), (file, stamp));
        }
    }
    Ok(found)
}

/// The stamp of a plain file, or of the plain file that a link leads to.
pub(crate) fn stamp(file: &Path) -> Option<Stamp> {
    let found = std::fs::metadata(file).ok()?;
    found.is_file().then(|| Stamp::of(&found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_top_level_wasm_files_are_seen() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("inner")).unwrap();
        std::fs::create_dir(at("folder.wasm")).unwrap();
        for file in ["a.wasm", "b.wasm.tmp", "c.wat", "inner/d.wasm", ".wasm"] {
            std::fs::write(at(file), "x").unwrap();
        }
        std::os::unix::fs::symlink(at("a.wasm"), at("e.wasm")).unwrap();
        std::os::unix::fs::symlink(at("nowhere"), at("f.wasm")).unwrap();
        let names: Vec<String> = scan(folder.path()).unwrap().into_keys().collect();
        assert_eq!(names, ["a", "e"]);
    }

    #[test]
    fn a_file_is_closed_however_its_folder_is_written() {
        let mut closed = Closed::default();
        closed.add(&[std::path::absolute("handlers/a.wasm").unwrap()]);
        for folder in ["handlers", "./handlers", "../here/handlers"] {
            assert!(closed.has(&Path::new(folder).join("a.wasm")), "{folder}");
            assert!(!closed.has(&Path::new(folder).join("b.wasm")), "{folder}");
        }
    }

    #[test]
    fn a_file_of_the_same_size_renamed_over_has_another_stamp() {
        let folder = tempfile::tempdir().unwrap();
        let (file, other) = (folder.path().join("a"), folder.path().join("b"));
        std::fs::write(&file, "1").unwrap();
        let before = stamp(&file);
        std::fs::write(&other, "2").unwrap();
        std::fs::rename(&other, &file).unwrap();
        assert_ne!(before, stamp(&file));
    }
}
