//! What may stand behind the `?` of a list.

use bulkhead_core::{DeadReason, Kind, State, TaskId, Timestamp};
use bulkhead_store::{Selection, TaskFilter};
use serde::Deserialize;

use crate::page_limit::{LIMIT, page_limit};
use crate::problem::Problem;

/// The parameters of a list of tasks.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    /// States, with commas between.
    state: Option<String>,
    kind: Option<String>,
    tenant: Option<String>,
    /// Children of this task only.
    parent: Option<String>,
    /// Ended before this moment only.
    ended_before: Option<Timestamp>,
    /// Of dead tasks only.
    reason: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
    /// Answer with the number of tasks instead.
    #[serde(default)]
    pub(crate) count: bool,
}

impl ListQuery {
    /// Checks every value; a page of a hundred where no limit is given.
    pub(crate) fn selection(self) -> Result<Selection, Problem> {
        self.selection_of(LIMIT)
    }

    /// The same with another length where none is given.
    pub(crate) fn selection_of(self, length: usize) -> Result<Selection, Problem> {
        let states = self.state.as_deref().unwrap_or_default().split(',').filter(|state| !state.is_empty());
        let limit = page_limit(self.limit, length)?;
        Ok(Selection {
            filter: TaskFilter {
                states: states.map(State::parse).collect::<Result<_, _>>()?,
                kind: self.kind.map(Kind::parse).transpose()?,
                tenant: self.tenant,
                dead_reason: self.reason.as_deref().map(DeadReason::parse).transpose()?,
                ready_reason: None,
                ended_before: self.ended_before,
                parent: self.parent.map(TaskId::parse).transpose()?,
            },
            limit,
            cursor: self.cursor,
        })
    }
}
