//! [`WorkflowStore`], put together from the writing thread and the reading connections.

use std::sync::Arc;
use std::time::Duration;

use bulkhead_core::{Digest, JsonText, NewWorkflow, TaskId, UpstreamTask, WorkflowPlan, WorkflowState};

use super::input::input_of;
use super::request::{AskedWorkflow, BeginWorkflow};
use super::{dependencies, view};
use crate::{
    Begun, BoxFuture, StoreError, UpstreamPart, WorkflowChange, WorkflowFate, WorkflowPage, WorkflowRefusal,
    WorkflowSelection, WorkflowStore, WorkflowView,
};

use super::super::ids;
use super::super::request::Request;
use super::super::store::DatabaseStore;
use super::super::waiters::Looked;

impl WorkflowStore for DatabaseStore {
    fn begin(&self, workflow: NewWorkflow) -> BoxFuture<'_, Result<Result<Begun, WorkflowRefusal>, StoreError>> {
        Box::pin(async move {
            let permit = self.permit().await?;
            self.ask(|answer| Request::Begin(Box::new(BeginWorkflow::new(workflow, answer, permit)))).await
        })
    }

    fn workflow<'a>(&'a self, id: &'a TaskId) -> BoxFuture<'a, Result<Option<WorkflowView>, StoreError>> {
        let (id, shared) = (id.clone(), Arc::clone(&self.shared));
        Box::pin(self.readers.read(move |connection| view::whole(connection, &id, &shared)))
    }

    fn wait_workflow<'a>(
        &'a self,
        id: &'a TaskId,
        limit: Duration,
    ) -> BoxFuture<'a, Result<Option<WorkflowView>, StoreError>> {
        Box::pin(async move {
            let look = |_| {
                let (id, shared) = (id.clone(), Arc::clone(&self.shared));
                self.readers.read(move |connection| view::look(connection, &id, &shared))
            };
            match self.shared.waiters.wait(ids::guess(id), limit, look).await? {
                Looked::Absent => Ok(None),
                Looked::Ended(view) => Ok(Some(view)),
                Looked::Open(_) => self.workflow(id).await,
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

    fn settled(&self) -> Vec<(WorkflowState, u64)> {
        self.shared.settled()
    }

    fn plan(&self, digest: Digest) -> BoxFuture<'_, Result<Option<Arc<WorkflowPlan>>, StoreError>> {
        Box::pin(self.plans.get(&self.readers, digest))
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
