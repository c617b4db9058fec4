//! What a run may ask about the tasks that its own waited for.

use std::future::Future;
use std::pin::Pin;

use bulkhead_core::{TaskError, UpstreamEnd, UpstreamTask};
use wasmtime::Result;

use crate::bindings::bulkhead::handler::context as wit;
use crate::bindings::bulkhead::handler::types::{Category, Failure};
use crate::bounds;
use crate::fence::Fence;
use crate::host_state::HostState;

/// What looks up tasks that a run asks about; answered from the store, a page at a time.
pub trait Upstream: Send + Sync {
    /// How many tasks there are; known when the run begins.
    fn count(&self) -> u32;

    /// Those from `offset` on, at most `count` of them, and fewer where their results would exceed `bytes` together;
    /// never none before the end.
    fn page(&self, offset: u32, count: u32, bytes: usize) -> UpstreamFuture<'_, Vec<UpstreamTask>>;

    /// The one of this name.
    fn named<'a>(&'a self, name: &'a str) -> UpstreamFuture<'a, Option<UpstreamTask>>;
}

/// An answer about upstream tasks; the error says, for the log, why there is none.
pub type UpstreamFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send + 'a>>;

impl HostState {
    pub(crate) fn count_upstream(&self) -> u32 {
        self.upstream.as_ref().map_or(0, |upstream| upstream.count())
    }

    pub(crate) async fn upstream_page(&mut self, offset: u32, count: u32) -> Result<Vec<wit::UpstreamTask>> {
        let Some(upstream) = self.upstream.clone() else { return Ok(Vec::new()) };
        let left = upstream.count().saturating_sub(offset);
        if left == 0 || count == 0 {
            return Ok(Vec::new());
        }
        let page = upstream.page(offset, count.min(left), bounds::UPSTREAM_PAGE).await.map_err(unavailable)?;
        self.meter.charge(page.iter().map(UpstreamTask::size).sum());
        Ok(page.into_iter().map(shown).collect())
    }

    pub(crate) async fn one_upstream(&mut self, name: &str) -> Result<Option<wit::UpstreamTask>> {
        let Some(upstream) = self.upstream.clone() else { return Ok(None) };
        let found = upstream.named(name).await.map_err(unavailable)?;
        self.meter.charge(found.as_ref().map_or(0, UpstreamTask::size));
        Ok(found.map(shown))
    }
}

/// The run cannot go on without an answer, and it is not its fault.
fn unavailable(problem: String) -> Fence {
    tracing::warn!(problem, "a run is interrupted: the store does not say how its upstream tasks ended");
    Fence::Unavailable
}

fn shown(task: UpstreamTask) -> wit::UpstreamTask {
    let UpstreamTask { name, id, end } = task;
    let end = match end {
        UpstreamEnd::Succeeded(result) => wit::UpstreamEnd::Succeeded(result.as_str().to_owned()),
        UpstreamEnd::Resolved(result) => wit::UpstreamEnd::Resolved(result.as_str().to_owned()),
        UpstreamEnd::Failed(error) => wit::UpstreamEnd::Failed(failure(*error)),
        UpstreamEnd::Cancelled => wit::UpstreamEnd::Cancelled,
        UpstreamEnd::Skipped => wit::UpstreamEnd::Skipped,
    };
    wit::UpstreamTask { name, id: id.as_str().to_owned(), end }
}

/// What callers see of an error, as the handler's neighbour would have said it.
fn failure(error: TaskError) -> Failure {
    let TaskError { category, code, message, reason: _, details } = error;
    Failure {
        category: match category.as_str() {
            "validation" => Category::Validation,
            "retryable" => Category::Retryable,
            "handler" => Category::Handler,
            "timeout" => Category::Timeout,
            // The host ended it for good.
            _ => Category::Permanent,
        },
        code,
        message,
        // It has ended: nobody tries it again by itself.
        retryable: false,
        retry_after_ms: None,
        details: details.map_or_else(|| "{}".to_owned(), |details| details.as_str().to_owned()),
    }
}
