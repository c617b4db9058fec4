//! How a workflow's steps stand, as its row has it.

use bulkhead_core::{EarlyEnd, StepTally};

use crate::sql::Row;

/// The columns of [`read_tally`], of workflows by this name.
pub(super) fn tally_columns(of: &str) -> String {
    ["unfinished", "blocked", "dead", "cancelled", "terminated", "overdue"]
        .map(|name| format!("{of}.{name}"))
        .join(", ")
}

/// From [`tally_columns`].
pub(super) fn read_tally(row: &Row<'_>, first: usize) -> crate::sql::Result<(StepTally, EarlyEnd)> {
    let tally = StepTally {
        unfinished: row.get(first)?,
        blocked: row.get(first + 1)?,
        dead: row.get(first + 2)?,
        cancelled: row.get(first + 3)?,
    };
    Ok((tally, EarlyEnd { terminated: row.get(first + 4)?, overdue: row.get(first + 5)? }))
}
