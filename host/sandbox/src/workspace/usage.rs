//! What a workspace holds.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use cap_primitives::fs::{Metadata, MetadataExt, ReadDir, open_dir_nofollow, read_base_dir};

use super::WorkspaceBounds;

/// How deep folders may be nested. What is deeper is not counted, and then nothing may be added.
pub const MAX_DEPTH: usize = 100;

/// Asked before anything is first put into a workspace, and not again once it has agreed; may block.
pub trait Keeper: Send + Sync + std::fmt::Debug {
    /// Agrees, or says why nothing may be put there.
    fn keep(&self) -> io::Result<()>;
}

/// What one workspace holds, for everybody who uses it at the same time.
#[derive(Debug, Default)]
pub struct WorkspaceUsage {
    counted: Mutex<Counted>,
    begun: Arc<Begun>,
}

/// There for as long as a run uses a workspace, or what a run began may still change its files: a container outlives the
/// run that asked for it by the time that its removal takes.
#[derive(Debug, Default)]
pub struct Begun;

/// The count, and what must be known to keep it right.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// Who is still to be asked before anything is added.
    keeper: Option<Arc<dyn Keeper>>,
    is_counted: bool,
    /// Whether all was counted; where it was not, nothing may be added before it is counted anew.
    is_whole: bool,
    bytes: u64,
    files: u64,
    /// Files that are open, by device and number: their bytes are on the disk even once their names are gone.
    open: HashMap<(u64, u64), Vec<Weak<File>>>,
}

impl WorkspaceUsage {
    /// That of a workspace into which nothing is put before this keeper has agreed.
    pub fn kept_by(keeper: Arc<dyn Keeper>) -> Self {
        Self { counted: Mutex::new(Counted { keeper: Some(keeper), ..Counted::default() }), begun: Arc::default() }
    }

    /// The same, where something may still be under way that an earlier run began.
    #[must_use]
    pub fn after(self, begun: Arc<Begun>) -> Self {
        Self { begun, ..self }
    }

    /// What is kept by whatever may still change the files when the run is over.
    pub fn begun(&self) -> &Arc<Begun> {
        &self.begun
    }

    /// Counts what is in the folder, once: later calls leave the count as it is. Stops soon after so many files.
    pub fn count(&self, folder: &File, most_files: u64) {
        let mut counted = self.lock();
        if counted.is_counted {
            return;
        }
        counted.is_counted = true;
        match walk(folder, most_files) {
            Ok((bytes, files, is_whole)) => {
                (counted.bytes, counted.files, counted.is_whole) = (bytes, files, is_whole);
            }
            Err(error) => tracing::warn!(%error, "a workspace cannot be counted; nothing can be added to it"),
        }
    }

    /// Bytes and files.
    pub fn now(&self) -> (u64, u64) {
        let counted = self.lock();
        (counted.bytes, counted.files)
    }

