//! Decision steps that are closed by hand.

use bulkhead_core::{StepRole, StepStanding, named_steps};

use super::release::StepChange;
use crate::TaskSeq;
use crate::sql::{OptionalExtension, params};

use super::super::cycle::Cycle;
use super::super::failure::Halt;

impl Cycle<'_> {
    /// A task was closed by hand with this result; where it is a decision step whose result names steps, only those of
    /// the steps behind it run. Who asks for it has seen to it that it names such steps.
    pub(in crate::relational) fn step_was_resolved(&mut self, seq: TaskSeq, result: &str) -> Result<(), Halt> {
        let chosen = self.chosen_by_hand(seq, result)?;
        self.out.step_changes.push(StepChange { chosen, ..StepChange::to(seq, StepStanding::Well) });
        Ok(())
    }

    fn chosen_by_hand(&self, seq: TaskSeq, result: &str) -> Result<Option<Vec<u32>>, Halt> {
        if !self.memory.has_steps && !self.is_shared() {
            return Ok(None);
        }
        let Some(named) = named_steps(result) else { return Ok(None) };
        let role: Option<i64> = self
            .connection
            .prepare_cached("SELECT role FROM steps WHERE seq = ?1")?
            .query_row([seq.0], |row| row.get(0))
            .optional()?;
        if role.and_then(StepRole::of_number) != Some(StepRole::Decision) {
            return Ok(None);
        }
        const SELECT: &str = "SELECT d.place FROM edges e JOIN steps d ON d.seq = e.dependent \
            WHERE e.dependency = ?1 AND d.name = ?2";
        let mut chosen = Vec::new();
        for name in named {
            let mut statement = self.connection.prepare_cached(SELECT)?;
            chosen.extend(statement.query_row(params![seq.0, name], |row| row.get::<u32>(0)).optional()?);
        }
        Ok(Some(chosen))
    }
}
