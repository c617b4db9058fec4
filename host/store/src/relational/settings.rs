//! What every store is told, whichever database it is in.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bulkhead_core::{Kind, KindLimit, Retention};

use crate::LEASE_DURATION;

use super::clock::{Clock, SystemClock};

/// The settings of the durable queue.
#[derive(Debug, Clone)]
pub struct QueueSettings {
    /// How long an idempotency key is remembered, and never shorter than its task lives.
    pub key_ttl: Duration,
    /// How long what has ended is kept.
    pub retention: Retention,
    /// How long after a cancel a run may still end well.
    pub cancel_grace: Duration,
    /// How long a lease lasts without renewal.
    pub lease_duration: Duration,
    /// Connections that read, each on a blocking thread.
    pub readers: usize,
    /// Routes that may hold waiting tasks at once.
    pub max_routes: usize,
    /// What bounds all tasks of a kind together.
    pub limits: BTreeMap<Kind, KindLimit>,
    /// Tasks that may wait; those that running tasks ask for may be as many again.
    pub max_pending: u64,
    /// Children, and children's children, of one task.
    pub max_descendants: u64,
    /// What tells the time, where the database does not.
    pub clock: Arc<dyn Clock>,
}

impl Default for QueueSettings {
    fn default() -> Self {
        Self {
            key_ttl: Duration::from_secs(7 * 24 * 3600),
            retention: Retention::default(),
            cancel_grace: Duration::from_secs(5),
            lease_duration: LEASE_DURATION,
            readers: 4,
            max_routes: 10_000,
            limits: BTreeMap::new(),
            max_pending: 10_000_000,
            max_descendants: 1_000_000,
            clock: Arc::new(SystemClock),
        }
    }
}
