//! How many tasks of a kind may run at once, and how many may begin in a time.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Span, TextError, Timestamp};

/// What bounds all tasks of one kind together, over all workers of a store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KindLimit {
    /// At most so many run at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrent: Option<std::num::NonZeroU32>,
    /// At most so many begin in a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
}

/// So many in a time, such as `100/s`, `30/m` or `5/10s`; as many may begin at once after a rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    count: u32,
    per: Span,
}

impl Rate {
    /// Parses `COUNT/TIME`, the time being `s`, `m`, `h`, or a duration such as `10s`.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let refuse = || TextError {
            what: "rate",
            rule: "a count and a time, such as 100/s, 30/m or 5/10s, both more than none",
            value: text.to_owned(),
        };
        let (count, per) = text.split_once('/').ok_or_else(refuse)?;
        let per = match per.trim() {
            "s" => Span::from_secs(1),
            "m" | "min" => Span::from_secs(60),
            "h" => Span::from_secs(3600),
            other => Span::parse(other).map_err(|_| refuse())?,
        };
        let count = count.trim().parse().ok().filter(|count| *count > 0).ok_or_else(refuse)?;
        if per.duration().as_millis() == 0 { Err(refuse()) } else { Ok(Self { count, per }) }
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.count, self.per)
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// How many of a rate's tasks may begin now: a token bucket, full at first, which holds the rate's count at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    rate: Rate,
    tokens: f64,
    filled_at: Timestamp,
}

impl Bucket {
    /// A full one.
    pub fn full(rate: Rate, now: Timestamp) -> Self {
        Self { rate, tokens: f64::from(rate.count), filled_at: now }
    }

    /// One that held so many tokens at a moment, as it was kept.
    pub fn holding(rate: Rate, tokens: f64, filled_at: Timestamp) -> Self {
        Self { rate, tokens: tokens.min(f64::from(rate.count)), filled_at }
    }

    /// The rate that fills it.
    pub const fn rate(&self) -> Rate {
        self.rate
    }

    /// How many tokens it held, and when: what is to be kept of it.
    pub const fn held(&self) -> (f64, Timestamp) {
        (self.tokens, self.filled_at)
    }

    fn tokens_at(&self, now: Timestamp) -> f64 {
        let millis = now.as_millis().saturating_sub(self.filled_at.as_millis()).max(0) as f64;
        let each = self.rate.per.duration().as_secs_f64() * 1e3 / f64::from(self.rate.count);
        (self.tokens + millis / each).min(f64::from(self.rate.count))
    }

    /// How many may begin now.
    pub fn available(&self, now: Timestamp) -> u32 {
        // A hair's breadth of rounding must not keep a token back that is due.
        (self.tokens_at(now) + 1e-6) as u32
    }

    /// Takes tokens; what is taken back after all is taken with a negative count.
    pub fn take(&mut self, count: i64, now: Timestamp) {
        self.tokens = (self.tokens_at(now) - count as f64).min(f64::from(self.rate.count));
        self.filled_at = self.filled_at.max(now);
    }

    /// When the next one may begin, at the earliest.
    pub fn next_at(&self, now: Timestamp) -> Timestamp {
        let missing = (1.0 - self.tokens_at(now)).max(0.0);
        let each = self.rate.per.duration().as_secs_f64() / f64::from(self.rate.count);
        now.after(Duration::from_millis((missing * each * 1e3).ceil() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(1_000).after(Duration::from_millis(millis))
    }

    #[test]
    fn rates_are_read_as_people_write_them() {
        for (text, shown) in [("100/s", "100/1s"), ("30/m", "30/1m"), ("5 / 10s", "5/10s"), ("1/h", "1/1h")] {
            let rate = Rate::parse(text).unwrap();
            assert_eq!((rate.to_string().as_str(), Rate::parse(&rate.to_string())), (shown, Ok(rate)));
        }
        for text in ["", "5", "/s", "0/s", "5/", "5/0s", "-1/s", "5/week"] {
            assert!(Rate::parse(text).unwrap_err().to_string().contains("100/s"), "{text}");
        }
    }

    #[test]
    fn a_rest_fills_the_bucket_and_no_more() {
        let mut bucket = Bucket::full(Rate::parse("10/s").unwrap(), at(0));
        assert_eq!(bucket.available(at(0)), 10);
        bucket.take(10, at(0));
        assert_eq!((bucket.available(at(99)), bucket.available(at(100)), bucket.next_at(at(0))), (0, 1, at(100)));
        assert_eq!(bucket.available(at(60_000)), 10);
        bucket.take(-3, at(60_000));
        assert_eq!(bucket.available(at(60_000)), 10);
    }

    proptest! {
        #[test]
        fn never_more_begin_than_the_rate_lets(
            count in 1u32..50, per in 1u64..5_000, steps in proptest::collection::vec((0u64..1_000, 1u32..20), 1..60),
        ) {
            let rate = Rate { count, per: Span::from_millis(per) };
            let mut bucket = Bucket::full(rate, at(0));
            let (mut now, mut begun) = (0, 0u64);
            for (pause, wanted) in steps {
                now += pause;
                let taken = bucket.available(at(now)).min(wanted);
                bucket.take(taken.into(), at(now));
                begun += u64::from(taken);
                let most = f64::from(count) * (1.0 + now as f64 / per as f64);
                prop_assert!(begun as f64 <= most + 1e-3, "{} of {} by {} ms", begun, most, now);
                if bucket.available(at(now)) == 0 {
                    let next = bucket.next_at(at(now));
                    prop_assert!(bucket.available(next) >= 1);
                }
            }
        }
    }
}
