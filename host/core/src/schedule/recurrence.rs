//! At which moments a schedule ticks.

use super::{Cron, Interval};
use crate::Timestamp;

/// At which moments a schedule ticks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recurrence {
    /// At the times of a pattern, in a time zone.
    Cron(Cron),
    /// Every so long.
    Every(Interval),
}

impl Recurrence {
    /// The first tick after a moment, never that moment itself; none at the end of time.
    pub fn next_tick(&self, after: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Cron(cron) => cron.next_tick(after),
            Self::Every(interval) => interval.next_tick(after),
        }
    }

    /// The ticks after `after` up to and including `until`, from the oldest on, at most `at_most`.
    pub fn ticks_between(&self, after: Timestamp, until: Timestamp, at_most: usize) -> Vec<Timestamp> {
        std::iter::successors(self.next_tick(after), |tick| self.next_tick(*tick))
            .take_while(|tick| *tick <= until)
            .take(at_most)
            .collect()
    }

    /// The same, but the newest `at_most` of them, still in order of time.
    ///
    /// Its cost does not grow with the number of ticks that are left out: a host that was down for a year asks this.
    pub fn newest_ticks_between(&self, after: Timestamp, until: Timestamp, at_most: usize) -> Vec<Timestamp> {
        let few = self.ticks_between(after, until, at_most.saturating_add(1));
        if few.len() <= at_most {
            return few;
        }
        let mut newest = Vec::with_capacity(at_most);
        let mut until = until;
        while newest.len() < at_most {
            let Some(tick) = self.last_tick_between(after, until) else { break };
            newest.push(tick);
            until = Timestamp::from_millis(tick.as_millis() - 1);
        }
        newest.reverse();
        newest
    }

    /// The last tick after `after` up to and including `until`, found by halving: only [`next_tick`](Self::next_tick)
    /// knows the rules.
    pub fn last_tick_between(&self, after: Timestamp, until: Timestamp) -> Option<Timestamp> {
        let within = |moment| self.next_tick(moment).filter(|tick| *tick <= until);
        let mut last = within(after)?;
        // No tick lies after `none_after` and up to `until`.
        let mut none_after = until;
        while let Some(next) = within(last) {
            let half = last.as_millis().midpoint(none_after.as_millis());
            match within(Timestamp::from_millis(half)) {
                Some(tick) => last = tick.max(next),
                None => {
                    none_after = Timestamp::from_millis(half);
                    last = next;
                }
            }
        }
        Some(last)
    }
}
