//! What the host notes of workspaces, in files beside them.
//!
//! `used/NAME` says that a task has used the workspace, `users/NAME/TASK` that a task of another name does, and the time of
//! `held/NAME` when somebody last said that it will be used. `uploads` and `removed` hold what is on its way in and out.
//! `home` is the name of the root itself ([`home_file`](super::home_file)).

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use bulkhead_core::TaskId;

use super::folders::make_private;
use super::name::{folder_name, id_of};

/// Where they are: no id has a folder that begins with a dot.
pub(super) const FOLDER: &str = ".bulkhead";

/// The notes of one root.
#[derive(Debug)]
pub(super) struct Notes {
    folder: PathBuf,
    /// Sets apart what this process has made from what earlier ones have left.
    process: u64,
    next: AtomicU64,
}

impl Notes {
    pub(super) fn new(root: &Path) -> Self {
        Self { folder: root.join(FOLDER), process: fastrand::u64(..), next: AtomicU64::default() }
    }

    /// A run uses the workspace: one of its own task, or of another.
    pub(super) fn used(&self, name: &str, by: Option<&TaskId>) -> io::Result<()> {
        if let Some(task) = by {
            return self.used_by(name, task);
        }
        touch(&self.at("used", name))?;
        // It is not unused any more, and what is pushed from now on is for a task that is known.
        ignore_absent(std::fs::remove_file(self.at("held", name)))
    }

    pub(super) fn used_by(&self, name: &str, task: &TaskId) -> io::Result<()> {
        touch(&self.at("users", name).join(folder_name(task)))
    }

    pub(super) fn hold(&self, name: &str) -> io::Result<()> {
        // As good as any note: whoever reads it compares the times that the file system gives.
        touch(&self.at("held", name))
    }

    pub(super) fn was_used(&self, name: &str) -> bool {
        self.at("used", name).exists() || self.at("users", name).exists()
    }

    pub(super) fn held_at(&self, name: &str) -> Option<SystemTime> {
        self.at("held", name).metadata().and_then(|metadata| metadata.modified()).ok()
    }

    /// The tasks of other names that use it.
    pub(super) fn users(&self, name: &str) -> Vec<TaskId> {
        let entries = std::fs::read_dir(self.at("users", name)).into_iter().flatten().flatten();
        entries.filter_map(|entry| id_of(entry.file_name().to_str()?)).collect()
    }

    /// Everything that is noted of a workspace is gone with it.
    pub(super) fn forget(&self, name: &str) {
        let _ = std::fs::remove_dir_all(self.at("users", name));
        for note in ["used", "held"] {
            let _ = std::fs::remove_file(self.at(note, name));
        }
    }

    /// A new name for what is to be removed.
    pub(super) fn removed(&self) -> io::Result<PathBuf> {
        self.fresh("removed").map(|(folder, name)| folder.join(name))
    }

    /// A new name for what is on its way in, and the folder that it is for.
    pub(super) fn upload(&self) -> io::Result<(PathBuf, String)> {
        self.fresh("uploads")
    }

    /// What is to be removed now: all that was set aside, and uploads of processes that have ended.
    pub(super) fn leftovers(&self) -> Vec<PathBuf> {
        let entries = |of: &str| std::fs::read_dir(self.folder.join(of)).into_iter().flatten().flatten();
        let own = self.prefix();
        let is_old = |entry: &std::fs::DirEntry| !entry.file_name().to_string_lossy().starts_with(&own);
        entries("removed").chain(entries("uploads").filter(is_old)).map(|entry| entry.path()).collect()
    }

    fn fresh(&self, of: &str) -> io::Result<(PathBuf, String)> {
        let folder = self.folder.join(of);
        make_private(&folder)?;
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        Ok((folder, format!("{}{number}", self.prefix())))
    }

    fn prefix(&self) -> String {
        format!("{:016x}-", self.process)
    }

    fn at(&self, note: &str, name: &str) -> PathBuf {
        self.folder.join(note).join(name)
    }
}

/// Makes an empty file, or has it changed now.
fn touch(file: &Path) -> io::Result<()> {
    let open = || OpenOptions::new().write(true).create(true).truncate(true).open(file);
    let made: File = match open() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(folder) = file.parent() {
                make_private(folder)?;
            }
            open()?
        }
        opened => opened?,
    };
    // A file that was empty already is not changed by being emptied.
    rustix::fs::futimens(
        &made,
        &rustix::fs::Timestamps {
            last_access: rustix::fs::Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW },
            last_modification: rustix::fs::Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW },
        },
    )?;
    Ok(())
}

fn ignore_absent(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
