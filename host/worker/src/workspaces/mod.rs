//! The folders that tasks share with the host.
//!
//! Each is named after a task ([`name`]). Runs open them, the API lists, fills and fetches them ([`access`]), and the sweep
//! ([`sweep`]) removes those of tasks that are gone. What the host notes of them lies beside them, in `.bulkhead`.

mod access;
mod error;
mod folders;
mod listing;
mod name;
mod notes;
mod path;
mod removal;
mod sweep;
mod upload;

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bulkhead_core::TaskId;
use bulkhead_sandbox::workspace::{WorkspaceUsage, open_folder};
use bulkhead_sandbox::{Workspace, WorkspaceBounds, WorkspaceGrant};
use tokio::sync::Semaphore;

pub use self::error::WorkspaceError;
use self::folders::make_workspace;
pub use self::listing::{Entry, EntryType, Listing, MAX_LISTED};
use self::name::folder_name;
use self::notes::Notes;
pub use self::path::WorkspacePath;
pub(crate) use self::sweep::sweep;
pub use self::upload::Upload;

/// Uploads at once: each may hold as many bytes as a workspace may before it is known whether they fit.
const UPLOADS: usize = 16;

/// The settings of the workspaces of one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceSettings {
    /// The folder that holds them, one folder each.
    pub root: PathBuf,
    /// What each may hold, where the handler's grant says nothing else.
    pub bounds: WorkspaceBounds,
    /// How long one is kept that no task has used yet.
    pub keep_unused: Duration,
    /// How long between two looks for those of tasks that are gone.
    pub sweep_every: Duration,
}

impl WorkspaceSettings {
    /// Everything as it is where nothing is set, but in this folder.
    pub fn at(root: PathBuf) -> Self {
        let (keep_unused, sweep_every) = (Duration::from_secs(24 * 3600), Duration::from_secs(3600));
        Self { root, bounds: WorkspaceBounds::default(), keep_unused, sweep_every }
    }
}

/// The workspaces of one host.
#[derive(Debug)]
pub struct Workspaces {
    settings: WorkspaceSettings,
    notes: Notes,
    uploads: Arc<Semaphore>,
    live: Mutex<Live>,
}

/// Those in use, by the names of their folders.
#[derive(Debug, Default)]
struct Live {
    usage: HashMap<String, Weak<WorkspaceUsage>>,
    /// Those that were opened since the sweep last asked for tasks: their tasks may be newer than its answer.
    touched: HashSet<String>,
}

/// Who opens a workspace, and how.
#[derive(Debug, Clone, Copy)]
pub struct OpenedBy<'a> {
    /// The task that runs.
    pub task: &'a TaskId,
    /// The grant of its handler.
    pub grant: &'a WorkspaceGrant,
    /// Whether what earlier runs left is to go.
    pub empties: bool,
}

impl Workspaces {
    /// The workspaces of this folder, which is made when it is first needed.
    pub fn new(settings: WorkspaceSettings) -> Self {
        let notes = Notes::new(&settings.root);
        Self { settings, notes, uploads: Arc::new(Semaphore::new(UPLOADS)), live: Mutex::default() }
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the workspace of this name for a run, and makes it where it is not there yet; blocks until it is counted.
    pub fn open(&self, id: &TaskId, by: OpenedBy<'_>) -> io::Result<Workspace> {
        let (name, bounds) = (folder_name(id), by.grant.bounds(self.settings.bounds));
        let folder = self.settings.root.join(&name);
        let usage = {
            let mut live = self.live();
            live.touched.insert(name.clone());
            if by.empties && !live.is_used(&name) {
                self.set_aside(&name)?;
            }
            make_workspace(&self.settings.root, &folder)?;
            live.usage_of(&name)
        };
        self.notes.used(&name, (id != by.task).then_some(by.task))?;
        usage.count(&open_folder(&folder)?, bounds.files.max(self.settings.bounds.files));
        Ok(Workspace { folder, access: by.grant.access, bounds, usage })
    }

    /// Notes that a task will use the workspace of another, which is kept for it.
    pub fn keep_for(&self, id: &TaskId, task: &TaskId) -> io::Result<()> {
        self.notes.used_by(&folder_name(id), task)
    }

    /// Notes that somebody will use the workspace who has no name yet: it is kept as one that nobody has used.
    pub(crate) fn hold(&self, id: &TaskId) -> io::Result<()> {
        self.notes.hold(&folder_name(id))
    }

    /// Moves a folder out of the way, to be removed later.
    fn set_aside(&self, name: &str) -> io::Result<()> {
        match std::fs::rename(self.settings.root.join(name), self.notes.removed()?) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

impl Live {
    fn is_used(&self, name: &str) -> bool {
        self.usage.get(name).is_some_and(|usage| usage.strong_count() > 0)
    }

    /// The count that everybody shares who uses the workspace now.
    fn usage_of(&mut self, name: &str) -> Arc<WorkspaceUsage> {
        if let Some(usage) = self.usage.get(name).and_then(Weak::upgrade) {
            return usage;
        }
        // Those whose last user is gone.
        if self.usage.len() >= 64 && self.usage.len().is_power_of_two() {
            self.usage.retain(|_, usage| usage.strong_count() > 0);
        }
        let usage = Arc::default();
        self.usage.insert(name.to_owned(), Arc::downgrade(&usage));
        usage
    }
}
