//! The number of a lease.

/// The number of one claimed batch, never used twice in one store; it fences stale workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LeaseId(pub i64);
