//! What a worker is told.

use std::time::Duration;

use bulkhead_core::Size;
use bulkhead_store::StoreError;

use crate::workspaces::WorkspaceSettings;

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
    /// The longest payload that a task may ask for.
    pub max_payload: Size,
    /// The folders that tasks share with the host.
    pub workspaces: WorkspaceSettings,
}

/// Why a worker could not start.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The store would not have it.
    #[error("the worker could not attach to the store")]
    Attach(#[source] StoreError),
    /// The folder of workspaces cannot be used.
    #[error("the workspaces cannot be used (workspace.root)")]
    Workspaces(#[source] std::io::Error),
    /// The system gave no thread.
    #[error("a guest thread could not be started")]
    Thread(#[source] std::io::Error),
}
