//! Named places at which kill tests end the process, without any clean-up.

/// Aborts the process when `BULKHEAD_CRASH_POINT` names this place and it is passed the N-th time (`after_claim:3`).
#[cfg(feature = "test-hooks")]
pub(super) fn crash_point(name: &str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};
    static WANTED: OnceLock<Option<(String, u64)>> = OnceLock::new();
    static PASSED: AtomicU64 = AtomicU64::new(0);
    let wanted = WANTED.get_or_init(|| {
        let text = std::env::var("BULKHEAD_CRASH_POINT").ok()?;
        let (name, count) = text.split_once(':').unwrap_or((&text, "1"));
        Some((name.to_owned(), count.parse().ok()?))
    });
    if let Some((wanted, count)) = wanted
        && wanted == name
        && PASSED.fetch_add(1, Ordering::Relaxed) + 1 == *count
    {
        std::process::abort();
    }
}

/// Nothing, in a build without crash points.
#[cfg(not(feature = "test-hooks"))]
pub(super) fn crash_point(_name: &str) {}
