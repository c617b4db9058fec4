//! What callers ask of tasks that are there: cancel, and requeue.

use bulkhead_core::{State, TaskId};
use rusqlite::params;

use crate::{CancelFate, RequeueFate};

use super::cycle::Cycle;
use super::failure::Halt;
use super::history_row::HistoryRow;
use super::place::{Place, find, locate};
use super::slot::{Flags, Slot};

impl Cycle<'_> {
    /// Cancels a task that waits, and marks one that runs.
    pub(super) fn cancel(&mut self, id: &TaskId) -> Result<CancelFate, Halt> {
        let Some(seq) = find(self.connection, id)? else { return Ok(CancelFate::Unknown) };
        match locate(self.connection, seq)? {
            None => Ok(CancelFate::Unknown),
            Some((_, Place::Ended(state))) => Ok(CancelFate::Ended(state)),
            Some((slot, Place::Waiting(waits))) => {
                self.displace(slot, waits)?;
                self.end_cancelled(slot)?;
                Ok(CancelFate::Cancelled)
            }
            Some((_, Place::Running)) => {
                self.connection
                    .prepare_cached("INSERT OR IGNORE INTO cancels (seq, cancelled_at) VALUES (?1, ?2)")?
                    .execute(params![seq.0, self.now.as_millis()])?;
                if let Some((worker, _)) = self.memory.leases.holder(seq) {
                    self.out.marked.push((worker, seq));
                }
                Ok(CancelFate::Cancelling)
            }
        }
    }

    /// Makes a dead letter ready again in a new epoch, at its stage and with its state.
    pub(super) fn requeue(&mut self, id: &TaskId) -> Result<RequeueFate, Halt> {
        let Some(seq) = find(self.connection, id)? else { return Ok(RequeueFate::Unknown) };
        let Some((slot, place)) = locate(self.connection, seq)? else { return Ok(RequeueFate::Unknown) };
        if place != Place::Ended(State::Dead) {
            return Ok(RequeueFate::NotDead(place.state()));
        }
        // An end that no run made leaves no attempt behind.
        self.connection
            .prepare_cached(
                "INSERT INTO attempts (seq, attempt, epoch, worker, version, started_at, ended_at, elapsed, fuel, \
                 peak, end, error, digests) SELECT seq, attempt, epoch, worker, version, started_at, ended_at, \
                 elapsed, fuel, peak, coalesce(end, 'succeeded'), error, digests FROM ended \
                 WHERE seq = ?1 AND worker IS NOT NULL",
            )?
            .execute([seq.0])?;
        self.connection.prepare_cached("DELETE FROM ended WHERE seq = ?1")?.execute([seq.0])?;
        let mut history = HistoryRow::load(self.connection, seq)?.unwrap_or(HistoryRow::fresh(slot.due));
        history.epoch += 1;
        history.attempts = 0;
        history.losses = 0;
        history.fuel = 0;
        history.declined.clear();
        history.reason = None;
        history.error = None;
        history.end_attempt();
        history.due = self.now;
        history.save(self.connection, seq, None)?;
        self.place(Slot { due: history.due, flags: Flags::HISTORY, ..slot })?;
        Ok(RequeueFate::Requeued)
    }
}
