//! Leases that end before their tasks do.

use bulkhead_core::{DeadReason, LossStep, ReadyReason, State, after_loss};

use crate::{LeaseId, TaskSeq, WorkerId};

use super::cycle::Cycle;
use super::failure::Halt;
use super::slot::{Flags, Slot};
use crate::ending::{AttemptFacts, Ending, host_error};
use crate::history::{Answered, HistoryRow, Text};

/// How an attempt ended whose worker was lost.
const WORKER_LOST: &str = "worker_lost";

impl Cycle<'_> {
    /// Takes tasks back that were never started: ready at once, nothing charged.
    pub(super) fn release(&mut self, worker: WorkerId, tasks: &[(LeaseId, TaskSeq)]) -> Result<(), Halt> {
        for (lease, seq) in tasks {
            if let Some(slot) = self.finish(worker, *lease, *seq) {
                self.take_back(slot)?;
            }
        }
        Ok(())
    }

    /// Takes back all that a worker holds which leaves in an orderly way.
    pub(super) fn give_back(&mut self, worker: WorkerId) -> Result<(), Halt> {
        self.end_leases(worker, |cycle, slot, _| cycle.take_back(slot))?;
        self.detach(worker)?;
        self.out.detached.push(worker);
        Ok(())
    }

    /// Finds workers that have not renewed in time, and takes their tasks from them.
    pub(super) fn sweep_lost(&mut self) -> Result<(), Halt> {
        if self.is_shared() {
            return if self.looks { self.sweep_attachments() } else { Ok(()) };
        }
        let mut lost: Vec<WorkerId> = self.memory.workers.keys().copied().filter(|id| self.is_lost(*id)).collect();
        lost.sort_by_key(|id| self.memory.workers.get(id).map(|attached| attached.renewed_at));
        for worker in lost {
            if self.out.detached.contains(&worker) {
                continue;
            }
            let name = match self.memory.workers.get(&worker) {
                Some(attached) => self.memory.names.worker(self.connection, &attached.name)?,
                None => continue,
            };
            self.end_leases(worker, |cycle, slot, claimed_at| cycle.lose(slot, name, claimed_at))?;
            self.out.lost.push(worker);
        }
        Ok(())
    }

    fn is_lost(&self, worker: WorkerId) -> bool {
        let lease_duration = self.memory.settings.lease_duration;
        self.memory
            .workers
            .get(&worker)
            .is_some_and(|attached| self.boot.saturating_sub(attached.renewed_at) > lease_duration)
    }

    fn end_leases(
        &mut self,
        worker: WorkerId,
        mut each: impl FnMut(&mut Self, Slot, i64) -> Result<(), Halt>,
    ) -> Result<(), Halt> {
        for id in self.memory.leases.of(worker) {
            let Some(lease) = self.memory.leases.get(id) else { continue };
            let claimed_at = lease.claimed_at.as_millis();
            let running: Vec<Slot> = lease.running().collect();
            for slot in running {
                if self.finish(worker, id, slot.seq).is_some() {
                    each(self, slot, claimed_at)?;
                }
            }
        }
        Ok(())
    }

    fn take_back(&mut self, slot: Slot) -> Result<(), Halt> {
        if self.settle(slot.seq)?.is_some() {
            return self.end_cancelled(slot);
        }
        self.heed_expiry(slot.seq)?;
        self.place(slot)
    }

    /// Ends a task as cancelled that does not run any more.
    pub(super) fn end_cancelled(&mut self, slot: Slot) -> Result<(), Halt> {
        let history = HistoryRow::load(self.connection, slot.seq)?;
        self.end(slot, &Ending::unrun(State::Cancelled, history.as_ref()), history.is_some())
    }

    /// What follows for a task whose worker was lost.
    pub(super) fn lose(&mut self, slot: Slot, worker: i64, claimed_at: i64) -> Result<(), Halt> {
        if self.settle(slot.seq)?.is_some() {
            return self.end_cancelled(slot);
        }
        let mut history = HistoryRow::load(self.connection, slot.seq)?.unwrap_or(HistoryRow::fresh(slot.due));
        let message = "the worker was lost while it ran the task";
        let error = host_error(WORKER_LOST, message);
        let elapsed = u64::try_from(self.now.as_millis().saturating_sub(claimed_at)).unwrap_or(0).saturating_mul(1_000);
        let earlier = history.digests.clone();
        let facts = AttemptFacts {
            worker,
            version: None,
            started_at: claimed_at,
            elapsed,
            fuel: history.attempt_fuel,
            peak: history.attempt_peak,
            end: WORKER_LOST,
            digests: &earlier,
        };
        self.keep_attempt(slot.seq, (history.attempts + 1, history.epoch), &facts, Some(&error))?;
        history.losses += 1;
        history.error = Some(error);
        let (wait, flags) = match after_loss(history.losses, self.memory.dice.throw()) {
            LossStep::Again(wait) => (wait, slot.flags.with(Flags::HISTORY)),
            LossStep::Alone(wait) => (wait, slot.flags.with(Flags::HISTORY).with(Flags::ALONE)),
            LossStep::Poison => {
                let message = format!("{} workers were lost while they ran the task", history.losses);
                history.save(self.connection, slot.seq, Text::Stays, Answered::Stays)?;
                return self.end(slot, &Ending::dead(DeadReason::Poison, &message, Some(&history)), true);
            }
        };
        history.reason = Some(ReadyReason::WorkerLost.as_str().to_owned());
        history.due = self.now.after(wait);
        history.save(self.connection, slot.seq, Text::Stays, Answered::Stays)?;
        self.note_retried(slot, &history, WORKER_LOST)?;
        self.place(Slot { due: history.due, flags, ..slot })
    }
}
