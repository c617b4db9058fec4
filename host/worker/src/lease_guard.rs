//! Whether this worker may still trust its leases.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bulkhead_store::LEASE_CONFIRMED_FOR;

use crate::clock::since_boot;

/// The moment, on the boot-time clock, until which the last confirmed renewal may be trusted.
#[derive(Debug, Default)]
pub(crate) struct LeaseGuard {
    confirmed_until_millis: AtomicU64,
}

impl LeaseGuard {
    /// Notes a renewal that was asked for at `asked_at` (boot-time clock) and has been confirmed since.
    ///
    /// Counted from the question, not the answer: the store's clock may have started at any moment between.
    pub(crate) fn confirm(&self, asked_at: Duration) {
        let until = asked_at + LEASE_CONFIRMED_FOR;
        self.confirmed_until_millis.store(u64::try_from(until.as_millis()).unwrap_or(u64::MAX), Ordering::Release);
    }

    /// How much longer the leases may be trusted; `None` where they may not.
    pub(crate) fn left(&self) -> Option<Duration> {
        let until = Duration::from_millis(self.confirmed_until_millis.load(Ordering::Acquire));
        until.checked_sub(since_boot()).filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_trusted_only_for_ten_seconds_from_the_question() {
        let guard = LeaseGuard::default();
        assert_eq!(guard.left(), None);
        guard.confirm(since_boot());
        assert!(guard.left().is_some_and(|left| left <= LEASE_CONFIRMED_FOR));
        guard.confirm(since_boot().saturating_sub(LEASE_CONFIRMED_FOR));
        assert_eq!(guard.left(), None);
    }
}
