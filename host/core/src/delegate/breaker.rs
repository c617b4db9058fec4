//! When something that keeps failing is left alone for a while.
//!
//! The circuit breaker of Nygard's *Release It!*: closed, calls go through; after so many failures in a row it is open, and
//! calls are refused; after a rest, one call may try whether it is well again.

use std::time::Duration;

/// When a breaker opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerRules {
    /// So many failures in a row open it; at least 1.
    pub failures: u32,
    /// How long it then rests before a call may try again.
    pub rest: Duration,
}

/// What a breaker says of the next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// It may go through.
    Closed,
    /// It is refused; another may try after so long.
    Open(Duration),
    /// It is the one that tries: what becomes of it decides.
    Trying,
}

/// How something that others depend on has fared; times are measured from any fixed moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Breaker {
    failures: u32,
    open_until: Option<Duration>,
    trying: bool,
}

impl Breaker {
    /// Whether a call may go through at this moment; the answer [`BreakerState::Trying`] is given once, until
    /// [`Breaker::succeeded`], [`Breaker::failed`] or [`Breaker::abandoned`] is told of that call.
    pub fn ask(&mut self, now: Duration) -> BreakerState {
        match self.open_until {
            None => BreakerState::Closed,
            Some(until) if until > now => BreakerState::Open(until - now),
            Some(_) if self.trying => BreakerState::Open(Duration::ZERO),
            Some(_) => {
                self.trying = true;
                BreakerState::Trying
            }
        }
    }

    /// A call went well.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// A call failed in a way that is not its own fault.
    pub fn failed(&mut self, rules: BreakerRules, now: Duration) {
        self.failures = self.failures.saturating_add(1);
        self.trying = false;
        if self.failures >= rules.failures.max(1) {
            self.open_until = Some(now + rules.rest);
        }
    }

    /// A call ended without saying anything about what it was made to, as when it was cancelled.
    pub fn abandoned(&mut self) {
        self.trying = false;
    }

    /// Whether calls are refused at this moment.
    pub fn is_open(&self, now: Duration) -> bool {
        self.open_until.is_some_and(|until| until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: BreakerRules = BreakerRules { failures: 2, rest: Duration::from_secs(10) };

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn failures_in_a_row_open_it_and_one_success_between_them_does_not() {
        let mut breaker = Breaker::default();
        breaker.failed(RULES, at(0));
        breaker.succeeded();
        breaker.failed(RULES, at(1));
        assert_eq!(breaker.ask(at(1)), BreakerState::Closed);
        breaker.failed(RULES, at(2));
        assert_eq!(breaker.ask(at(5)), BreakerState::Open(at(7)));
    }

    #[test]
    fn after_the_rest_one_call_tries_and_decides() {
        let mut breaker = Breaker::default();
        breaker.failed(RULES, at(0));
        breaker.failed(RULES, at(0));
        assert_eq!(breaker.ask(at(10)), BreakerState::Trying);
        assert_eq!(breaker.ask(at(10)), BreakerState::Open(Duration::ZERO), "only one tries");
        breaker.failed(RULES, at(11));
        assert!(breaker.is_open(at(20)));
        assert_eq!(breaker.ask(at(21)), BreakerState::Trying);
        breaker.abandoned();
        assert_eq!(breaker.ask(at(21)), BreakerState::Trying, "another may try");
        breaker.succeeded();
        assert_eq!(breaker.ask(at(21)), BreakerState::Closed);
    }
}
