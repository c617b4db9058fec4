//! What a run learns of the tasks that its own waited for: asked of the store, when the guest asks.

use std::sync::Arc;

use bulkhead_core::UpstreamTask;
use bulkhead_sandbox::{Upstream, UpstreamFuture};
use bulkhead_store::{Spawned, Store, TaskSeq, UpstreamPart};

/// The children of one spawn of a task.
pub(crate) struct Children {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) of: TaskSeq,
    pub(crate) spawned: Spawned,
}

impl Children {
    async fn read(&self, part: UpstreamPart) -> Result<Vec<UpstreamTask>, String> {
        self.store.upstream(self.of, self.spawned, part).await.map_err(|error| error.to_string())
    }
}

impl Upstream for Children {
    fn count(&self) -> u32 {
        self.spawned.count
    }

    fn page(&self, offset: u32, count: u32, bytes: usize) -> UpstreamFuture<'_, Vec<UpstreamTask>> {
        Box::pin(self.read(UpstreamPart::Page { offset, count, bytes }))
    }

    fn named<'a>(&'a self, name: &'a str) -> UpstreamFuture<'a, Option<UpstreamTask>> {
        Box::pin(async move { Ok(self.read(UpstreamPart::Named(name.to_owned())).await?.pop()) })
    }
}
