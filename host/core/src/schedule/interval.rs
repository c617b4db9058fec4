//! Ticks at a fixed distance.

use super::ScheduleError;
use crate::{Span, Timestamp};

/// Every so long, counted from an anchor: the moment the schedule was made, so that all hosts agree.
///
/// It ticks at the anchor plus once, twice, three times … its length. Real time is counted, whatever the clocks on the wall
/// do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    every: Span,
    anchor: Timestamp,
}

impl Interval {
    /// Whole seconds, at least one; the anchor is taken down to its second.
    pub fn parse(every: Span, anchor: Timestamp) -> Result<Self, ScheduleError> {
        if every.as_millis() == 0 || !every.as_millis().is_multiple_of(1000) {
            let whole = Span::from_secs(every.as_millis().div_ceil(1000).max(1));
            return Err(ScheduleError::Text {
                field: "every",
                rule: "must be whole seconds, at least 1s".to_owned(),
                fix: Some(format!("the nearest is {whole}")),
                value: every.to_string(),
            });
        }
        let anchor = Timestamp::from_millis(anchor.as_millis().div_euclid(1000).saturating_mul(1000));
        Ok(Self { every, anchor })
    }

    /// The distance of two ticks.
    pub fn every(&self) -> Span {
        self.every
    }

    pub(super) fn next_tick(&self, after: Timestamp) -> Option<Timestamp> {
        let length = i64::try_from(self.every.as_millis()).ok()?;
        let passed = after.as_millis().checked_sub(self.anchor.as_millis())?.div_euclid(length).max(0);
        let tick = passed.checked_add(1)?.checked_mul(length)?.checked_add(self.anchor.as_millis())?;
        Some(Timestamp::from_millis(tick))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn it_ticks_on_multiples_of_its_length_after_the_anchor() {
        let interval = Interval::parse(Span::from_secs(90 * 60), at("2026-03-28T22:10:05.700Z")).unwrap();
        for (after, next) in [
            ("2026-03-28T22:10:05.700Z", "2026-03-28T23:40:05Z"),
            ("2026-03-28T23:40:04.999Z", "2026-03-28T23:40:05Z"),
            ("2026-03-28T23:40:05Z", "2026-03-29T01:10:05Z"),
            ("2020-01-01T00:00:00Z", "2026-03-28T23:40:05Z"),
        ] {
            assert_eq!(interval.next_tick(at(after)), Some(at(next)), "{after}");
        }
        assert_eq!(interval.next_tick(Timestamp::from_millis(i64::MAX)), None);
    }

    #[test]
    fn a_length_that_is_not_whole_seconds_is_refused_with_the_nearest() {
        for (wrong, right) in [(0, "1s"), (1, "1s"), (1500, "2s")] {
            let error = Interval::parse(Span::from_millis(wrong), Timestamp::default()).unwrap_err().to_string();
            assert!(error.starts_with("every: ") && error.contains(right), "{error}");
        }
    }
}