    /// Held while the folder is changed, so that the count is always that of the folder.
    pub(super) fn lock(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    /// Whether so many bytes and files may be added.
    pub(super) fn has_room(&self, bounds: WorkspaceBounds, bytes: u64, files: u64) -> bool {
        let fits = |used: u64, more: u64, most: u64| more == 0 || used.saturating_add(more) <= most;
        (bytes == 0 && files == 0)
            || self.is_whole && fits(self.bytes, bytes, bounds.bytes.bytes()) && fits(self.files, files, bounds.files)
    }

    /// Asks the keeper, where there is one that has not agreed yet.
    pub(super) fn keep(&mut self) -> io::Result<()> {
        if let Some(keeper) = &self.keeper {
            keeper.keep()?;
            self.keeper = None;
        }
        Ok(())
    }

    pub(super) fn add_files(&mut self, files: u64) {
        self.files = self.files.saturating_add(files);
    }

    /// A file has another size now.
    pub(super) fn resized(&mut self, from: u64, to: u64) {
        self.bytes = self.bytes.saturating_sub(from).saturating_add(to);
    }

    /// A name is gone, and its bytes with it, where nothing else holds them.
    pub(super) fn removed(&mut self, metadata: &Metadata) {
        self.files = self.files.saturating_sub(1);
        let is_open = self.open.get(&number(metadata)).is_some_and(|holders| holders.iter().any(is_held));
        if metadata.is_file() && metadata.nlink() <= 1 && !is_open {
            self.bytes = self.bytes.saturating_sub(metadata.len());
        }
    }

    /// A file is open for as long as anybody holds it.
    pub(super) fn opened(&mut self, metadata: &Metadata, file: &Arc<File>) {
        if self.open.len() >= 64 && self.open.len().is_power_of_two() {
            self.open.retain(|_, holders| holders.iter().any(is_held));
        }
        let holders = self.open.entry(number(metadata)).or_default();
        holders.retain(is_held);
        holders.push(Arc::downgrade(file));
    }
}

fn is_held(file: &Weak<File>) -> bool {
    file.strong_count() > 0
}

fn number(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// Which bound is exceeded by what is in a folder now, whoever put it there.
pub(super) fn overrun(folder: &Path, bounds: WorkspaceBounds) -> Option<String> {
    let (bytes, files, _) = super::open_folder(folder)
        .and_then(|folder| walk(&folder, bounds.files))
        .inspect_err(|error| tracing::warn!(folder = %folder.display(), %error, "a workspace cannot be looked at"))
        .ok()?;
    if files > bounds.files {
        Some(format!(
            "the workspace holds more than {} files, folders and links (workspace.max_files, or the handler's grant)",
            bounds.files
        ))
    } else if bytes > bounds.bytes.bytes() {
        Some(format!("the workspace holds more than {} (workspace.max_bytes, or the handler's grant)", bounds.bytes))
    } else {
        None
    }
}

/// Bytes, files, and whether these are all.
fn walk(folder: &File, most_files: u64) -> io::Result<(u64, u64, bool)> {
    let (mut bytes, mut files, mut is_whole) = (0_u64, 0_u64, true);
    // Each level holds its folder open, so that nothing is found by a path that somebody may be changing.
    let mut levels: Vec<(File, ReadDir)> = vec![(folder.try_clone()?, read_base_dir(folder)?)];
    while let Some((at, entries)) = levels.last_mut() {
        let Some(entry) = entries.next() else {
            levels.pop();
            continue;
        };
        let Ok(entry) = entry else {
            is_whole = false;
            continue;
        };
        files += 1;
        if files > most_files {
            return Ok((bytes, files, false));
        }
        // What is gone meanwhile is not counted.
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_file() {
            bytes = bytes.saturating_add(metadata.len());
        } else if metadata.is_dir() {
            let deeper = open_dir_nofollow(at, entry.file_name().as_ref()).and_then(|inner| {
                let entries = read_base_dir(&inner)?;
                Ok((inner, entries))
            });
            match deeper {
                Ok(level) if levels.len() < MAX_DEPTH => levels.push(level),
                _ => is_whole = false,
            }
        }
    }
    Ok((bytes, files, is_whole))
}

#[cfg(test)]
mod tests {
    use bulkhead_core::Size;

    use super::*;

    #[test]
    fn what_others_put_there_is_seen_and_the_bound_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let bounds = WorkspaceBounds { bytes: Size::from_mib(1), files: 3 };
        std::fs::create_dir(folder.path().join("inner")).unwrap();
        std::fs::write(folder.path().join("inner/a"), vec![7; 1 << 20]).unwrap();
        assert_eq!(overrun(folder.path(), bounds), None);
        std::fs::write(folder.path().join("b"), "1").unwrap();
        assert!(overrun(folder.path(), bounds).unwrap().contains("max_bytes"));
        std::fs::write(folder.path().join("c"), "").unwrap();
        assert!(overrun(folder.path(), bounds).unwrap().contains("max_files"));
        std::fs::remove_dir_all(folder.path()).unwrap();
        assert_eq!(overrun(folder.path(), bounds), None);
    }
}
