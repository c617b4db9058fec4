//! What the rest of the host knows of the durable queue.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bulkhead_core::{NewTask, Route, TaskId};

use crate::{
    BatchRefusal, CancelFate, DeadCount, Page, RequeueFate, RouteDepth, Selection, StoreError, Submitted, TaskFilter,
    TaskView, WorkLine,
};

/// A boxed future, so that stores can be told apart at run time.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The durable queue. Every answer is given after the commit it speaks of, never before.
pub trait Store: Send + Sync + std::fmt::Debug + 'static {
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

    /// Cancels tasks; the answers are in the order of the names.
    fn cancel(&self, ids: Vec<TaskId>) -> BoxFuture<'_, Result<Vec<CancelFate>, StoreError>>;

    /// Makes dead letters ready again, each in a new epoch with its attempts from 1.
    fn requeue(&self, ids: Vec<TaskId>) -> BoxFuture<'_, Result<Vec<RequeueFate>, StoreError>>;

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
