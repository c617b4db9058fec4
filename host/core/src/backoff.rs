//! How long a failed task waits before its next attempt.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Span;

/// The shape by which the wait grows from attempt to attempt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BackoffCurve {
    /// No wait at all.
    None,
    /// Always the base.
    Fixed,
    /// The base times the number of attempts made.
    Linear,
    /// The base times 1, 2, 4, 8 …
    #[default]
    Exponential,
    /// The base times 1, 1, 2, 3, 5 …
    Fibonacci,
}

/// A back-off policy; in settings either a curve's name or a table of `curve`, `base`, `max` and `jitter`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Backoff {
    /// The shape of growth.
    pub curve: BackoffCurve,
    /// The first wait.
    pub base: Span,
    /// The longest wait, before jitter.
    pub max: Span,
    /// The share of the wait by which chance may lengthen or shorten it: 0 to 1.
    pub jitter: f64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { curve: BackoffCurve::Exponential, base: Span::from_secs(1), max: Span::from_secs(60), jitter: 0.1 }
    }
}

impl Backoff {
    /// The wait after attempt number `attempt` (the first is 1) has failed; `dice` decides the jitter.
    pub fn delay(&self, attempt: u32, dice: u64) -> Duration {
        let base = self.base.as_millis();
        let waited = match self.curve {
            BackoffCurve::None => 0,
            BackoffCurve::Fixed => base,
            BackoffCurve::Linear => base.saturating_mul(u64::from(attempt.max(1))),
            BackoffCurve::Exponential => base.saturating_mul(2u64.saturating_pow(attempt.max(1) - 1)),
            BackoffCurve::Fibonacci => base.saturating_mul(fibonacci(attempt.max(1))),
        };
        jittered(waited.min(self.max.as_millis()), self.jitter, dice)
    }
}

/// Moves a wait of `millis` by up to `jitter` of its length, as `dice` falls.
fn jittered(millis: u64, jitter: f64, dice: u64) -> Duration {
    let share = dice as f64 / u64::MAX as f64;
    let factor = 1.0 + jitter * (2.0 * share - 1.0);
    Duration::from_millis((millis as f64 * factor).round() as u64)
}

fn fibonacci(number: u32) -> u64 {
    let (mut current, mut next) = (1u64, 1u64);
    for _ in 1..number.min(94) {
        (current, next) = (next, current.saturating_add(next));
    }
    current
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a curve (none, fixed, linear, exponential, fibonacci) or a table {curve, base, max, jitter}"
)]
enum Written {
    Curve(BackoffCurve),
    Table(Table),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default)]
    curve: BackoffCurve,
    base: Option<Span>,
    max: Option<Span>,
    jitter: Option<f64>,
}

impl<'de> Deserialize<'de> for Backoff {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let defaults = Self::default();
        Ok(match Written::deserialize(deserializer)? {
            Written::Curve(curve) => Self { curve, ..defaults },
            Written::Table(table) => {
                let jitter = table.jitter.unwrap_or(defaults.jitter);
                if !(0.0..=1.0).contains(&jitter) {
                    return Err(serde::de::Error::custom(format!("jitter must be from 0 to 1: `{jitter}`")));
                }
                Self {
                    curve: table.curve,
                    base: table.base.unwrap_or(defaults.base),
                    max: table.max.unwrap_or(defaults.max),
                    jitter,
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn steady(curve: BackoffCurve) -> Backoff {
        Backoff { curve, jitter: 0.0, ..Backoff::default() }
    }

    #[test]
    fn each_curve_grows_as_its_name_says() {
        let seconds = |curve| (1..=8).map(|attempt| steady(curve).delay(attempt, 0).as_secs()).collect::<Vec<_>>();
        assert_eq!(seconds(BackoffCurve::None), [0; 8]);
        assert_eq!(seconds(BackoffCurve::Fixed), [1; 8]);
        assert_eq!(seconds(BackoffCurve::Linear), [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(seconds(BackoffCurve::Exponential), [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(seconds(BackoffCurve::Fibonacci), [1, 1, 2, 3, 5, 8, 13, 21]);
    }

    #[test]
    fn a_curve_alone_or_a_table_is_read() {
        let read = |text: &str| serde_json::from_str::<Backoff>(text);
        assert_eq!(read("\"fixed\"").unwrap().curve, BackoffCurve::Fixed);
        assert_eq!(read(r#"{"base":"2s"}"#).unwrap().base, Span::from_secs(2));
        assert!(read(r#"{"jitter":2}"#).unwrap_err().to_string().contains("0 to 1"));
        assert!(read("\"quadratic\"").unwrap_err().to_string().contains("fibonacci"));
    }

    proptest! {
        #[test]
        fn delay_stays_within_jitter_of_the_maximum(attempt in 0u32.., dice: u64, base in 0u64..1 << 40) {
            let policy = Backoff { base: Span::from_millis(base), ..Backoff::default() };
            prop_assert!(policy.delay(attempt, dice) <= Duration::from_secs(66));
            let exact = Backoff { jitter: 0.0, ..policy }.delay(attempt, dice).as_secs_f64();
            prop_assert!((policy.delay(attempt, dice).as_secs_f64() - exact).abs() <= exact * 0.1 + 0.001);
        }

        #[test]
        fn delay_never_shrinks_without_jitter(attempt in 1u32..1000) {
            for curve in [BackoffCurve::Linear, BackoffCurve::Exponential, BackoffCurve::Fibonacci] {
                prop_assert!(steady(curve).delay(attempt, 0) <= steady(curve).delay(attempt + 1, 0));
            }
        }
    }
}
