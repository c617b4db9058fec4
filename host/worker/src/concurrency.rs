//! Handlers that may run only so often at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bulkhead_core::{HandlerName, Kind};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// Counts the runs of handlers with `max_concurrent`, and says which kinds should not be claimed for now.
#[derive(Debug, Default)]
pub(crate) struct Concurrency {
    handlers: Mutex<HashMap<HandlerName, Bounded>>,
    /// Woken when a kind becomes saturated or stops being so.
    pub(crate) changed: Notify,
}

#[derive(Debug)]
struct Bounded {
    limit: u32,
    permits: Arc<Semaphore>,
    kind: Kind,
    waiting: usize,
}

/// A permit to run a bounded handler once.
#[derive(Debug)]
pub(crate) struct Turn {
    _permit: OwnedSemaphorePermit,
}

impl Concurrency {
    /// Waits for a turn of a handler that may run `limit` times at once.
    pub(crate) async fn turn(&self, handler: &HandlerName, kind: &Kind, limit: u32) -> Option<Turn> {
        let permits = {
            let mut handlers = self.handlers.lock().unwrap_or_else(PoisonError::into_inner);
            let bounded = handlers.entry(handler.clone()).or_insert_with(|| Bounded::new(limit, kind));
            if bounded.limit != limit {
                // A changed limit holds for runs to come; those under way end under the old one.
                *bounded = Bounded { waiting: bounded.waiting, ..Bounded::new(limit, kind) };
            }
            if let Ok(permit) = Arc::clone(&bounded.permits).try_acquire_owned() {
                return Some(Turn { _permit: permit });
            }
            bounded.waiting += 1;
            Arc::clone(&bounded.permits)
        };
        self.changed.notify_one();
        let _waiting = Waiting { concurrency: self, handler };
        permits.acquire_owned().await.ok().map(|permit| Turn { _permit: permit })
    }

    /// The kinds whose tasks wait here for a turn; claiming more of them would only lock them up.
    pub(crate) fn saturated(&self) -> Vec<Kind> {
        let handlers = self.handlers.lock().unwrap_or_else(PoisonError::into_inner);
        handlers.values().filter(|bounded| bounded.waiting > 0).map(|bounded| bounded.kind.clone()).collect()
    }
}

impl Bounded {
    fn new(limit: u32, kind: &Kind) -> Self {
        Self { limit, permits: Arc::new(Semaphore::new(limit.max(1) as usize)), kind: kind.clone(), waiting: 0 }
    }
}

/// Counts one waiting task down, however its wait ends.
struct Waiting<'a> {
    concurrency: &'a Concurrency,
    handler: &'a HandlerName,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut handlers = self.concurrency.handlers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bounded) = handlers.get_mut(self.handler) {
            bounded.waiting = bounded.waiting.saturating_sub(1);
        }
        drop(handlers);
        self.concurrency.changed.notify_one();
    }
}
