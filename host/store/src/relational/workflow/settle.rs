//! Counting workflows whose steps have come somewhere.

use std::collections::BTreeMap;

use bulkhead_core::{StepTally, WorkflowState, standing};

use super::tally::{TALLY_COLUMNS, read_tally};
use crate::TaskSeq;
use crate::sql::params;

use super::super::cycle::Cycle;
use super::super::failure::Halt;

impl Cycle<'_> {
    /// Adds what has changed to the counts of workflows, and notes which of them came to an end, or go on.
    pub(super) fn settle_workflows(&mut self, tallies: &BTreeMap<TaskSeq, (StepTally, StepTally)>) -> Result<(), Halt> {
        for (workflow, (from, to)) in tallies {
            self.settle_workflow(*workflow, StepTally::default().changed(*from, *to))?;
        }
        Ok(())
    }

    fn settle_workflow(&mut self, workflow: TaskSeq, by: StepTally) -> Result<(), Halt> {
        let update = format!(
            "UPDATE workflows SET unfinished = unfinished + ?2, blocked = blocked + ?3, dead = dead + ?4, \
             cancelled = cancelled + ?5 WHERE seq = ?1 RETURNING {TALLY_COLUMNS}, settled"
        );
        let values = params![workflow.0, by.unfinished, by.blocked, by.dead, by.cancelled];
        let (tally, early, settled): (_, _, Option<i64>) =
            self.connection.prepare_cached(&update)?.query_row(values, |row| {
                let (tally, early) = read_tally(row, 0)?;
                Ok((tally, early, row.get(6)?))
            })?;
        let before = settled.and_then(WorkflowState::of_number);
        let now = standing(&tally, early);
        if now == before {
            return Ok(());
        }
        let ended = now.is_some_and(WorkflowState::is_ended);
        self.connection
            .prepare_cached(
                "UPDATE workflows SET settled = ?2, settled_at = ?3, due_by = CASE WHEN ?4 THEN NULL ELSE due_by END \
                 WHERE seq = ?1",
            )?
            .execute(params![workflow.0, now.map(WorkflowState::number), now.map(|_| self.now.as_millis()), ended])?;
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
