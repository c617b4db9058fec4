//! Calls that are not over yet, counted so that their end can be waited for.

use std::sync::Arc;

use tokio::sync::watch;

/// How many calls are open.
#[derive(Debug, Default)]
pub(crate) struct OpenCalls(watch::Sender<usize>);

/// A call that is open until this is dropped.
#[derive(Debug)]
pub(crate) struct OpenCall(Arc<OpenCalls>);

impl OpenCalls {
    /// One more.
    pub(crate) fn open(self: &Arc<Self>) -> OpenCall {
        self.0.send_modify(|open| *open += 1);
        OpenCall(Arc::clone(self))
    }

    /// Waits until none is open.
    pub(crate) async fn over(&self) {
        // The sender is here, so the wait ends in no other way.
        let _ = self.0.subscribe().wait_for(|open| *open == 0).await;
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        self.0.0.send_modify(|open| *open -= 1);
    }
}
