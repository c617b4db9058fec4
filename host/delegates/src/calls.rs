//! One call to a delegate: on the host's runtime, counted, timed and traced, and ended when nobody waits for it.

use std::borrow::Borrow;
use std::future::Future;
use std::time::Instant;

use bulkhead_core::{Caller, DelegateError};
use bulkhead_sandbox::DelegateAnswer;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tracing::Instrument;

use crate::DelegateMetrics;

/// Aborts a call when whoever asked is gone; what it has begun is undone by the delegate.
struct AbortAtEnd(AbortHandle);

impl Drop for AbortAtEnd {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Counts a call once, however it ends.
struct Counted {
    metrics: DelegateMetrics,
    delegate: &'static str,
    since: Instant,
    is_counted: bool,
}

impl Counted {
    fn end(&mut self, result: Option<Result<(), &DelegateError>>) {
        self.is_counted = true;
        self.metrics.count(self.delegate, result, self.since.elapsed().as_secs_f64());
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if !self.is_counted {
            self.end(None);
        }
    }
}

/// Has a call made on this runtime; a guest's thread only waits for it.
pub(crate) fn call<T: Send + 'static, E>(
    runtime: &Handle,
    metrics: &DelegateMetrics,
    delegate: &'static str,
    caller: &Caller,
    work: impl Future<Output = Result<T, E>> + Send + 'static,
) -> DelegateAnswer<T, E>
where
    E: Borrow<DelegateError> + From<DelegateError> + Send + 'static,
{
    let span = tracing::info_span!(
        "delegate",
        delegate,
        handler = caller.handler.as_str(),
        task = caller.task.as_str(),
        traceparent = caller.traceparent.map(tracing::field::display)
    );
    let mut counted = Counted { metrics: metrics.clone(), delegate, since: Instant::now(), is_counted: false };
    let work = async move {
        let result = work.await;
        let told = result.as_ref().map(|_| ()).map_err(Borrow::borrow);
        match told {
            Ok(()) => tracing::debug!("a delegate has answered"),
            // Of these a guest can have as many as it likes; it is told why, and they are counted.
            Err(error @ (DelegateError::Denied(_) | DelegateError::Invalid(_))) => {
                tracing::debug!(result = error.name(), %error, "a delegate may not do it");
            }
            Err(error) => tracing::info!(result = error.name(), %error, "a delegate did not do it"),
        }
        counted.end(Some(told));
        result
    };
    let work = runtime.spawn(work.instrument(span));
    let abort = AbortAtEnd(work.abort_handle());
    Box::pin(async move {
        let result = work.await;
        drop(abort);
        // It was not aborted while it was awaited, so it panicked.
        result.unwrap_or_else(|_| Err(DelegateError::Gone("the delegate failed inside the host".to_owned()).into()))
    })
}
