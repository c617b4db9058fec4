//! What the sender tells the tasks of its webhooks.

use std::time::Duration;

use bulkhead_core::Timestamp;
use tokio::time::Instant;

/// One look at what is to be sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Round {
    /// Until when no other host sends; the past where this one does not.
    pub(crate) ours_until: Instant,
    /// The store's time, and when it was that.
    pub(crate) now: Timestamp,
    pub(crate) at: Instant,
    /// Grows with each change that somebody made by hand.
    pub(crate) changes: u64,
}

impl Round {
    /// Whether this host may send.
    pub(crate) fn is_ours(&self) -> bool {
        Instant::now() < self.ours_until
    }

    /// The store's time now.
    pub(crate) fn now(&self) -> Timestamp {
        self.now.after(self.at.elapsed())
    }

    /// How long it is until a moment of the store's time.
    pub(crate) fn until(&self, moment: Timestamp) -> Duration {
        Duration::from_millis(u64::try_from(moment.as_millis() - self.now().as_millis()).unwrap_or(0))
    }
}
