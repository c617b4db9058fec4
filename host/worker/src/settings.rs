//! What a worker is told.

use std::path::PathBuf;
use std::time::Duration;

use bulkhead_store::StoreError;

/// The settings of one worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerSettings {
    /// Its name in attempts and lists.
    pub name: String,
    /// Sandboxes in flight at once, those that wait for something included.
    pub max_concurrent: u32,
    /// Guest threads: how many sandboxes execute at once.
    pub cpu_slots: u32,
    /// How long running work may take to end once the worker drains.
    pub drain_timeout: Duration,
    /// The folder that holds the tasks' workspaces, one folder each.
    pub workspaces: PathBuf,
}

/// Why a worker could not start.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The store would not have it.
    #[error("the worker could not attach to the store")]
    Attach(#[source] StoreError),
    /// The system gave no thread.
    #[error("a guest thread could not be started")]
    Thread(#[source] std::io::Error),
}
