//! What the rest of the host knows of the durable queue.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bulkhead_core::{Kind, LeaseId, NewTask, Route, ScheduleName, TaskId, UpstreamTask};

use crate::{
    AuditView, BatchRefusal, Change, DeadCount, EventStore, Fate, Homes, LogPage, Page, RouteDepth, ScheduleChange,
    ScheduleFate, ScheduleView, Selection, Spawned, StoreError, Submitted, TaskFilter, TaskSeq, TaskView, WorkLine,
    WorkflowStore,
};

/// A boxed future, so that stores can be told apart at run time.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What an operator holds back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    /// Everything.
    pub all: bool,
    /// These kinds.
    pub kinds: BTreeSet<Kind>,
}

/// Which of a task's upstream tasks are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpstreamPart {
    /// A page of them.
    Page {
        /// How many come before.
        offset: u32,
        /// At most so many.
        count: u32,
        /// At most so many bytes of results, but one task at least.
        bytes: usize,
    },
    /// The one of this name.
    Named(String),
}

/// The durable queue. Every answer is given after the commit it speaks of, never before.
pub trait Store: EventStore + WorkflowStore + Send + Sync + std::fmt::Debug + 'static {
    /// Accepts all of the tasks or none; the answers are in the order of the tasks.
    fn submit(&self, tasks: Vec<NewTask>) -> BoxFuture<'_, Result<Result<Vec<Submitted>, BatchRefusal>, StoreError>>;

    /// One task, whole; `None` where there is none of that name.
    fn get<'a>(&'a self, id: &'a TaskId) -> BoxFuture<'a, Result<Option<TaskView>, StoreError>>;

    /// Waits until the task has ended, or at most `limit`, and gives it as it then is.
    fn wait<'a>(&'a self, id: &'a TaskId, limit: Duration) -> BoxFuture<'a, Result<Option<TaskView>, StoreError>>;

    /// One page of tasks, newest first.
    fn list(&self, selection: Selection) -> BoxFuture<'_, Result<Page, StoreError>>;

    /// How many tasks the filter meets; costs a scan of them.
    fn count(&self, filter: TaskFilter) -> BoxFuture<'_, Result<u64, StoreError>>;

    /// Asks the same of several tasks; the answers are in the order of the names.
    fn change(&self, ids: Vec<TaskId>, change: Change) -> BoxFuture<'_, Result<Vec<Fate>, StoreError>>;

    /// A part of a task's log: the runs after the one of this number, which is 0 at first and then `next` of the part before.
    fn log<'a>(&'a self, id: &'a TaskId, after: i64) -> BoxFuture<'a, Result<Option<LogPage>, StoreError>>;

    /// A task's audit trail.
    fn audits<'a>(&'a self, id: &'a TaskId) -> BoxFuture<'a, Result<Option<Vec<AuditView>>, StoreError>>;

    /// Holds back every task of a kind, or of all kinds, or no longer; what runs goes on.
    fn hold(&self, kind: Option<Kind>, held: bool) -> BoxFuture<'_, Result<(), StoreError>>;

    /// What is held back.
    fn held(&self) -> Held;

    /// Does what is asked of one schedule.
    fn change_schedule(&self, change: ScheduleChange) -> BoxFuture<'_, Result<ScheduleFate, StoreError>>;

    /// One schedule with its task; `None` where there is none of that name.
    fn schedule<'a>(&'a self, name: &'a ScheduleName) -> BoxFuture<'a, Result<Option<ScheduleView>, StoreError>>;

    /// All schedules by name, without their tasks.
    fn schedules(&self) -> BoxFuture<'_, Result<Vec<ScheduleView>, StoreError>>;

    /// The children of one spawn of a task, from `offset` on, in their order: at most `count`, and fewer where their
    /// results together would exceed `bytes`; never none before the end.
    fn upstream(
        &self,
        of: TaskSeq,
        spawned: Spawned,
        part: UpstreamPart,
    ) -> BoxFuture<'_, Result<Vec<UpstreamTask>, StoreError>>;

    /// A name of this store that no other has, thrown when it was made.
    fn identity(&self) -> &str;

    /// Where workspaces are; none where only one host can have the store, and with it all of them.
    fn homes(&self) -> Option<&dyn Homes> {
        None
    }

    /// The leases under which anything may still run, on whichever host.
    fn living_leases(&self) -> BoxFuture<'_, Result<BTreeSet<LeaseId>, StoreError>>;

    /// How much of each route waits.
    fn depths(&self) -> Vec<RouteDepth>;

    /// How many tasks have become dead letters since this store was opened.
    fn deaths(&self) -> Vec<DeadCount>;

    /// The routes that hold tasks at all.
    fn routes(&self) -> Vec<Route> {
        self.depths().into_iter().filter(|depth| depth.pending > 0).map(|depth| depth.route).collect()
    }

    /// Attaches a worker of this name; it is sent nothing before it says what it serves and gives permits.
    fn attach<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<WorkLine, StoreError>>;

    /// Ends every transaction under way and lets the store go.
    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>>;
}
