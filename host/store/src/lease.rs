//! A worker's time-limited, numbered right to commit.

use std::time::Duration;

pub use bulkhead_core::LeaseId;

/// How long a lease lasts without renewal.
pub const LEASE_DURATION: Duration = Duration::from_secs(15);

/// How often a worker renews all its leases, by one row.
pub const LEASE_RENEW_EVERY: Duration = Duration::from_secs(5);

/// How long after its last confirmed renewal a worker may still trust its leases; a third less than they last, so that
/// it stops its own work before anybody else may take it over.
pub const LEASE_CONFIRMED_FOR: Duration = Duration::from_secs(10);

/// The number of one worker's attachment to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkerId(pub i64);
