//! The two clocks a worker reads.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bulkhead_core::Timestamp;

/// The wall clock: for records that people read, never for decisions.
#[expect(clippy::disallowed_methods, reason = "the one place of this crate where the wall clock is read")]
pub fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

/// Time since boot, suspended time included: what a lease is measured by, since a machine that slept through its lease
/// has lost it.
pub(crate) fn since_boot() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}
