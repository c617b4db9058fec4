//! How a workflow stands.

use serde::{Deserialize, Serialize};

use super::StepStanding;
use crate::State;

/// How a workflow stands, as callers see it; the names are the contract's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkflowState {
    /// No step has begun.
    Pending,
    /// A step runs, or may run now.
    Running,
    /// Nothing runs: what is not done waits for its time, for an answer, or is paused.
    Waiting,
    /// Nothing goes on until somebody requeues or resolves a dead step.
    Blocked,
    /// All steps have ended well, or were skipped.
    Succeeded,
    /// All steps have ended, at least one of them badly, or it took too long.
    Failed,
    /// All steps have ended, and some were cancelled.
    Cancelled,
}

impl WorkflowState {
    /// Every state.
    pub const ALL: [Self; 7] =
        [Self::Pending, Self::Running, Self::Waiting, Self::Blocked, Self::Succeeded, Self::Failed, Self::Cancelled];

    /// The public name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Blocked => "blocked",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Its number in stores.
    pub const fn number(self) -> i64 {
        self as i64
    }

    /// The one of this number.
    pub fn of_number(number: i64) -> Option<Self> {
        usize::try_from(number).ok().and_then(|place| Self::ALL.get(place).copied())
    }

    /// Whether all of its steps have ended.
    pub const fn is_ended(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// Whether nothing more happens by itself.
    pub const fn is_settled(self) -> bool {
        matches!(self, Self::Blocked) || self.is_ended()
    }
}

impl std::str::FromStr for WorkflowState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str).join(", ");
            format!("`{text}` is no state of a workflow; there are {names}")
        })
    }
}

/// How many steps of a workflow stand how; what is not counted here goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StepTally {
    /// Steps that have not ended.
    pub unfinished: i64,
    /// Those of them that are blocked.
    pub blocked: i64,
    /// Dead steps.
    pub dead: i64,
    /// Cancelled steps.
    pub cancelled: i64,
}

impl StepTally {
    /// What is counted once this is taken away and that is added.
    pub const fn changed(self, from: Self, to: Self) -> Self {
        Self {
            unfinished: self.unfinished - from.unfinished + to.unfinished,
            blocked: self.blocked - from.blocked + to.blocked,
            dead: self.dead - from.dead + to.dead,
            cancelled: self.cancelled - from.cancelled + to.cancelled,
        }
    }
}

/// Why a workflow ended before its steps had come to their ends by themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EarlyEnd {
    /// A step ended it, as succeeded.
    pub terminated: bool,
    /// It took longer than it may.
    pub overdue: bool,
}

/// How a workflow stands whose steps stand so; none while something goes on, which only the steps themselves tell.
pub const fn standing(tally: &StepTally, early: EarlyEnd) -> Option<WorkflowState> {
    if tally.unfinished > 0 {
        return if tally.blocked >= tally.unfinished { Some(WorkflowState::Blocked) } else { None };
    }
    Some(if early.overdue {
        WorkflowState::Failed
    } else if early.terminated {
        WorkflowState::Succeeded
    } else if tally.dead > 0 {
        WorkflowState::Failed
    } else if tally.cancelled > 0 {
        WorkflowState::Cancelled
    } else {
        WorkflowState::Succeeded
    })
}

/// A step as far as how its workflow stands depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepGlance {
    /// Where it stands.
    pub state: State,
    /// It is ready, and nothing keeps it from being claimed.
    pub is_due: bool,
    /// It has run before.
    pub has_run: bool,
}

/// How a workflow stands in which something goes on, or will.
pub fn under_way(steps: impl IntoIterator<Item = StepGlance>) -> WorkflowState {
    let (mut is_due, mut has_begun) = (false, false);
    for step in steps {
        if step.state == State::Running {
            return WorkflowState::Running;
        }
        is_due |= step.is_due;
        let has_moved = matches!(step.state, State::Suspended | State::Paused) || step.state.is_ended();
        has_begun |= step.has_run || has_moved;
    }
    match (has_begun, is_due) {
        (false, _) => WorkflowState::Pending,
        (true, true) => WorkflowState::Running,
        (true, false) => WorkflowState::Waiting,
    }
}

/// What becomes of a step that stands so when its workflow ends early; none where it has ended.
///
/// What waits for other steps never runs; what could run, or does, is stopped.
pub const fn when_terminated(state: State) -> Option<StepStanding> {
    match StepStanding::of(state) {
        StepStanding::Open if matches!(state, State::Waiting) => Some(StepStanding::Skipped),
        StepStanding::Open | StepStanding::Blocked => Some(StepStanding::Cancelled),
        StepStanding::Well | StepStanding::Skipped | StepStanding::Dead | StepStanding::Cancelled => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glance(state: State, is_due: bool, has_run: bool) -> StepGlance {
        StepGlance { state, is_due, has_run }
    }

    #[test]
    fn what_ended_a_workflow_is_told_by_its_counts() {
        let tally = |unfinished, blocked, dead, cancelled| StepTally { unfinished, blocked, dead, cancelled };
        let plain = EarlyEnd::default();
        assert_eq!(standing(&tally(2, 1, 1, 0), plain), None);
        assert_eq!(standing(&tally(2, 2, 1, 0), plain), Some(WorkflowState::Blocked));
        assert_eq!(standing(&tally(0, 0, 1, 1), plain), Some(WorkflowState::Failed));
        assert_eq!(standing(&tally(0, 0, 0, 1), plain), Some(WorkflowState::Cancelled));
        assert_eq!(standing(&tally(0, 0, 0, 0), plain), Some(WorkflowState::Succeeded));
        let terminated = EarlyEnd { terminated: true, overdue: false };
        assert_eq!(standing(&tally(0, 0, 0, 3), terminated), Some(WorkflowState::Succeeded));
        let overdue = EarlyEnd { overdue: true, ..terminated };
        assert_eq!(standing(&tally(0, 0, 0, 3), overdue), Some(WorkflowState::Failed));
    }

    #[test]
    fn a_workflow_waits_where_something_has_begun_and_nothing_can_go_on_now() {
        let (ready, waiting) = (glance(State::Ready, true, false), glance(State::Waiting, false, false));
        let (ended, later) = (glance(State::Succeeded, false, true), glance(State::Ready, false, true));
        assert_eq!(under_way([ready, waiting]), WorkflowState::Pending);
        assert_eq!(under_way([ended, ready]), WorkflowState::Running);
        assert_eq!(under_way([ended, waiting]), WorkflowState::Waiting);
        assert_eq!(under_way([later, waiting]), WorkflowState::Waiting);
        assert_eq!(under_way([waiting, glance(State::Running, false, true)]), WorkflowState::Running);
    }

    #[test]
    fn an_early_end_skips_what_waits_and_stops_the_rest() {
        for state in State::ALL {
            let wanted = match state {
                _ if state.is_ended() => None,
                State::Waiting => Some(StepStanding::Skipped),
                _ => Some(StepStanding::Cancelled),
            };
            assert_eq!(when_terminated(state), wanted, "{state:?}");
        }
    }
}
