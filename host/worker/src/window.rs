//! How many tasks a worker holds.

use std::time::Duration;

/// Work claimed ahead covers this much time at the present rate: long enough to hide a claim and its fsync, short enough
/// that another host does not wait for what sits here.
const CLAIM_AHEAD: Duration = Duration::from_millis(40);

/// The most tasks claimed ahead; four batches of 512 were the fastest measured.
pub(crate) const MAX_CLAIM_AHEAD: usize = 2048;

/// The tasks a worker may hold at `ended_per_second`: those in flight, and what it will need within [`CLAIM_AHEAD`].
pub(crate) fn window(max_concurrent: usize, ended_per_second: f64) -> usize {
    let ahead = (ended_per_second * CLAIM_AHEAD.as_secs_f64()).max(0.0) as usize;
    max_concurrent + ahead.min(MAX_CLAIM_AHEAD)
}

/// The rate at which tasks end, smoothed over about a tenth of a second.
#[derive(Debug, Default)]
pub(crate) struct EndedRate {
    per_second: f64,
    counted: usize,
    since: Option<Duration>,
}

impl EndedRate {
    /// Counts tasks that ended at `moment` (any clock that only grows) and gives the rate.
    pub(crate) fn count(&mut self, ended: usize, moment: Duration) -> f64 {
        const STEP: Duration = Duration::from_millis(10);
        self.counted += ended;
        let since = *self.since.get_or_insert(moment);
        let elapsed = moment.saturating_sub(since);
        if elapsed >= STEP {
            let measured = self.counted as f64 / elapsed.as_secs_f64();
            // Idle time before this step weighs as much as it lasted.
            let weight = (elapsed.as_secs_f64() / 0.1).clamp(0.2, 1.0);
            self.per_second += (measured - self.per_second) * weight;
            self.counted = 0;
            self.since = Some(moment);
        }
        self.per_second
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_work_is_not_claimed_ahead() {
        assert_eq!(window(64, 0.0), 64);
        assert_eq!(window(64, 10.0), 64);
    }

    #[test]
    fn fast_work_is_claimed_ahead_up_to_a_bound() {
        assert_eq!(window(64, 10_000.0), 464);
        assert_eq!(window(64, 1e9), 64 + MAX_CLAIM_AHEAD);
    }

    #[test]
    fn the_rate_follows_what_ends() {
        let mut rate = EndedRate::default();
        let mut last = 0.0;
        for step in 0..100 {
            last = rate.count(100, Duration::from_millis(step * 10));
        }
        assert!((9_000.0..11_000.0).contains(&last), "{last}");
        assert!(rate.count(1, Duration::from_secs(60)) < 10.0);
    }
}
