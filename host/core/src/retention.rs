//! How long what has ended is kept.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::{Span, State, Timestamp, WorkflowState};

/// How much longer than the time for which it is kept something may stay before anybody looks: a small part of that time,
/// within these bounds.
pub fn overdue_by(kept: Duration, bounds: RangeInclusive<Duration>) -> Duration {
    (kept / 24).clamp(*bounds.start(), *bounds.end())
}

/// How long ended tasks are kept, by how they ended, and what they told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Succeeded, skipped, cancelled and resolved ones.
    pub succeeded: Span,
    /// Dead letters.
    pub dead: Span,
    /// Audit trails, from the end of their task; never shorter than the task.
    pub audit: Span,
    /// Logs, in the same way.
    pub logs: Span,
}

impl Default for Retention {
    fn default() -> Self {
        let (day, month) = (Span::from_secs(24 * 3600), Span::from_secs(30 * 24 * 3600));
        Self { succeeded: day, dead: month, audit: month, logs: day }
    }
}

impl Retention {
    /// How long a task that ended so is kept; none where a task in that state has not ended.
    pub fn kept(&self, state: State) -> Option<Span> {
        match state {
            State::Succeeded | State::Skipped | State::Cancelled | State::Resolved => Some(self.succeeded),
            State::Dead => Some(self.dead),
            State::Waiting | State::Ready | State::Running | State::Suspended | State::Paused | State::Blocked => None,
        }
    }

    /// How long a workflow is kept that came to stand so, with its steps; none where it has not ended.
    ///
    /// One that ended early, or with a step that fans out, may leave dead letters behind, which need its input for as long
    /// as they are kept.
    pub fn kept_workflow(&self, state: WorkflowState, leaves_dead: bool) -> Option<Span> {
        match state {
            WorkflowState::Succeeded | WorkflowState::Cancelled if !leaves_dead => Some(self.succeeded),
            WorkflowState::Succeeded | WorkflowState::Cancelled | WorkflowState::Failed => Some(self.dead),
            WorkflowState::Pending | WorkflowState::Running | WorkflowState::Waiting | WorkflowState::Blocked => None,
        }
    }

    /// How long a blocked workflow is waited for before it is given up: as long as the dead letter that blocks it.
    pub fn blocked_for(&self) -> Span {
        self.dead
    }

    /// Whether a task that ended so at that moment is removed by now.
    pub fn is_over(&self, state: State, ended_at: Timestamp, now: Timestamp) -> bool {
        self.kept(state).is_some_and(|kept| ended_at.after(kept.duration()) <= now)
    }

    /// How long between two looks at everything that has ended: a small part of the shortest time, a minute at least.
    pub fn look_every(&self) -> Duration {
        overdue_by(self.succeeded.min(self.dead).duration(), Duration::from_secs(60)..=Duration::from_secs(3600))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_for_a_day_is_overdue_by_an_hour_and_nothing_by_more_than_the_bounds_say() {
        let by =
            |kept| overdue_by(Duration::from_secs(kept), Duration::from_secs(5)..=Duration::from_secs(7200)).as_secs();
        assert_eq!([0, 24, 24 * 3600, 30 * 24 * 3600].map(by), [5, 5, 3600, 7200]);
    }

    #[test]
    fn what_ended_badly_is_kept_for_longer() {
        let (retention, ended_at) = (Retention::default(), Timestamp::from_millis(0));
        let over =
            |state, hours: u64| retention.is_over(state, ended_at, ended_at.after(Duration::from_secs(hours * 3600)));
        assert!(!over(State::Succeeded, 23) && over(State::Succeeded, 24) && over(State::Cancelled, 24));
        assert!(!over(State::Dead, 719) && over(State::Dead, 720));
        assert!(!over(State::Suspended, 1_000_000));
        assert_eq!(retention.look_every().as_secs(), 3600);
        let short = Retention { succeeded: Span::from_secs(1), ..retention };
        assert_eq!(short.look_every().as_secs(), 60);
    }

    #[test]
    fn a_workflow_is_kept_for_as_long_as_anything_of_it_may_be_wanted() {
        let retention = Retention::default();
        let kept = |state, fans_out| retention.kept_workflow(state, fans_out);
        for state in [WorkflowState::Succeeded, WorkflowState::Cancelled] {
            assert_eq!((kept(state, false), kept(state, true)), (Some(retention.succeeded), Some(retention.dead)));
        }
        assert_eq!(kept(WorkflowState::Failed, false), Some(retention.dead));
        for state in WorkflowState::ALL.into_iter().filter(|state| !state.is_ended()) {
            assert_eq!(kept(state, true), None, "{state:?}");
        }
    }
}
