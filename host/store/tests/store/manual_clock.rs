//! Time, as tests have it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bulkhead_core::Timestamp;
use bulkhead_store::Clock;

use crate::harness::START;

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub(crate) struct ManualClock(AtomicI64);

impl ManualClock {
    pub(crate) fn at_start() -> Self {
        Self(AtomicI64::new(START))
    }

    pub(crate) fn advance(&self, time: Duration) {
        self.0.fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }

    fn since_boot(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.load(Ordering::SeqCst) - START + 1_000_000).unwrap())
    }
}
