//! What becomes of steps as those before them end.

use bulkhead_core::{DependencyStep, Span, State, StepStanding, Timestamp, WaitLimits, dependency_step};

use super::numbers::{is_among, list};
use super::release::StepChange;
use crate::TaskSeq;
use crate::ending::{Ending, state_number};
use crate::history::HistoryRow;
use crate::sql::params;

use super::super::asked_ahead::FEW;
use super::super::cycle::Cycle;
use super::super::failure::Halt;
use super::super::memory::earlier;
use super::super::place::{Place, locate};
use super::super::slot::{Flags, Rank, RouteId, Slot};
use super::super::tables::STEP_WAITS;

/// The most of a workflow's input that is read with each of its steps, in bytes; a larger one is read once for all.
const INPUT_WITH_STEP: usize = 8192;

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
        let few = steps.len() <= FEW;
        let numbers = list(self.connection, steps);
        // What their runs need comes along; of many, a claim reads that of those that it takes.
        let needs = format!(
            ", t.id, t.extras, CASE WHEN t.payload = '' AND octet_length(w.input) <= {INPUT_WITH_STEP} \
             THEN w.input ELSE t.payload END"
        );
        let needed_from = " LEFT JOIN steps s ON s.seq = t.seq LEFT JOIN workflows w ON w.seq = s.workflow";
        let (needs, needed_from) = if few { (needs.as_str(), needed_from) } else { ("", "") };
        let take = format!(
            "WITH gone AS (DELETE FROM waits WHERE seq {} AND state IN (?2, ?3) RETURNING seq, state) \
             SELECT t.seq, t.route, t.rank, coalesce(h.due, t.due), g.state = ?3, h.seq IS NOT NULL{needs} \
             FROM gone g JOIN tasks t ON t.seq = g.seq LEFT JOIN history h ON h.seq = g.seq{needed_from} \
             ORDER BY t.seq",
            is_among(self.connection, 1),
        );
        let (waiting, blocked) = (state_number(State::Waiting), state_number(State::Blocked));
        let mut statement = self.connection.prepare_cached(&take)?;
        let rows = statement.query_map(params![numbers, waiting, blocked], |row| {
            let slot = Slot {
                seq: TaskSeq(row.get(0)?),
                route: RouteId(row.get(1)?),
                rank: Rank(row.get(2)?),
                due: Timestamp::from_millis(row.get(3)?),
                flags: if row.get(5)? { Flags::HISTORY } else { Flags::NONE },
            };
            if few {
                self.known.keep(slot.seq, row.get(6)?, row.get(7)?, row.get(8)?);
            }
            Ok((slot, row.get(4)?))
        })?;
        for row in rows {
            taken.push(row?);
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

    /// A step that is blocked waits for somebody's help, however long that takes; once it waits for the steps before it
    /// again, its time begins anew.
    fn mark_blocked(&mut self, slot: Slot, blocked: bool) -> Result<(), Halt> {
        if blocked {
            self.connection
                .prepare_cached("UPDATE waits SET state = ?2, wakes_at = NULL WHERE seq = ?1")?
                .execute(params![slot.seq.0, state_number(State::Blocked)])?;
        } else {
            let stale_after: Option<i64> = self
                .connection
                .prepare_cached("SELECT stale_at - since FROM waits WHERE seq = ?1")?
                .query_row([slot.seq.0], |row| row.get(0))?;
            let stale_after = stale_after.and_then(|millis| u64::try_from(millis).ok()).map(Span::from_millis);
            let limits = WaitLimits::starting(self.now, None, stale_after);
            let millis = |moment: Option<Timestamp>| moment.map(Timestamp::as_millis);
            let update =
                "UPDATE waits SET state = ?2, since = ?3, flag_at = ?4, stale_at = ?5, wakes_at = ?6 WHERE seq = ?1";
            self.connection.prepare_cached(update)?.execute(params![
                slot.seq.0,
                state_number(State::Waiting),
                self.now.as_millis(),
                millis(limits.flag_at),
                millis(limits.stale_at),
                millis(limits.next()),
            ])?;
            if let Some(next) = limits.next() {
                self.memory.next_wake = earlier(self.memory.next_wake, next);
            }
        }
        let standing = if blocked { StepStanding::Blocked } else { StepStanding::Open };
        self.out.step_changes.push(StepChange::to(slot.seq, standing));
        Ok(())
    }

    /// Puts a dead letter that begins a new epoch into the queue; a step that others hold back waits for them again, for as
    /// long as it takes.
    pub(in crate::relational) fn place_requeued(&mut self, slot: Slot, history: &HistoryRow) -> Result<(), Halt> {
        let dependent = if self.may_have_steps()? { self.dependent(slot.seq)? } else { None };
        let step = dependent.map_or(DependencyStep::Release, |step| dependency_step(step.role, &step.count));
        let (state, standing) = match step {
            DependencyStep::Release => {
                self.out.step_changes.push(StepChange::to(slot.seq, StepStanding::Open));
                return self.place(slot);
            }
            DependencyStep::Skip => return self.end(slot, &Ending::unrun(State::Skipped, Some(history)), true),
            DependencyStep::Cancel => return self.end(slot, &Ending::unrun(State::Cancelled, Some(history)), true),
            DependencyStep::Wait => (State::Waiting, StepStanding::Open),
            DependencyStep::Block => (State::Blocked, StepStanding::Blocked),
        };
        let now = self.now.as_millis();
        let nothing: Option<i64> = None;
        let values =
            params![slot.seq.0, state_number(state), now, nothing, nothing, nothing, history.epoch, history.stage, now];
        self.insert(&STEP_WAITS, values)?;
        self.out.step_changes.push(StepChange::to(slot.seq, standing));
        Ok(())
    }

    /// Ends a step that waits and never runs.
    pub(super) fn skip(&mut self, slot: Slot) -> Result<(), Halt> {
        self.leave_waits(slot)?;
        let history = HistoryRow::load(self.connection, slot.seq)?;
        self.end(slot, &Ending::unrun(State::Skipped, history.as_ref()), history.is_some())
    }

    /// Takes a step out of the table of those that wait.
    fn leave_waits(&self, slot: Slot) -> Result<(), Halt> {
        let left = self.connection.execute("DELETE FROM waits WHERE seq = ?1", [slot.seq.0])?;
        self.first(left)
    }
}
