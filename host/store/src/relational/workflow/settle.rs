//! Counting workflows whose steps have come somewhere.

use std::collections::BTreeMap;

use bulkhead_core::{EarlyEnd, StepTally, WorkflowState, standing};

use super::tally::{read_tally, tally_columns};
use crate::TaskSeq;
use crate::sql::{Row, params};

use super::super::cycle::Cycle;
use super::super::failure::Halt;

/// How the steps of a workflow stand, which nobody else changes in this cycle.
#[derive(Debug, Clone, Copy)]
pub(super) struct Count {
    pub(super) tally: StepTally,
    pub(super) early: EarlyEnd,
    /// How the workflow stood, where nothing more happened in it by itself.
    before: Option<WorkflowState>,
}

/// The counts of the workflows that were touched.
pub(super) type Counts = BTreeMap<TaskSeq, Count>;

impl Count {
    /// The columns of [`Count::read`], of workflows by this name.
    pub(super) fn columns(of: &str) -> String {
        format!("{}, {of}.settled", tally_columns(of))
    }

    pub(super) fn read(row: &Row<'_>, first: usize) -> crate::sql::Result<Self> {
        let (tally, early) = read_tally(row, first)?;
        let before = row.get::<Option<i64>>(first + 6)?.and_then(WorkflowState::of_number);
        Ok(Self { tally, early, before })
    }
}

impl Cycle<'_> {
    /// Writes the counts of workflows, and notes which of them came to an end, or go on.
    pub(super) fn settle_workflows(&mut self, counts: &Counts) -> Result<(), Halt> {
        for (workflow, count) in counts {
            self.settle_workflow(*workflow, count)?;
        }
        Ok(())
    }

    fn settle_workflow(&mut self, workflow: TaskSeq, count: &Count) -> Result<(), Halt> {
        const COUNT: &str =
            "UPDATE workflows SET unfinished = ?2, blocked = ?3, dead = ?4, cancelled = ?5 WHERE seq = ?1";
        const SETTLE: &str = "UPDATE workflows SET settled = ?2, settled_at = ?3, \
            due_by = CASE WHEN ?4 THEN NULL ELSE due_by END WHERE seq = ?1";
        let StepTally { unfinished, blocked, dead, cancelled } = count.tally;
        self.connection.put_off(COUNT, params![workflow.0, unfinished, blocked, dead, cancelled])?;
        let now = standing(&count.tally, count.early);
        if now == count.before {
            return Ok(());
        }
        let ended = now.is_some_and(WorkflowState::is_ended);
        let settled_at = now.map(|_| self.now.as_millis());
        self.connection.put_off(SETTLE, params![workflow.0, now.map(WorkflowState::number), settled_at, ended])?;
        // Who waits for the workflow waits under the number of its first step.
        self.out.ended.push(workflow);
        match now {
            Some(state) => {
                self.out.standings.push(state);
                self.note_workflow_settled(workflow, state)
            }
            None => Ok(()),
        }
    }
}
