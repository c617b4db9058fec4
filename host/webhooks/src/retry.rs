//! When a delivery that failed is tried again, and when it is given up.

use std::time::{Duration, SystemTime};

use bulkhead_core::Timestamp;
use bulkhead_store::DeliveryFate;

/// The wait after the first attempt; it doubles with each.
const FIRST: Duration = Duration::from_secs(1);

/// The longest wait between two attempts, whoever asks for it.
const MOST: Duration = Duration::from_secs(3_600);

/// The longest time between two probes of a receiver that takes nothing.
const MOST_BRAKE: Duration = Duration::from_secs(30);

/// An attempt that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failed {
    /// What happened, for people.
    pub(crate) error: String,
    /// For how long, or until when, the receiver asks to be left alone, as it said it.
    pub(crate) retry_after: Option<String>,
}

/// What follows from an attempt that failed after `attempts` others; `since` is when the delivery began, `chance` is from 0 to 1.
pub(crate) fn after_failure(
    failed: Failed,
    (attempts, since): (u32, Timestamp),
    now: Timestamp,
    retry_for: Duration,
    chance: f64,
) -> DeliveryFate {
    let doubled = FIRST.saturating_mul(1 << attempts.min(16)).min(MOST);
    let asked = failed.retry_after.and_then(|text| retry_after(&text, now)).unwrap_or_default();
    let wait = doubled.mul_f64(0.9 + 0.2 * chance.clamp(0.0, 1.0)).max(asked).min(MOST);
    let again = now.after(wait);
    if again > since.after(retry_for) {
        DeliveryFate::Parked(failed.error)
    } else {
        DeliveryFate::Again(again, failed.error)
    }
}

/// What `Retry-After` means: so many seconds, or until a date (RFC 9110, section 10.2.3).
fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    let since_epoch = date.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let now = Duration::from_millis(u64::try_from(now.as_millis()).unwrap_or_default());
    Some(since_epoch.saturating_sub(now))
}

/// How long a receiver is left alone that has taken nothing so many times in a row.
pub(crate) fn brake(failures: u32) -> Duration {
    Duration::from_secs(1 << failures.saturating_sub(1).min(6)).min(MOST_BRAKE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: Duration = Duration::from_secs(24 * 3_600);

    fn failed(retry_after: Option<u64>) -> Failed {
        Failed { error: "no".to_owned(), retry_after: retry_after.map(|seconds| seconds.to_string()) }
    }

    #[test]
    fn waits_grow_until_the_day_is_over() {
        let since = Timestamp::from_millis(0);
        let (mut now, mut attempts, mut last) = (since, 0, 0);
        loop {
            match after_failure(failed(None), (attempts, since), now, DAY, 0.5) {
                DeliveryFate::Again(at, _) => {
                    let wait = at.as_millis() - now.as_millis();
                    assert!(wait >= last && wait <= 3_600_000, "{attempts}: {wait}");
                    (now, attempts, last) = (at, attempts + 1, wait);
                }
                DeliveryFate::Parked(error) => break assert_eq!(error, "no"),
                DeliveryFate::Delivered => unreachable!("it failed"),
            }
        }
        assert!(now.as_millis() > 22 * 3_600_000 && (30..60).contains(&attempts), "{now}, {attempts}");
    }

    #[test]
    fn a_receiver_says_in_seconds_or_by_a_date_how_long_it_wants_to_be_left_alone() {
        // The date of RFC 9110, section 5.6.7, and half a minute before it.
        let (date, now) = ("Sun, 06 Nov 1994 08:49:37 GMT", Timestamp::from_millis(784_111_747_000));
        for (text, wait) in
            [(" 120 ", Some(120)), (date, Some(30)), ("Fri, 31 Dec 1993 23:59:59 GMT", Some(0)), ("soon", None)]
        {
            assert_eq!(retry_after(text, now), wait.map(Duration::from_secs), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_receiver_is_not_asked_before_it_wants_but_within_the_hour(
            attempts in 0u32..100,
            asked in 0u64..1_000_000,
            chance in 0.0f64..=1.0,
        ) {
            let now = Timestamp::from_millis(0);
            let DeliveryFate::Again(at, _) = after_failure(failed(Some(asked)), (attempts, now), now, DAY, chance) else {
                return Err(TestCaseError::fail("given up"));
            };
            let wait = u64::try_from(at.as_millis()).unwrap_or_default();
            prop_assert!(wait >= (asked * 1_000).min(3_600_000) && wait <= 3_600_000);
        }
    }
}
