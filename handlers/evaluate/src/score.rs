//! What a value is worth, and what scores are together.

use crate::settings::Direction;

/// What a value is worth: its score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Worth {
    /// The value itself: more is better.
    Itself,
    /// 1 at 0 and less, and ever closer to 0 the larger it is: less is better, and a value that is missing, worth 0, is the
    /// worst.
    Inverse,
    /// 0 at `worst` and beyond, 1 at `best` and beyond, even in between.
    Between { worst: f64, best: f64 },
}

impl Worth {
    /// Checks what the operator wrote.
    pub(crate) fn new(direction: Option<Direction>, worst: Option<f64>, best: Option<f64>) -> Result<Self, String> {
        let (worst, best) = match (worst, best) {
            (Some(worst), Some(best)) => (worst, best),
            (None, None) => {
                return Ok(match direction {
                    None | Some(Direction::Maximize) => Self::Itself,
                    Some(Direction::Minimize) => Self::Inverse,
                });
            }
            _ => return Err("`worst` and `best` go together".to_owned()),
        };
        let implied = if best > worst { Direction::Maximize } else { Direction::Minimize };
        if best == worst {
            return Err("`worst` and `best` must differ".to_owned());
        }
        if direction.is_some_and(|direction| direction != implied) {
            return Err("`direction` does not fit `worst` and `best`; leave it out".to_owned());
        }
        Ok(Self::Between { worst, best })
    }

    /// The score of a finite value.
    pub(crate) fn score(self, value: f64) -> f64 {
        match self {
            Self::Itself => value,
            Self::Inverse => 1.0 / (1.0 + value.max(0.0)),
            // Halved, so that no difference of two large numbers is infinite.
            Self::Between { worst, best } => ((value / 2.0 - worst / 2.0) / (best / 2.0 - worst / 2.0)).clamp(0.0, 1.0),
        }
    }
}

/// The mean of scores by their weights, of which one is above 0.
pub(crate) fn mean(weighed: &[(f64, f64)]) -> f64 {
    let all: f64 = weighed.iter().map(|(weight, _)| weight).sum();
    let sum: f64 = weighed.iter().map(|(weight, score)| weight * score).sum();
    if sum.is_finite() {
        return sum / all;
    }
    // Of the largest numbers a sum is infinite, and a mean is not but for rounding.
    let mean: f64 = weighed.iter().map(|(weight, score)| weight / all * score).sum();
    mean.clamp(f64::MIN, f64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worth(direction: Option<Direction>, worst: Option<f64>, best: Option<f64>) -> Worth {
        Worth::new(direction, worst, best).expect("a worth")
    }

    #[test]
    fn more_is_better_unless_less_is() {
        assert_eq!(worth(None, None, None).score(7.5), 7.5);
        assert_eq!(worth(Some(Direction::Maximize), None, None).score(-7.5), -7.5);
        let less = worth(Some(Direction::Minimize), None, None);
        assert_eq!((less.score(0.0), less.score(1.0), less.score(3.0), less.score(-5.0)), (1.0, 0.5, 0.25, 1.0));
        assert!(less.score(f64::MAX) >= 0.0);
    }

    #[test]
    fn between_worst_and_best_a_score_is_0_to_1() {
        let latency = worth(Some(Direction::Minimize), Some(1000.0), Some(200.0));
        assert_eq!([2000.0, 1000.0, 600.0, 200.0, 0.0].map(|value| latency.score(value)), [0.0, 0.0, 0.5, 1.0, 1.0]);
        let accuracy = worth(None, Some(0.5), Some(1.0));
        assert_eq!([0.0, 0.5, 0.75, 1.0].map(|value| accuracy.score(value)), [0.0, 0.0, 0.5, 1.0]);
        let wide = worth(None, Some(f64::MIN), Some(f64::MAX));
        assert_eq!([f64::MIN, 0.0, f64::MAX].map(|value| wide.score(value)), [0.0, 0.5, 1.0]);
    }

    #[test]
    fn ends_that_make_no_sense_are_refused() {
        assert!(Worth::new(None, Some(1.0), None).is_err());
        assert!(Worth::new(None, Some(1.0), Some(1.0)).is_err());
        assert!(Worth::new(Some(Direction::Maximize), Some(2.0), Some(1.0)).is_err());
    }

    #[test]
    fn the_mean_is_by_weight() {
        assert_eq!(mean(&[(3.0, 1.0), (1.0, 0.0)]), 0.75);
        assert_eq!(mean(&[(1.0, 4.0), (0.0, 100.0)]), 4.0);
        assert_eq!(mean(&[(2.0, 1.0), (1.0, 0.75), (1.0, 0.875), (1.0, 0.0)]), 0.725);
        assert!(mean(&[(1e9, f64::MAX), (1e-9, f64::MAX), (3.0, f64::MAX)]).is_finite());
    }
}
