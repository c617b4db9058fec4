//! How many streams of events are open, and what their readers missed.

use std::sync::Arc;

use prometheus::{IntCounter, IntGauge, Registry};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::Problem;

/// The open streams of a host.
#[derive(Debug)]
pub(crate) struct EventStreams {
    pub(crate) registry: Registry,
    room: Arc<Semaphore>,
    most: usize,
    open: IntGauge,
    missed: IntCounter,
}

/// One stream that is open, until it is dropped.
pub(crate) struct OpenStream {
    open: IntGauge,
    missed: IntCounter,
    _permit: OwnedSemaphorePermit,
}

impl EventStreams {
    pub(crate) fn new(most: usize) -> Result<Self, prometheus::Error> {
        let open = IntGauge::new("event_streams", "Streams of events that are open.")?;
        let missed = IntCounter::new(
            "event_stream_missed_total",
            "Events that are not kept and that readers of streams missed, since they were too slow.",
        )?;
        let registry = Registry::new();
        registry.register(Box::new(open.clone()))?;
        registry.register(Box::new(missed.clone()))?;
        let most = most.min(Semaphore::MAX_PERMITS);
        Ok(Self { registry, room: Arc::new(Semaphore::new(most)), most, open, missed })
    }

    /// Opens one more, while there is room.
    pub(crate) fn open(&self) -> Result<OpenStream, Problem> {
        let permit = Arc::clone(&self.room).try_acquire_owned().map_err(|_| {
            let most = self.most;
            Problem::Busy(format!(
                "{most} streams of events are open, as many as may be; close one, or raise events.max_streams"
            ))
        })?;
        self.open.inc();
        Ok(OpenStream { open: self.open.clone(), missed: self.missed.clone(), _permit: permit })
    }
}

impl OpenStream {
    pub(crate) fn missed(&self, count: u64) {
        self.missed.inc_by(count);
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.open.dec();
    }
}
