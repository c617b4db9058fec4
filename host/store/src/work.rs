//! What passes between the store and a worker.

use std::sync::Arc;
use std::time::Duration;

use bulkhead_core::{Answer, Digest, Extras, JsonText, Past, Priority, Route, TaskId, Timestamp};
use tokio::sync::mpsc;

use crate::{BoxFuture, Commit, CommitFate, LeaseId, ProgressNote, Spawned, StoreError, WorkerId};

/// The store's own number of a task; what a task is called inside the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskSeq(pub i64);

/// One task, claimed: everything that a run needs.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The batch it was claimed in.
    pub lease: LeaseId,
    /// The store's number of it.
    pub seq: TaskSeq,
    /// Its public name.
    pub id: TaskId,
    /// Its kind and required tags.
    pub route: Arc<Route>,
    /// Its payload.
    pub payload: JsonText,
    /// Which goes first.
    pub priority: Priority,
    /// When it was due.
    pub due_at: Timestamp,
    /// Own options, tenant, trace: what only some tasks have.
    pub extras: Option<Box<Extras>>,
    /// What earlier runs left; absent on a task's very first run.
    pub history: Option<Box<History>>,
}

/// What earlier runs of a task left.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// The life of the task; 1 until it is first requeued.
    pub epoch: u32,
    /// Attempts charged so far in this epoch.
    pub attempts: u32,
    /// Stages done so far.
    pub stage: u32,
    /// Declined or interrupted so often in a row.
    pub deferrals: u32,
    /// Workers lost while running it.
    pub losses: u32,
    /// What the task left when it last resumed.
    pub state: Option<JsonText>,
    /// The answer to its last suspension, where this stage follows one.
    pub answer: Option<Answer>,
    /// The children whose ends this stage may ask for.
    pub upstream: Option<Spawned>,
    /// The versions that have declined it, at most 16.
    pub declined: Vec<Digest>,
    /// Running time that earlier runs of this attempt used, in microseconds.
    pub elapsed_micros: u64,
    /// Fuel that earlier runs of the task used.
    pub fuel: u64,
    /// Tokens of language models that earlier runs of the task used.
    pub tokens: u64,
    /// The versions of the earlier runs of this attempt.
    pub digests: Vec<Digest>,
}

impl History {
    /// What its runs have done so far.
    pub const fn past(&self) -> Past {
        let Self { epoch, attempts, stage, losses, .. } = *self;
        Past { epoch, attempts, stage, losses, has_run: !self.digests.is_empty() }
    }
}

/// What the store sends a worker.
#[derive(Debug)]
pub enum Delivery {
    /// Tasks claimed for it, all under one lease; already durable.
    Claimed {
        /// The tasks, in the order of claims.
        tasks: Vec<Claimed>,
        /// From the first look for them until they were durable.
        took: Duration,
    },
    /// What became of commits it sent, in their order; already durable.
    Committed(Vec<(TaskSeq, CommitFate)>),
    /// Somebody cancelled tasks that this worker runs: stop them and commit [`bulkhead_core::RunEnd::Cancelled`].
    Cancel(Vec<TaskSeq>),
    /// The leases are void: drop every sandbox; nothing this line committed from here on will be taken.
    LeasesLost,
    /// A batch could not be written for now (disk full, say); the worker's commits are kept and tried again.
    Troubled(StoreError),
}

/// A worker's line to the store. Dropping it releases what it still holds.
#[derive(Debug)]
pub struct WorkLine {
    /// The number of this attachment.
    pub worker: WorkerId,
    /// What the worker sends.
    pub sender: Arc<dyn WorkSender>,
    /// What the store sends; bounded by the permits given, so it never blocks the store.
    pub deliveries: mpsc::Receiver<Delivery>,
}

/// The sending half of a worker's line.
pub trait WorkSender: Send + Sync + std::fmt::Debug {
    /// Hands over ended runs and offers to take `permits` more tasks than were offered before. Never blocks: what
    /// is sent is bounded by what was claimed.
    fn send(&self, commits: Vec<Commit>, permits: usize);

    /// Tells which routes this worker can serve now, and which handler versions are live; the store claims only
    /// these. Tasks parked for a kind whose versions changed become due.
    fn serve(&self, routes: ServedRoutes);

    /// Takes back every permit that is not used yet, and answers once no more tasks will be claimed.
    fn stop_claiming(&self) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Tells how far tasks of this worker say they have come; best effort.
    fn report(&self, progress: Vec<(TaskSeq, ProgressNote)>);

    /// Renews all leases of this worker; `Ok(false)` means that they were already void.
    fn renew(&self) -> BoxFuture<'_, Result<bool, StoreError>>;

    /// Gives tasks back that were claimed but never started: ready at once, nothing charged.
    fn release(&self, tasks: Vec<(LeaseId, TaskSeq)>) -> BoxFuture<'_, Result<(), StoreError>>;
}

/// Whether there is a handler for tasks of a route that is none of these versions.
pub type HasAnother = dyn Fn(&Route, &[Digest]) -> bool + Send + Sync;

/// A test of which routes a worker can serve, and the number of the catalogue it was made from.
#[derive(Clone)]
pub struct ServedRoutes {
    /// Grows with every change of the catalogue.
    pub generation: u64,
    /// Whether the worker can serve tasks of a route.
    pub serves: Arc<dyn Fn(&Route) -> bool + Send + Sync>,
    /// Whether it has a handler for tasks of a route that these versions have declined, however busy it is.
    pub has_another: Arc<HasAnother>,
}

impl ServedRoutes {
    /// A worker that has no other handler for what was declined.
    pub fn new(generation: u64, serves: impl Fn(&Route) -> bool + Send + Sync + 'static) -> Self {
        Self { generation, serves: Arc::new(serves), has_another: Arc::new(|_, _| false) }
    }
}

impl std::fmt::Debug for ServedRoutes {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ServedRoutes").field("generation", &self.generation).finish_non_exhaustive()
    }
}
