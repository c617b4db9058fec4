//! What a SQLite store is told.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bulkhead_core::{Kind, KindLimit, Retention};

use crate::LEASE_DURATION;

use super::clock::{Clock, SystemClock};

/// The settings of one SQLite store.
#[derive(Debug, Clone)]
pub struct SqliteSettings {
    /// The database file; made where absent.
    pub path: PathBuf,
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
    /// Memory for the writer's page cache, in bytes.
    pub cache_bytes: u64,
    /// The database's largest size in pages of 4 KiB; `None` leaves it to the disk.
    pub max_pages: Option<u32>,
    /// What tells the time.
    pub clock: Arc<dyn Clock>,
}

impl SqliteSettings {
    /// The defaults, for the database at `path`.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            key_ttl: Duration::from_secs(7 * 24 * 3600),
            retention: Retention::default(),
            cancel_grace: Duration::from_secs(5),
            lease_duration: LEASE_DURATION,
            readers: 4,
            max_routes: 10_000,
            limits: BTreeMap::new(),
            max_pending: 10_000_000,
            max_descendants: 1_000_000,
            cache_bytes: 64 << 20,
            max_pages: None,
            clock: Arc::new(SystemClock),
        }
    }
}
