//! Waiting for what another process does.

use std::fmt::Debug;
use std::time::{Duration, Instant};

/// How often is looked; short beside what is waited for.
const LOOK: Duration = Duration::from_millis(10);

/// Says, where whoever reads the log sees it, that a test did not run.
#[expect(clippy::print_stderr, reason = "a test that does not run must not look like one that passed")]
pub fn skipped(why: &str) {
    eprintln!("SKIPPED: {why}");
}

/// Waits until `look` finds something, at most a minute.
///
/// # Panics
///
/// Where that minute passes.
pub fn eventually<T>(what: impl Debug, look: impl FnMut() -> Option<T>) -> T {
    within(Duration::from_secs(60), what, look)
}

/// Waits until `look` finds something.
///
/// # Panics
///
/// Where the limit comes first.
pub fn within<T>(limit: Duration, what: impl Debug, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < limit, "not within {limit:?}: {what:?}");
        std::thread::sleep(LOOK);
    }
}
