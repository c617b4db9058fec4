//! How long a task may wait, and what follows.

use crate::{Span, Timestamp};

/// The part of `stale_after`, in hundredths, after which a task that waits is flagged.
const FLAG_AFTER: u128 = 80;

/// The moments at which something happens to a task that waits, where it has such.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WaitLimits {
    /// It runs again, without an answer.
    pub timeout_at: Option<Timestamp>,
    /// It is flagged as about to be stale.
    pub flag_at: Option<Timestamp>,
    /// It is dead as stale.
    pub stale_at: Option<Timestamp>,
}

/// What a moment brings to a task that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitStep {
    /// Nothing yet.
    Wait,
    /// It is flagged, and waits on.
    Flag,
    /// It runs again, without an answer.
    TimeOut,
    /// It is dead as stale.
    Die,
}

impl WaitLimits {
    /// Of a task that begins to wait now.
    pub fn starting(now: Timestamp, timeout: Option<std::time::Duration>, stale_after: Option<Span>) -> Self {
        let after = |stale_after: Span, hundredths: u128| {
            let millis = stale_after.duration().as_millis() * hundredths / 100;
            now.after(std::time::Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX)))
        };
        Self {
            timeout_at: timeout.map(|timeout| now.after(timeout)),
            flag_at: stale_after.map(|stale_after| after(stale_after, FLAG_AFTER)),
            stale_at: stale_after.map(|stale_after| after(stale_after, 100)),
        }
    }

    /// What now brings. A timeout that comes no later than the end wins over it: somebody asked for it.
    pub fn step(&self, now: Timestamp) -> WaitStep {
        let past = |moment: Option<Timestamp>| moment.is_some_and(|moment| moment <= now);
        let timed_out_first = match (self.timeout_at, self.stale_at) {
            (Some(timeout_at), Some(stale_at)) => timeout_at <= stale_at,
            (timeout_at, _) => timeout_at.is_some(),
        };
        match () {
            () if past(self.timeout_at) && timed_out_first => WaitStep::TimeOut,
            () if past(self.stale_at) => WaitStep::Die,
            () if past(self.flag_at) => WaitStep::Flag,
            () => WaitStep::Wait,
        }
    }

    /// The same, once it is flagged.
    #[must_use]
    pub const fn flagged(self) -> Self {
        Self { flag_at: None, ..self }
    }

    /// When to look again.
    pub fn next(&self) -> Option<Timestamp> {
        [self.timeout_at, self.flag_at, self.stale_at].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const START: Timestamp = Timestamp::from_millis(1_000_000);

    fn at(seconds: u64) -> Timestamp {
        START.after(Duration::from_secs(seconds))
    }

    #[test]
    fn a_stale_task_is_flagged_at_four_fifths_and_dead_at_the_end() {
        let limits = WaitLimits::starting(START, None, Some(Span::from_secs(100)));
        assert_eq!((limits.step(at(79)), limits.next()), (WaitStep::Wait, Some(at(80))));
        assert_eq!(limits.step(at(80)), WaitStep::Flag);
        assert_eq!((limits.flagged().step(at(99)), limits.flagged().next()), (WaitStep::Wait, Some(at(100))));
        assert_eq!(limits.flagged().step(at(100)), WaitStep::Die);
        // Nobody looked in between.
        assert_eq!(limits.step(at(1_000)), WaitStep::Die);
    }

    #[test]
    fn a_timeout_wins_where_it_comes_first() {
        let both = |timeout, stale| {
            WaitLimits::starting(START, Some(Duration::from_secs(timeout)), Some(Span::from_secs(stale)))
                .step(at(1_000))
        };
        assert_eq!((both(10, 20), both(20, 20), both(30, 20)), (WaitStep::TimeOut, WaitStep::TimeOut, WaitStep::Die));
        assert_eq!(WaitLimits::starting(START, None, None).next(), None);
    }
}
