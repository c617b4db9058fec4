//! What a step learns of the steps before it.

use std::sync::Arc;

use bulkhead_core::{TaskId, UpstreamTask};
use bulkhead_sandbox::{Upstream, UpstreamFuture};
use bulkhead_store::{Store, StoreError, UpstreamPart};

use super::StepRun;

/// The tasks that a step depends on.
pub(crate) struct Dependencies {
    store: Arc<dyn Store>,
    workflow: TaskId,
    place: u32,
    count: u32,
}

/// The tasks that a step depends on; none where it depends on none.
pub(crate) async fn upstream_of(
    store: &Arc<dyn Store>,
    step: &StepRun<'_>,
) -> Result<Option<Dependencies>, StoreError> {
    let depends_on = &step.step().depends_on;
    if depends_on.is_empty() {
        return Ok(None);
    }
    let (workflow, place) = (step.ticket.workflow.clone(), step.ticket.place);
    let fans_out = |place: &u32| step.plan.steps.get(*place as usize).is_some_and(|step| step.fan_out.is_some());
    let count = match depends_on.iter().any(fans_out) {
        true => store.count_dependencies(&workflow, place).await?,
        false => u32::try_from(depends_on.len()).unwrap_or(u32::MAX),
    };
    Ok(Some(Dependencies { store: Arc::clone(store), workflow, place, count }))
}

impl Dependencies {
    async fn read(&self, part: UpstreamPart) -> Result<Vec<UpstreamTask>, String> {
        self.store.dependencies(&self.workflow, self.place, part).await.map_err(|error| error.to_string())
    }
}

impl Dependencies {
    /// All of them, read so many bytes at a time.
    pub(crate) async fn all(&self, bytes: usize) -> Result<Vec<UpstreamTask>, String> {
        let mut all = Vec::new();
        loop {
            let offset = u32::try_from(all.len()).unwrap_or(u32::MAX);
            let left = self.count.saturating_sub(offset);
            if left == 0 {
                return Ok(all);
            }
            let page = self.read(UpstreamPart::Page { offset, count: left, bytes }).await?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }
}

impl Upstream for Dependencies {
    fn count(&self) -> u32 {
        self.count
    }

    fn page(&self, offset: u32, count: u32, bytes: usize) -> UpstreamFuture<'_, Vec<UpstreamTask>> {
        Box::pin(self.read(UpstreamPart::Page { offset, count, bytes }))
    }

    fn named<'a>(&'a self, name: &'a str) -> UpstreamFuture<'a, Option<UpstreamTask>> {
        Box::pin(async move { Ok(self.read(UpstreamPart::Named(name.to_owned())).await?.pop()) })
    }
}
