//! Where a task stands, and where it may go from there.

use serde::{Deserialize, Serialize};

/// The state of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// On dependencies.
    Waiting,
    /// May be claimed when due.
    Ready,
    /// Leased by a worker.
    Running,
    /// On children, or on a person or system outside.
    Suspended,
    /// By an operator.
    Paused,
    /// A dependency ended badly.
    Blocked,
    /// Ended well.
    Succeeded,
    /// Ended without running, by a decision.
    Skipped,
    /// Ended by somebody's wish.
    Cancelled,
    /// Ended badly: a dead letter.
    Dead,
    /// Closed by hand, with a result.
    Resolved,
}

impl State {
    /// All states, in the order of the contract.
    pub const ALL: [Self; 11] = [
        Self::Waiting,
        Self::Ready,
        Self::Running,
        Self::Suspended,
        Self::Paused,
        Self::Blocked,
        Self::Succeeded,
        Self::Skipped,
        Self::Cancelled,
        Self::Dead,
        Self::Resolved,
    ];

    /// The public name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Suspended => "suspended",
            Self::Paused => "paused",
            Self::Blocked => "blocked",
            Self::Succeeded => "succeeded",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
            Self::Dead => "dead",
            Self::Resolved => "resolved",
        }
    }

    /// Parses the public name.
    pub fn parse(text: &str) -> Result<Self, crate::TextError> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or_else(|| crate::TextError {
            what: "state",
            rule: "one of waiting ready running suspended paused blocked succeeded skipped cancelled dead resolved",
            value: text.to_owned(),
        })
    }

    /// Whether nothing more will happen to the task by itself.
    pub const fn is_ended(self) -> bool {
        match self {
            Self::Succeeded | Self::Skipped | Self::Cancelled | Self::Dead | Self::Resolved => true,
            Self::Waiting | Self::Ready | Self::Running | Self::Suspended | Self::Paused | Self::Blocked => false,
        }
    }

    /// Whether the contract lets a task go from this state to the other; the store refuses any other move.
    pub const fn may_become(self, next: Self) -> bool {
        use State::{
            Blocked, Cancelled, Dead, Paused, Ready, Resolved, Running, Skipped, Succeeded, Suspended, Waiting,
        };
        match self {
            Waiting => matches!(next, Ready | Blocked | Skipped | Cancelled | Dead),
            Ready => matches!(next, Running | Paused | Cancelled | Dead),
            Running => matches!(next, Ready | Suspended | Paused | Succeeded | Dead | Cancelled),
            Suspended => matches!(next, Ready | Cancelled | Dead),
            Paused => matches!(next, Waiting | Ready | Suspended | Blocked | Cancelled),
            Blocked => matches!(next, Waiting | Ready | Resolved | Cancelled),
            Dead => matches!(next, Ready | Resolved),
            Succeeded | Skipped | Cancelled | Resolved => false,
        }
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// Why a task that is ready does not run at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadyReason {
    /// Submitted for later.
    Scheduled,
    /// Waits for its next attempt.
    Retry,
    /// A handler declined it; waits to be offered again.
    Declined,
    /// Every live handler declined it; waits for the catalogue to change.
    NoCapableWorker,
    /// The host ended its run; waits to be taken up again.
    Interrupted,
    /// Its worker was lost.
    WorkerLost,
    /// No live handler serves it.
    Unroutable,
    /// Its workspace is on another host, which is to run it.
    WorkspaceHost,
}

impl ReadyReason {
    /// The public name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Retry => "retry",
            Self::Declined => "declined",
            Self::NoCapableWorker => "no_capable_worker",
            Self::Interrupted => "interrupted",
            Self::WorkerLost => "worker_lost",
            Self::Unroutable => "unroutable",
            Self::WorkspaceHost => "workspace_host",
        }
    }
}

/// Why a task is dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadReason {
    /// A failure that is not retryable.
    Permanent,
    /// No attempts left.
    MaxAttempts,
    /// The wall clock, with no attempts left.
    Timeout,
    /// A trap.
    Trap,
    /// The fuel ran out.
    OutOfFuel,
    /// Another limit; the error says which.
    Limit,
    /// An answer that breaks the contract.
    InvalidOutcome,
    /// Workers kept being lost while they ran it.
    Poison,
    /// Waited longer than its `stale_after`.
    Stale,
    /// Not started by its `expires_at`.
    Expired,
    /// By hand.
    Manual,
}

impl DeadReason {
    /// All reasons.
    pub const ALL: [Self; 11] = [
        Self::Permanent,
        Self::MaxAttempts,
        Self::Timeout,
        Self::Trap,
        Self::OutOfFuel,
        Self::Limit,
        Self::InvalidOutcome,
        Self::Poison,
        Self::Stale,
        Self::Expired,
        Self::Manual,
    ];

    /// The public name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Permanent => "permanent",
            Self::MaxAttempts => "max_attempts",
            Self::Timeout => "timeout",
            Self::Trap => "trap",
            Self::OutOfFuel => "out_of_fuel",
            Self::Limit => "limit",
            Self::InvalidOutcome => "invalid_outcome",
            Self::Poison => "poison",
            Self::Stale => "stale",
            Self::Expired => "expired",
            Self::Manual => "manual",
        }
    }

    /// Parses the public name.
    pub fn parse(text: &str) -> Result<Self, crate::TextError> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text).ok_or_else(|| crate::TextError {
            what: "reason",
            rule: "one of permanent max_attempts timeout trap out_of_fuel limit invalid_outcome poison stale expired manual",
            value: text.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ended_states_lead_nowhere_but_dead_letters_may_be_requeued_or_resolved() {
        for state in State::ALL.into_iter().filter(|state| state.is_ended()) {
            let next: Vec<_> = State::ALL.into_iter().filter(|next| state.may_become(*next)).collect();
            if state == State::Dead {
                assert_eq!(next, [State::Ready, State::Resolved]);
            } else {
                assert_eq!(next, []);
            }
        }
    }

    #[test]
    fn every_state_can_be_reached_and_left_towards_an_end() {
        for state in State::ALL {
            assert!(state.is_ended() || State::ALL.into_iter().any(|next| state.may_become(next)));
            assert!(
                matches!(state, State::Waiting) || State::ALL.into_iter().any(|previous| previous.may_become(state))
            );
            assert_eq!(State::parse(state.as_str()), Ok(state));
        }
    }
}
