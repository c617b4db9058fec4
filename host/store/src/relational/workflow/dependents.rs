//! What becomes of steps as those before them end.

use bulkhead_core::{DependencyStep, State, StepStanding, Timestamp};

use super::numbers::{is_among, list};
use super::release::StepChange;
use crate::TaskSeq;
use crate::ending::{Ending, state_number};
use crate::sql::{Value, params};

use super::super::cycle::Cycle;
use super::super::failure::Halt;
use super::super::place::{Place, locate};
use super::super::slot::{Flags, Rank, RouteId, Slot};

/// Of so few steps a server is asked at once what their runs need: reading some in vain takes less time than another way.
const TAKEN_AHEAD: usize = 64;

/// What runs need of a step, in the order in which a claim picks it (`taking.rs`). An input of more bytes is asked for once for all steps of its workflow.
const RUNS_NEED: &str = ", t.id, t.extras, \
    CASE WHEN t.payload = '' AND octet_length(w.input) <= 8192 THEN w.input ELSE t.payload END";
const RUNS_FROM: &str = " LEFT JOIN steps s ON s.seq = t.seq LEFT JOIN workflows w ON w.seq = s.workflow";

impl Cycle<'_> {
    /// Lets steps run that wait for nothing any more; who does not wait has been seen to already.
    pub(super) fn let_run(&mut self, steps: impl Iterator<Item = TaskSeq>) -> Result<(), Halt> {
        for (slot, blocked) in self.take_waiting(steps)? {
            if blocked {
                self.out.step_changes.push(StepChange::to(slot.seq, StepStanding::Open));
            }
            self.place(slot)?;
        }
        Ok(())
    }

    /// Takes steps out of the table of those that wait, with whether each was blocked; on a server, all by one statement.
    fn take_waiting(&mut self, steps: impl Iterator<Item = TaskSeq>) -> Result<Vec<(Slot, bool)>, Halt> {
        let mut taken = Vec::new();
        if !self.is_shared() {
            for seq in steps {
                if let Some((slot, Place::Dependent { blocked })) = locate(self.connection, seq)? {
                    self.leave_waits(slot)?;
                    taken.push((slot, blocked));
                }
            }
            return Ok(taken);
        }
        let steps: Vec<i64> = steps.map(|seq| seq.0).collect();
        if steps.is_empty() {
            return Ok(taken);
        }
        let few = steps.len() <= TAKEN_AHEAD;
        let numbers = list(self.connection, steps);
        let take = format!(
            "WITH gone AS (DELETE FROM waits WHERE seq {} AND state IN (?2, ?3) RETURNING seq, state) \
             SELECT t.seq, t.route, t.rank, t.due, g.state = ?3{} FROM gone g JOIN tasks t ON t.seq = g.seq{} ORDER BY t.seq",
            is_among(self.connection, 1),
            if few { RUNS_NEED } else { "" },
            if few { RUNS_FROM } else { "" },
        );
        let (waiting, blocked) = (state_number(State::Waiting), state_number(State::Blocked));
        let mut statement = self.connection.prepare_cached(&take)?;
        let rows = statement.query_map(params![numbers, waiting, blocked], |row| {
            let slot = Slot {
                seq: TaskSeq(row.get(0)?),
                route: RouteId(row.get(1)?),
                rank: Rank(row.get(2)?),
                due: Timestamp::from_millis(row.get(3)?),
                flags: Flags::NONE,
            };
            let picked = if few { Some(vec![row.get(0)?, row.get(5)?, row.get(6)?, row.get(7)?]) } else { None };
            Ok((slot, row.get(4)?, picked))
        })?;
        for row in rows {
            let (slot, blocked, picked): (Slot, bool, Option<Vec<Value>>) = row?;
            self.known.fresh.extend(picked.map(|picked| (slot.seq.0, picked)));
            taken.push((slot, blocked));
        }
        Ok(taken)
    }

    /// Keeps a step back, or ends it without a run, as its dependencies have come.
    pub(super) fn hold_back(&mut self, seq: TaskSeq, step: DependencyStep) -> Result<(), Halt> {
        let Some((slot, Place::Dependent { blocked })) = locate(self.connection, seq)? else { return Ok(()) };
        match step {
            DependencyStep::Wait if blocked => self.mark_blocked(slot, false),
            DependencyStep::Block if !blocked => self.mark_blocked(slot, true),
            DependencyStep::Wait | DependencyStep::Block | DependencyStep::Release => Ok(()),
            DependencyStep::Skip => self.skip(slot),
            DependencyStep::Cancel => self.stop_waiting(slot, State::Cancelled, None, None),
        }
    }

    fn mark_blocked(&mut self, slot: Slot, blocked: bool) -> Result<(), Halt> {
        let (state, standing) = match blocked {
            true => (State::Blocked, StepStanding::Blocked),
            false => (State::Waiting, StepStanding::Open),
        };
        self.connection
            .prepare_cached("UPDATE waits SET state = ?2 WHERE seq = ?1")?
            .execute(params![slot.seq.0, state_number(state)])?;
        self.out.step_changes.push(StepChange::to(slot.seq, standing));
        Ok(())
    }

    /// Ends a step that waits and never runs.
    pub(super) fn skip(&mut self, slot: Slot) -> Result<(), Halt> {
        self.leave_waits(slot)?;
        self.end(slot, &Ending::unrun(State::Skipped, None), false)
    }

    /// Takes a step out of the table of those that wait.
    fn leave_waits(&self, slot: Slot) -> Result<(), Halt> {
        let left = self.connection.execute("DELETE FROM waits WHERE seq = ?1", [slot.seq.0])?;
        self.first(left)
    }
}
