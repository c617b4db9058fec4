//! When a step may run.

use crate::State;

use super::{StepRole, StepTally};

/// How far the dependencies of a step have come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DependencyCount {
    /// All of them.
    pub total: u32,
    /// Those that ended well.
    pub well: u32,
    /// Those that never run.
    pub skipped: u32,
    /// Those that are dead, or blocked by one that is.
    pub bad: u32,
    /// Those that were cancelled.
    pub cancelled: u32,
}

/// How a step ended, as those that depend on it count it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StepEnd {
    /// It succeeded, or was resolved.
    Well,
    /// It never ran.
    Skipped,
    /// It is dead, or blocked; that may still change.
    Bad,
    /// It was cancelled.
    Cancelled,
}

/// How far a step has come, as its workflow and those that depend on it count it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StepStanding {
    /// It has not ended.
    #[default]
    Open,
    /// It waits until somebody helps a step before it.
    Blocked,
    /// It succeeded, or was resolved.
    Well,
    /// It never ran.
    Skipped,
    /// It is a dead letter.
    Dead,
    /// It was cancelled.
    Cancelled,
}

impl StepStanding {
    /// All of them; the place of each is its number in stores.
    pub const ALL: [Self; 6] = [Self::Open, Self::Blocked, Self::Well, Self::Skipped, Self::Dead, Self::Cancelled];

    /// How far a step has come that is in this state.
    pub const fn of(state: State) -> Self {
        match state {
            State::Succeeded | State::Resolved => Self::Well,
            State::Skipped => Self::Skipped,
            State::Dead => Self::Dead,
            State::Blocked => Self::Blocked,
            State::Cancelled => Self::Cancelled,
            State::Waiting | State::Ready | State::Running | State::Suspended | State::Paused => Self::Open,
        }
    }

    /// What those that depend on it count it as; none where they wait for it.
    pub const fn end(self) -> Option<StepEnd> {
        match self {
            Self::Open => None,
            Self::Blocked | Self::Dead => Some(StepEnd::Bad),
            Self::Well => Some(StepEnd::Well),
            Self::Skipped => Some(StepEnd::Skipped),
            Self::Cancelled => Some(StepEnd::Cancelled),
        }
    }

    /// What it adds to the tally of its workflow.
    pub const fn tally(self) -> StepTally {
        StepTally {
            unfinished: matches!(self, Self::Open | Self::Blocked) as i64,
            blocked: matches!(self, Self::Blocked) as i64,
            dead: matches!(self, Self::Dead) as i64,
            cancelled: matches!(self, Self::Cancelled) as i64,
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
}

/// What becomes of a step that waits for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DependencyStep {
    /// It waits on.
    Wait,
    /// It may run.
    Release,
    /// It waits until somebody helps a step before it.
    Block,
    /// It never runs.
    Skip,
    /// It can never run, since what it waited for was cancelled.
    Cancel,
}

impl DependencyCount {
    /// None of so many has ended.
    pub const fn of(total: u32) -> Self {
        Self { total, well: 0, skipped: 0, bad: 0, cancelled: 0 }
    }
}

/// What becomes of a step whose dependencies have come so far.
///
/// A convergence step waits for those of its dependencies that run (CONTRACT: declared ∩ created); any other step needs
/// all of them.
pub const fn dependency_step(role: StepRole, count: &DependencyCount) -> DependencyStep {
    let converges = matches!(role, StepRole::Convergence);
    if count.skipped > 0 && !converges {
        return DependencyStep::Skip;
    }
    if count.cancelled > 0 {
        return DependencyStep::Cancel;
    }
    if count.bad > 0 {
        return DependencyStep::Block;
    }
    if count.well + count.skipped < count.total {
        return DependencyStep::Wait;
    }
    if count.well == 0 && count.total > 0 {
        return DependencyStep::Skip;
    }
    DependencyStep::Release
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn counts() -> impl Strategy<Value = DependencyCount> {
        (0u32..4, 0u32..4, 0u32..4, 0u32..4, 0u32..4).prop_map(|(well, skipped, bad, cancelled, open)| {
            DependencyCount { total: well + skipped + bad + cancelled + open, well, skipped, bad, cancelled }
        })
    }

    proptest! {
        #[test]
        fn a_step_runs_once_all_that_it_needs_has_ended_well(count in counts()) {
            let all_well = count.well == count.total;
            prop_assert_eq!(dependency_step(StepRole::Standard, &count) == DependencyStep::Release, all_well);
        }

        #[test]
        fn a_convergence_step_runs_once_what_runs_has_ended_well(count in counts()) {
            let done = count.well + count.skipped == count.total && (count.well > 0 || count.total == 0);
            prop_assert_eq!(dependency_step(StepRole::Convergence, &count) == DependencyStep::Release, done);
        }

        #[test]
        fn what_is_blocked_goes_on_once_the_bad_one_is_helped(count in counts()) {
            prop_assume!(count.bad == 1);
            for role in [StepRole::Standard, StepRole::Convergence] {
                let helped = DependencyCount { bad: 0, well: count.well + 1, ..count };
                if dependency_step(role, &count) == DependencyStep::Block {
                    prop_assert!(matches!(
                        dependency_step(role, &helped),
                        DependencyStep::Wait | DependencyStep::Release
                    ));
                }
            }
        }
    }
}
