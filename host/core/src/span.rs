//! Lengths of time as people write them.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A length of time with millisecond resolution, written `5s`, `1m 30s`, `250ms` or in ISO 8601.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span(Duration);

impl Span {
    /// The longest span that is accepted: a hundred years.
    pub const MAX: Self = Self(Duration::from_secs(100 * 365 * 24 * 3600));

    /// A span of whole milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(Duration::from_millis(millis))
    }

    /// A span of whole seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// The span as the standard library has it.
    pub const fn duration(self) -> Duration {
        self.0
    }

    /// The span in milliseconds.
    pub fn as_millis(self) -> u64 {
        u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX)
    }

    /// Parses a span; negative ones and ones past [`Span::MAX`] are refused.
    pub fn parse(text: &str) -> Result<Self, crate::TextError> {
        text.parse::<jiff::SignedDuration>()
            .ok()
            .and_then(|signed| Duration::try_from(signed).ok())
            .map(|duration| Self(Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))))
            .filter(|span| *span <= Self::MAX)
            .ok_or_else(|| crate::TextError {
                what: "duration",
                rule: "a length of time with its unit, such as 250ms, 5s, 1m or 2h",
                value: text.to_owned(),
            })
    }
}

impl std::fmt::Display for Span {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match jiff::SignedDuration::try_from(self.0) {
            Ok(signed) => write!(formatter, "{signed:#}"),
            Err(_) => write!(formatter, "{}ms", self.0.as_millis()),
        }
    }
}

impl std::str::FromStr for Span {
    type Err = crate::TextError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Span;
            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a duration in quotes with its unit, such as \"5s\"")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Span, E> {
                Span::parse(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}
