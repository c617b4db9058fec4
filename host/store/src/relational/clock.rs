//! The clock by which the store decides; tests bring their own.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bulkhead_core::Timestamp;
use rustix::time::{ClockId, clock_gettime};

/// What tells the store the time.
pub trait Clock: Send + Sync + std::fmt::Debug + 'static {
    /// The moment, as people count it.
    fn now(&self) -> Timestamp;

    /// Time since boot, sleep of the machine included; it only grows, and leases run by it.
    fn since_boot(&self) -> Duration;
}

/// The machine's own clocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the one place of this crate where the wall clock is read")]
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }

    fn since_boot(&self) -> Duration {
        let time = clock_gettime(ClockId::Boottime);
        Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
    }
}
