//! What callers ask of tasks that are there.

use std::collections::hash_map::Entry;

use bulkhead_core::{State, StepStanding, TaskId};

use crate::ending::{Ending, state_number};
use crate::history::{Answered, HistoryRow, Text};
use crate::sql::{Connection, OptionalExtension, params};
use crate::{Change, Fate, Resolution, TaskSeq};

use super::cycle::Cycle;
use super::failure::Halt;
use super::place::{Place, find, locate};
use super::slot::{Flags, Slot};
use super::workflow::StepChange;

/// A task's place in the queue as it is now.
fn slot_at(connection: &Connection, slot: Slot) -> Result<Slot, Halt> {
    Ok(locate(connection, slot.seq)?.map_or(slot, |(slot, _)| slot))
}

impl Cycle<'_> {
    /// Does what is asked of one task.
    pub(super) fn change(&mut self, id: &TaskId, change: &Change) -> Result<Fate, Halt> {
        let Some(seq) = find(self.connection, id)? else { return Ok(Fate::Unknown) };
        let Some((slot, place)) = locate(self.connection, seq)? else { return Ok(Fate::Unknown) };
        match (change, place) {
            (Change::Cancel, _) => self.cancel(slot, place),
            (Change::Pause, _) => self.pause(slot, place),
            (Change::Resume(answer), _) => self.resume(slot, place, answer.as_ref()),
            (Change::Requeue, Place::Ended(State::Dead)) => self.requeue(slot).map(|()| Fate::Done),
            (Change::Resolve(resolution), Place::Ended(State::Dead)) => {
                self.resolve(slot, resolution).map(|()| Fate::Done)
            }
            (Change::Resolve(resolution), Place::Dependent { blocked: true }) => {
                self.resolve_blocked(slot, resolution).map(|()| Fate::Done)
            }
            (Change::Remove, Place::Ended(State::Dead)) => {
                let removed = self.remove(seq, State::Dead)?;
                Ok(if removed { Fate::Done } else { Fate::Refused(State::Dead) })
            }
            (Change::Requeue | Change::Resolve(_) | Change::Remove, _) => Ok(Fate::Refused(place.state())),
        }
    }

    /// Cancels a task wherever it is, as part of something else.
    pub(super) fn cancel_task(&mut self, seq: TaskSeq) -> Result<(), Halt> {
        match locate(self.connection, seq)? {
            Some((slot, place)) => self.cancel(slot, place).map(drop),
            None => Ok(()),
        }
    }

    /// Cancels a task that waits, and marks one that runs.
    fn cancel(&mut self, slot: Slot, place: Place) -> Result<Fate, Halt> {
        match place {
            Place::Ended(state) => return Ok(Fate::Refused(state)),
            Place::Running => {
                let place = self.hold_run(slot.seq)?;
                if place != Place::Running {
                    return self.cancel(slot_at(self.connection, slot)?, place);
                }
                self.connection
                    .prepare_cached(
                        "INSERT INTO cancels (seq, cancelled_at) VALUES (?1, ?2) ON CONFLICT (seq) DO NOTHING",
                    )?
                    .execute(params![slot.seq.0, self.now.as_millis()])?;
                // The first cancel begins the grace, however often it is asked for; it holds for what else this cycle
                // brings, too.
                if let Entry::Vacant(vacant) = self.memory.cancelled.entry(slot.seq) {
                    vacant.insert(self.now);
                    let worker = self.memory.leases.holder(slot.seq).map(|(worker, _)| worker);
                    self.out.marked.push((worker, slot.seq));
                }
                return Ok(Fate::Underway);
            }
            Place::Suspended | Place::Dependent { .. } => self.stop_waiting(slot, State::Cancelled, None, None)?,
            Place::Waiting(waits) => {
                self.displace(slot, waits)?;
                self.end_cancelled(slot)?;
            }
            Place::Paused => {
                self.leave_pause(slot)?;
                self.end_cancelled(slot)?;
            }
        }
        Ok(Fate::Done)
    }

    /// Makes a dead letter ready again in a new epoch, at its stage and with its state.
    fn requeue(&mut self, slot: Slot) -> Result<(), Halt> {
        let seq = slot.seq;
        self.keep_last_attempt(seq)?;
        let brought_back: Option<Option<u32>> = self
            .connection
            .prepare_cached("DELETE FROM ended WHERE seq = ?1 RETURNING max_attempts")?
            .query_row([seq.0], |row| row.get(0))
            .optional()?;
        self.first(usize::from(brought_back.is_some()))?;
        self.untell_parents(seq, State::Dead)?;
        let mut history = HistoryRow::load(self.connection, seq)?.unwrap_or(HistoryRow::fresh(slot.due));
        history.max_attempts = brought_back.flatten().or(history.max_attempts);
        history.epoch += 1;
        history.attempts = 0;
        history.losses = 0;
        history.fuel = 0;
        history.tokens = 0;
        history.declined.clear();
        history.reason = None;
        history.error = None;
        history.end_attempt();
        history.due = self.now;
        history.save(self.connection, seq, Text::Stays, Answered::Stays)?;
        self.note_retried(slot, &history, "requeued")?;
        self.place_requeued(Slot { due: history.due, flags: Flags::HISTORY, ..slot }, &history)
    }

    /// Puts the attempt that a dead letter ended with beside the earlier ones; an end that no run made leaves none.
    fn keep_last_attempt(&self, seq: TaskSeq) -> Result<(), Halt> {
        const INSERT: &str = "INSERT INTO attempts (seq, attempt, epoch, worker, version, started_at, ended_at, \
            elapsed, fuel, peak, \"end\", error, digests) SELECT seq, attempt, epoch, worker, version, started_at, \
            ended_at, elapsed, fuel, peak, coalesce(\"end\", 'succeeded'), error, digests FROM ended \
            WHERE seq = ?1 AND worker IS NOT NULL";
        self.connection.prepare_cached(INSERT)?.execute([seq.0])?;
        Ok(())
    }

    /// Closes a dead letter by hand, with a result; whoever waits for the task goes on as if it had succeeded.
    fn resolve(&mut self, slot: Slot, resolution: &Resolution) -> Result<(), Halt> {
        let (seq, result) = (slot.seq, resolution.result.as_str());
        // The last attempt ended when the task died, not now.
        self.keep_last_attempt(seq)?;
        let update =
            "UPDATE ended SET state = ?2, result = ?3, ended_at = ?4, worker = NULL WHERE seq = ?1 AND state = ?5";
        let (resolved, dead) = (state_number(State::Resolved), state_number(State::Dead));
        let changed = self.connection.execute(update, params![seq.0, resolved, result, self.now.as_millis(), dead])?;
        self.first(changed)?;
        self.connection.prepare_cached("DELETE FROM history WHERE seq = ?1")?.execute([seq.0])?;
        self.untell_parents(seq, State::Dead)?;
        self.tell_parents(seq, State::Resolved)?;
        self.step_was_resolved(seq, resolution);
        self.out.ended.push(seq);
        self.note_resolved(slot)
    }

    /// Closes a step by hand that waits behind one that ended badly.
    fn resolve_blocked(&mut self, slot: Slot, resolution: &Resolution) -> Result<(), Halt> {
        let left = self.connection.execute("DELETE FROM waits WHERE seq = ?1", [slot.seq.0])?;
        self.first(left)?;
        let history = HistoryRow::load(self.connection, slot.seq)?;
        let ending =
            Ending { result: Some(resolution.result.as_str()), ..Ending::unrun(State::Resolved, history.as_ref()) };
        self.end(slot, &ending, history.is_some())?;
        self.step_was_resolved(slot.seq, resolution);
        Ok(())
    }

    /// Those behind it that a decision did not choose are skipped.
    fn step_was_resolved(&mut self, seq: TaskSeq, Resolution { chosen, .. }: &Resolution) {
        self.out.step_changes.push(StepChange { chosen: chosen.clone(), ..StepChange::to(seq, StepStanding::Well) });
    }
}
