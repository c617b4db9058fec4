//! [`WorkflowStore`], put together from the writing thread and the reading connections.

use std::sync::Arc;
use std::time::Duration;

use bulkhead_core::{Digest, JsonText, NewWorkflow, TaskId, UpstreamTask, WorkflowPlan, WorkflowState};

use super::input::input_of;
use super::request::{AskedWorkflow, BeginWorkflow};
use super::{dependencies, slowest, view};
use crate::{
    Begun, BoxFuture, SlowAttempt, StoreError, TaskSeq, UpstreamPart, WorkflowChange, WorkflowFate, WorkflowPage,
    WorkflowRefusal, WorkflowSelection, WorkflowStore, WorkflowView,
};

use super::super::request::Request;
use super::super::store::DatabaseStore;

impl DatabaseStore {
    async fn workflow_view(&self, id: TaskId) -> Result<Option<(TaskSeq, WorkflowView)>, StoreError> {
        let shared = Arc::clone(&self.shared);
        self.readers.read(move |connection| view::whole(connection, &id, &shared)).await
    }
}

impl WorkflowStore for DatabaseStore {
    fn begin(&self, workflow: NewWorkflow) -> BoxFuture<'_, Result<Result<Begun, WorkflowRefusal>, StoreError>> {
        Box::pin(async move {
            let permit = self.permit().await?;
            self.ask(|answer| Request::Begin(Box::new(BeginWorkflow::new(workflow, answer, permit)))).await
        })
    }

    fn workflow<'a>(&'a self, id: &'a TaskId) -> BoxFuture<'a, Result<Option<WorkflowView>, StoreError>> {
        Box::pin(async move { Ok(self.workflow_view(id.clone()).await?.map(|(_, view)| view)) })
    }

    fn wait_workflow<'a>(
        &'a self,
        id: &'a TaskId,
        limit: Duration,
    ) -> BoxFuture<'a, Result<Option<WorkflowView>, StoreError>> {
        Box::pin(async move {
            let Some((seq, view)) = self.workflow_view(id.clone()).await? else { return Ok(None) };
            if view.state.is_settled() || limit.is_zero() {
                return Ok(Some(view));
            }
            // Who settles the workflow after this line wakes us; who did so before is seen by the next read.
            let waiter = self.shared.waiters.join(seq);
            let until_settled = async {
                loop {
                    let woken = waiter.notify.notified();
                    let mut woken = std::pin::pin!(woken);
                    woken.as_mut().enable();
                    match self.workflow_view(id.clone()).await? {
                        Some((_, view)) if !view.state.is_settled() => {}
                        other => return Ok(other.map(|(_, view)| view)),
                    }
                    woken.await;
                }
            };
            match tokio::time::timeout(limit, until_settled).await {
                Ok(settled) => settled,
                Err(_) => Ok(self.workflow_view(id.clone()).await?.map(|(_, view)| view)),
            }
        })
    }

    fn workflows(&self, selection: WorkflowSelection) -> BoxFuture<'_, Result<WorkflowPage, StoreError>> {
        let shared = Arc::clone(&self.shared);
        Box::pin(self.readers.read(move |connection| view::page(connection, &selection, &shared)))
    }

    fn change_workflow<'a>(
        &'a self,
        id: &'a TaskId,
        change: WorkflowChange,
    ) -> BoxFuture<'a, Result<WorkflowFate, StoreError>> {
        Box::pin(async move {
            let permit = self.permit().await?;
            let id = id.clone();
            self.ask(|answer| Request::Workflow(AskedWorkflow { id, change, answer, _permit: permit })).await
        })
    }

    fn slowest_attempts<'a>(
        &'a self,
        id: &'a TaskId,
        count: u32,
    ) -> BoxFuture<'a, Result<Vec<SlowAttempt>, StoreError>> {
        let id = id.clone();
        Box::pin(self.readers.read(move |connection| slowest::slowest(connection, &id, count)))
    }

    fn settled(&self) -> Vec<(WorkflowState, u64)> {
        self.shared.settled()
    }

    fn plan(&self, digest: Digest) -> BoxFuture<'_, Result<Option<Arc<WorkflowPlan>>, StoreError>> {
        Box::pin(async move {
            let read = move |connection: &crate::sql::Connection| view::plan(connection, digest.as_bytes());
            let Some(text) = self.readers.read(read).await? else { return Ok(None) };
            serde_json::from_str(&text).map(Arc::new).map(Some).map_err(|error| {
                StoreError::Database(format!("the plan `{}` of a workflow cannot be read: {error}", digest.short()))
            })
        })
    }

    fn input<'a>(&'a self, workflow: &'a TaskId) -> BoxFuture<'a, Result<JsonText, StoreError>> {
        let workflow = workflow.clone();
        let read = move |connection: &crate::sql::Connection| {
            input_of(connection, &workflow).map_err(|error| super::super::failure::reading(&error))
        };
        Box::pin(self.readers.read(read))
    }

    fn dependencies<'a>(
        &'a self,
        workflow: &'a TaskId,
        place: u32,
        part: UpstreamPart,
    ) -> BoxFuture<'a, Result<Vec<UpstreamTask>, StoreError>> {
        let workflow = workflow.clone();
        Box::pin(self.readers.read(move |connection| dependencies::read(connection, &workflow, place, &part)))
    }

    fn count_dependencies<'a>(&'a self, workflow: &'a TaskId, place: u32) -> BoxFuture<'a, Result<u32, StoreError>> {
        let workflow = workflow.clone();
        Box::pin(self.readers.read(move |connection| dependencies::count(connection, &workflow, place)))
    }
}
