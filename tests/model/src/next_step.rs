//! What follows the end of a run, as far as it matters to leases.

use crate::message::RunEnding;
use crate::scenario::MAX_ATTEMPTS;

/// What the store writes. Waits are not modelled: a retry may be claimed at once, and at any later moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NextStep {
    /// The task has ended, well or badly.
    End,
    /// It is ready again, and an attempt is charged.
    Retry,
}

/// The step after so many attempts charged.
pub(crate) const fn next_step(attempts: u8, ending: RunEnding) -> NextStep {
    match ending {
        RunEnding::Failed if attempts + 1 < MAX_ATTEMPTS => NextStep::Retry,
        RunEnding::Completed | RunEnding::Failed => NextStep::End,
    }
}
