//! How much waits, from counters rather than counts.

use bulkhead_core::{DeadReason, Kind, Route, Timestamp};

/// How much of one route waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteDepth {
    /// The route.
    pub route: Route,
    /// Tasks that are ready: due, scheduled, waiting for retry or parked.
    pub pending: u64,
    /// When the oldest due task fell due; absent where none is due.
    pub oldest_due: Option<Timestamp>,
}

/// How many tasks of a kind have died of a reason since the host started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadCount {
    /// The kind.
    pub kind: Kind,
    /// The reason.
    pub reason: DeadReason,
    /// How many.
    pub count: u64,
}
