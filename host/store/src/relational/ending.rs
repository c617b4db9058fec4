//! Writing how a task ends, and attempts that were not its last.

use bulkhead_core::{DeadReason, State, StepStanding};

use crate::TaskSeq;
use crate::ending::{AttemptFacts, Ending, state_number};
use crate::history::signed;
use crate::sql::params;

use super::cycle::Cycle;
use super::failure::Halt;
use super::slot::Slot;
use super::tables::{ATTEMPTS, ENDED};
use super::workflow::StepChange;

impl Cycle<'_> {
    /// Writes the end of a task that runs or was just taken out of the queue.
    pub(super) fn end(&mut self, slot: Slot, ending: &Ending<'_>, has_history: bool) -> Result<(), Halt> {
        let seq = slot.seq;
        let facts = ending.facts.as_ref();
        // The common end says nothing that its state does not say.
        let end = facts.map(|facts| facts.end).filter(|_| ending.state != State::Succeeded);
        let digests = facts.map(|facts| facts.digests).filter(|digests| !digests.is_empty());
        let now = self.now.as_millis();
        self.insert(
            &ENDED,
            params![
                seq.0,
                state_number(ending.state),
                now,
                ending.attempt,
                ending.epoch,
                ending.stage,
                ending.max_attempts,
                facts.map(|facts| facts.worker),
                facts.and_then(|facts| facts.version),
                facts.map(|facts| facts.started_at),
                facts.map(|facts| signed(facts.elapsed)),
                facts.map(|facts| signed(facts.fuel)),
                facts.map(|facts| signed(facts.peak)),
                ending.result,
                ending.metadata,
                end,
                ending.reason.map(DeadReason::as_str),
                ending.error,
                digests,
            ],
        )?;
        // A dead letter may be requeued, and then goes on from its stage; the others are over.
        if has_history && ending.state != State::Dead {
            self.connection.put_off("DELETE FROM history WHERE seq = ?1", [seq.0])?;
        }
        if self.memory.has_pausing {
            self.take_back_pause(seq)?;
        }
        self.out.ended.push(seq);
        self.note_end(slot, ending)?;
        if let Some(reason) = ending.reason {
            self.out.died.push((slot.route, reason));
        }
        if ending.state == State::Cancelled {
            self.cancel_children(seq)?;
        }
        if self.memory.has_steps || self.is_shared() {
            self.out.step_changes.push(StepChange {
                chosen: ending.chosen.map(<[u32]>::to_vec),
                terminates: ending.terminates,
                ..StepChange::to(seq, StepStanding::of(ending.state))
            });
        }
        self.tell_parents(seq, ending.state)
    }

    /// Writes an attempt that was not the task's last.
    pub(super) fn keep_attempt(
        &mut self,
        seq: TaskSeq,
        (number, epoch): (u32, u32),
        facts: &AttemptFacts<'_>,
        error: Option<&str>,
    ) -> Result<(), Halt> {
        let now = self.now.as_millis();
        self.insert(
            &ATTEMPTS,
            params![
                seq.0,
                number,
                epoch,
                facts.worker,
                facts.version,
                facts.started_at,
                now,
                signed(facts.elapsed),
                signed(facts.fuel),
                signed(facts.peak),
                facts.end,
                error,
                (!facts.digests.is_empty()).then_some(facts.digests),
            ],
        )?;
        Ok(())
    }
}
