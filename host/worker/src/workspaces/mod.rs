//! The folders that tasks share with the host.
//!
//! Each is named after a task ([`name`]). Runs open them, the API lists, fills and fetches them ([`access`]), and the sweep
//! ([`sweep`]) removes those of tasks that are gone. What the host notes of them lies beside them, in `.bulkhead`. Where
//! several hosts have the store, one that holds anything is bound to the host that has it ([`bindings`], [`claim`]).

mod access;
mod bindings;
mod claim;
mod error;
mod folders;
mod home_file;
mod listing;
mod name;
mod notes;
mod path;
mod questions;
mod removal;
mod sweep;
mod upload;

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bulkhead_core::TaskId;
use bulkhead_sandbox::workspace::{Begun, Keeper, WorkspaceUsage};
use bulkhead_sandbox::{Workspace, WorkspaceBounds, WorkspaceGrant};
use tokio::sync::Semaphore;

pub(crate) use self::bindings::{BindError, Bindings, look_after_bindings};
pub(crate) use self::claim::Claim;
pub use self::error::WorkspaceError;
use self::folders::{make_workspace, open_workspace};
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
    /// Whether all hosts of the store see the same folder.
    pub shared: bool,
}

impl WorkspaceSettings {
    /// Everything as it is where nothing is set, but in this folder.
    pub fn at(root: PathBuf) -> Self {
        let (keep_unused, sweep_every) = (Duration::from_secs(24 * 3600), Duration::from_secs(3600));
        Self { root, bounds: WorkspaceBounds::default(), keep_unused, sweep_every, shared: false }
    }
}

/// The workspaces of one host.
#[derive(Debug)]
pub struct Workspaces {
    settings: WorkspaceSettings,
    notes: Notes,
    /// None where every host of the store has all workspaces.
    bindings: Option<Arc<Bindings>>,
    uploads: Arc<Semaphore>,
    live: Mutex<Live>,
}

/// Those in use, by the names of their folders.
#[derive(Debug, Default)]
struct Live {
    used: HashMap<String, Used>,
    /// Those that were opened since the sweep last asked for tasks: their tasks may be newer than its answer.
    touched: HashSet<String>,
}

/// One in use.
#[derive(Debug)]
struct Used {
    /// Those runs that use it.
    usage: Weak<WorkspaceUsage>,
    /// The same, and what they began that is not over yet.
    begun: Weak<Begun>,
    claim: Option<Arc<Claim>>,
}

/// A workspace that was opened for a run.
#[derive(Debug)]
pub(crate) struct Entered {
    pub(crate) workspace: Workspace,
    /// What it is bound to; none where nothing is bound.
    pub(crate) claim: Option<Arc<Claim>>,
    /// Whether it held anything then.
    pub(crate) holds_files: bool,
}

/// Who opens a workspace, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OpenedBy<'a> {
    /// The task that runs.
    pub(crate) task: &'a TaskId,
    /// The grant of its handler.
    pub(crate) grant: &'a WorkspaceGrant,
    /// Whether what earlier runs left is to go.
    pub(crate) empties: bool,
}

impl Workspaces {
    /// The workspaces of this folder, which is made when it is first needed.
    pub(crate) fn new(settings: WorkspaceSettings, bindings: Option<Arc<Bindings>>) -> Self {
        let notes = Notes::new(&settings.root);
        Self { settings, notes, bindings, uploads: Arc::new(Semaphore::new(UPLOADS)), live: Mutex::default() }
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of where workspaces are; none where every host of the store has all of them.
    pub(crate) const fn bindings(&self) -> Option<&Arc<Bindings>> {
        self.bindings.as_ref()
    }

    /// Opens the workspace of this name for a run, and makes it where it is not there yet; blocks until it is counted.
    pub(crate) fn open(&self, id: &TaskId, by: OpenedBy<'_>) -> io::Result<Entered> {
        let (name, bounds) = (folder_name(id), by.grant.bounds(self.settings.bounds));
        let folder = self.settings.root.join(&name);
        let (usage, claim) = {
            let mut live = self.live();
            live.touched.insert(name.clone());
            if by.empties && !live.is_run_in(&name) {
                self.set_aside(&name)?;
                // What is not over yet has the folder that was set aside.
                live.used.remove(&name);
            }
            make_workspace(&self.settings.root, &folder)?;
            self.usage_of(&mut live, id, &name)
        };
        self.notes.used(&name, (id != by.task).then_some(by.task))?;
        usage.count(&open_workspace(&folder)?, bounds.files.max(self.settings.bounds.files));
        let holds_files = usage.now().1 > 0;
        let workspace = Workspace { folder, access: by.grant.access, bounds, usage, calls: None };
        Ok(Entered { workspace, claim, holds_files })
    }

    /// Notes that a task will use the workspace of another, which is kept for it.
    pub fn keep_for(&self, id: &TaskId, task: &TaskId) -> io::Result<()> {
        self.notes.used_by(&folder_name(id), task)
    }

    /// Notes that somebody will use the workspace who has no name yet: it is kept as one that nobody has used.
    pub(crate) fn hold(&self, id: &TaskId) -> io::Result<()> {
        self.notes.hold(&folder_name(id))
    }

    /// What everybody shares who uses the workspace now: its count, and what it is bound to.
    fn usage_of(&self, live: &mut Live, id: &TaskId, name: &str) -> (Arc<WorkspaceUsage>, Option<Arc<Claim>>) {
        if let Some(used) = live.used.get(name)
            && let Some(usage) = used.usage.upgrade()
        {
            return (usage, used.claim.clone());
        }
        live.forget_unused();
        let claim = self.bindings.as_ref().map(|bindings| Arc::new(Claim::new(Arc::clone(bindings), id.clone())));
        let usage = match &claim {
            Some(claim) => WorkspaceUsage::kept_by(Arc::clone(claim) as Arc<dyn Keeper>),
            None => WorkspaceUsage::default(),
        };
        let usage = Arc::new(match live.used.get(name).and_then(|used| used.begun.upgrade()) {
            Some(begun) => usage.after(begun),
            None => usage,
        });
        let used = Used { usage: Arc::downgrade(&usage), begun: Arc::downgrade(usage.begun()), claim: claim.clone() };
        live.used.insert(name.to_owned(), used);
        (usage, claim)
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
    /// Whether a run uses it, or what a run began may still change it.
    fn is_used(&self, name: &str) -> bool {
        self.used.get(name).is_some_and(|used| used.begun.strong_count() > 0)
    }

    /// Whether a run uses it.
    fn is_run_in(&self, name: &str) -> bool {
        self.used.get(name).is_some_and(|used| used.usage.strong_count() > 0)
    }

    /// Forgets those whose last user is gone, now and then.
    fn forget_unused(&mut self) {
        if self.used.len() >= 64 && self.used.len().is_power_of_two() {
            self.used.retain(|_, used| used.begun.strong_count() > 0);
        }
    }
}
