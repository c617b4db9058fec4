//! The worker's end of its line to the store's thread.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::{BoxFuture, Commit, LeaseId, ProgressNote, ServedRoutes, StoreError, TaskSeq, WorkSender, WorkerId};

use super::inbox::Inbox;
use super::request::{Answer, Request};

/// Sends a worker's requests; when the last of them goes, the worker is detached.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) worker: WorkerId,
    pub(super) inbox: Arc<Inbox>,
}

impl Line {
    fn ask<T: Send + 'static>(
        &self,
        request: impl FnOnce(Answer<T>) -> Request,
    ) -> BoxFuture<'_, Result<T, StoreError>> {
        let (answer, answered) = oneshot::channel();
        self.inbox.push(request(answer));
        Box::pin(async { answered.await.unwrap_or(Err(StoreError::Closed)) })
    }
}

impl WorkSender for Line {
    fn send(&self, commits: Vec<Commit>, permits: usize) {
        self.inbox.push(Request::Work { worker: self.worker, commits, permits });
    }

    fn serve(&self, routes: ServedRoutes) {
        self.inbox.push(Request::Serve { worker: self.worker, routes });
    }

    fn stop_claiming(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.ask(|answer| Request::StopClaiming { worker: self.worker, answer })
    }

    fn report(&self, progress: Vec<(TaskSeq, ProgressNote)>) {
        self.inbox.push(Request::Report { worker: self.worker, progress });
    }

    fn renew(&self) -> BoxFuture<'_, Result<bool, StoreError>> {
        self.ask(|answer| Request::Renew { worker: self.worker, answer })
    }

    fn release(&self, tasks: Vec<(LeaseId, TaskSeq)>) -> BoxFuture<'_, Result<(), StoreError>> {
        self.ask(|answer| Request::Release { worker: self.worker, tasks, answer })
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.inbox.push(Request::Detach { worker: self.worker });
    }
}
