//! The loop that claims tasks, runs them in sandboxes and commits how they ended.
//!
//! ```text
//! store ──Delivery──▶ pump ──▶ GuestQueue ──▶ guest threads: run_task ──▶ Outbox ──commits, permits──▶ store
//!                      │                        ▲
//!                      └──cancel, lease lost────┘ RunControl
//! ```
//!
//! Guests run on threads of their own ([`guest_thread`]); everything that must go on whatever they do (heartbeats,
//! deliveries, commits) lives on the runtime that [`Worker::start`] is called on. Permits go out before a claim comes
//! in, so the worker never holds more than its window ([`window`]).

mod clock;
mod concurrency;
mod delegates;
mod exec;
mod guest_queue;
mod guest_thread;
mod in_flight;
mod lease_guard;
mod metrics;
mod observer;
mod outbox;
mod progress;
mod run_task;
mod settings;
mod shared;
mod status;
mod steps;
mod upstream;
mod window;
mod worker;
mod workspace;
mod workspaces;

pub use clock::now;
pub use delegates::calls_deadline;
pub use exec::exec_once;
pub use metrics::Metrics;
pub use settings::{WorkerError, WorkerSettings};
pub use status::{DrainReport, WorkerState, WorkerStatus};
pub use worker::Worker;
pub use workspaces::{
    Entry, EntryType, Listing, MAX_LISTED, Upload, WorkspaceError, WorkspacePath, WorkspaceSettings, Workspaces,
};
