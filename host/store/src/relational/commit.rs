//! Writing what became of runs.

use bulkhead_core::{DeadReason, NextStep, State};

use crate::ending::{AttemptFacts, Ending, host_error};
use crate::history::{HistoryRow, digests};
use crate::plan::{Ended, GoOn, Grace, Plan, Until, plan};
use crate::{Commit, CommitFate, LeaseId, TaskSeq, WorkerId};

use super::cycle::Cycle;
use super::events::run_after;
use super::failure::Halt;
use super::placing::Waits;
use super::request::Prepared;
use super::slot::{Flags, Slot};
use super::submit::Asker;

/// A worker's name, as attempts have it.
type WorkerNumber = i64;

impl Cycle<'_> {
    /// Writes a worker's batch of ended runs.
    pub(super) fn commit(&mut self, worker: WorkerId, commits: &[Commit]) -> Result<(), Halt> {
        let mut fates = Vec::with_capacity(commits.len());
        match self.memory.workers.get(&worker) {
            // Its leases went with it.
            None => fates.extend(commits.iter().map(|commit| (commit.seq, CommitFate::Fenced))),
            Some(attached) => {
                let number = self.memory.names.worker(self.connection, &attached.name)?;
                if self.careful {
                    self.commit_carefully(worker, number, commits, &mut fates)?;
                } else {
                    self.commit_each(worker, number, commits, &mut fates)?;
                }
            }
        }
        match self.out.fates.iter_mut().find(|(other, _)| *other == worker) {
            Some((_, earlier)) => earlier.append(&mut fates),
            None => self.out.fates.push((worker, fates)),
        }
        Ok(())
    }

    fn commit_each(
        &mut self,
        worker: WorkerId,
        number: WorkerNumber,
        commits: &[Commit],
        fates: &mut Vec<(TaskSeq, CommitFate)>,
    ) -> Result<(), Halt> {
        for commit in commits {
            let fate = self.commit_one(worker, number, commit)?;
            fates.push((commit.seq, fate));
        }
        Ok(())
    }

    /// Halves the batch until a row that the database refuses stands alone; that task is dead, the others go through.
    fn commit_carefully(
        &mut self,
        worker: WorkerId,
        number: WorkerNumber,
        commits: &[Commit],
        fates: &mut Vec<(TaskSeq, CommitFate)>,
    ) -> Result<(), Halt> {
        let before = fates.len();
        let refusal = match self.guarded(|cycle| cycle.commit_each(worker, number, commits, fates)) {
            Ok(()) => return Ok(()),
            Err(halt @ (Halt::Trouble(_) | Halt::Raced)) => return Err(halt),
            Err(refusal) => refusal,
        };
        fates.truncate(before);
        let [commit] = commits else {
            let (first, second) = commits.split_at(commits.len() / 2);
            self.commit_carefully(worker, number, first, fates)?;
            return self.commit_carefully(worker, number, second, fates);
        };
        let fate = match self.guarded(|cycle| cycle.commit_refused(worker, number, commit, &refusal)) {
            Err(halt @ (Halt::Trouble(_) | Halt::Raced)) => return Err(halt),
            Ok(fate) => fate,
            Err(again) => {
                // Not even its end can be written: it stays with its lease until that runs out.
                tracing::error!(task = commit.seq.0, ?refusal, ?again, "the database refuses the end of a task");
                CommitFate::Fenced
            }
        };
        fates.push((commit.seq, fate));
        Ok(())
    }

    fn commit_one(&mut self, worker: WorkerId, number: WorkerNumber, commit: &Commit) -> Result<CommitFate, Halt> {
        let Some(slot) = self.finish(worker, commit.lease, commit.seq) else { return Ok(CommitFate::Fenced) };
        self.note_run(worker, commit);
        let cancelled = self.settle(slot.seq)?.map(|cancelled_at| {
            let in_time = self.now <= cancelled_at.after(self.memory.settings.cancel_grace);
            if in_time { Grace::Within } else { Grace::Over }
        });
        let history = match self.known.histories.remove(&slot.seq) {
            None if slot.flags.has(Flags::HISTORY) => HistoryRow::load(self.connection, slot.seq)?,
            known => known,
        };
        let version = match &commit.handler {
            Some(version) => Some(self.memory.names.version(self.connection, version)?),
            None => None,
        };
        if let Some(told) = &commit.told {
            self.keep_told(slot.seq, run_after(history.as_ref()), told)?;
        }
        let (now, due) = (self.now, slot.due);
        let ended = Ended { commit, history: history.as_ref(), due, now, cancelled, worker: number, version };
        let (step, plan) = plan(&ended);
        match plan {
            Plan::End { ending, then } => {
                for child in then {
                    self.submit_one(&Prepared::from(child.task.clone()), Asker::Task)?;
                }
                self.end(slot, &ending, history.is_some())?;
            }
            Plan::GoOn(go_on) => self.go_on(slot, &ended, go_on)?,
        }
        Ok(if step == commit.step { CommitFate::Written(step) } else { CommitFate::Cancelled })
    }

    /// Writes what is kept of a task that has not ended, and where it waits.
    fn go_on(&mut self, slot: Slot, ended: &Ended<'_>, go_on: GoOn<'_>) -> Result<(), Halt> {
        let GoOn { attempt, mut history, state, answer, mut until } = go_on;
        if matches!(until, Until::Catalogue) && self.is_served_beside(slot.route, &digests(&history.declined))? {
            (history.reason, until) = (None, Until::Due);
        }
        if let Some(facts) = attempt {
            self.keep_attempt(slot.seq, (history.attempts, history.epoch), &facts, history.error.as_deref())?;
        }
        if matches!(until, Until::Children(_) | Until::Answer(_)) {
            self.keep_before_wait(slot.seq, &history)?;
        }
        history.save(self.connection, slot.seq, state, answer)?;
        let slot = Slot { due: history.due, flags: slot.flags.with(Flags::HISTORY), ..slot };
        if let NextStep::Retry(_) = ended.commit.step {
            self.note_retried(slot, &history, "retry")?;
        }
        if let NextStep::Defer(..) | NextStep::Move | NextStep::Park = ended.commit.step {
            self.heed_expiry(slot.seq)?;
        }
        let slot = self.bind(slot, ended.commit.home.as_ref())?;
        match until {
            Until::Due => self.place(slot),
            Until::Catalogue => self.place_as(slot, Waits::Parked),
            Until::Children(spawn) => self.wait_for_children(slot, ended, &history, spawn),
            Until::Answer(suspension) => self.wait_for_answer(slot, ended, &history, suspension),
        }
    }

    /// Writes the end of a task whose own row the database refuses, without anything that came from the run.
    fn commit_refused(
        &mut self,
        worker: WorkerId,
        number: WorkerNumber,
        commit: &Commit,
        refusal: &Halt,
    ) -> Result<CommitFate, Halt> {
        let Some(slot) = self.finish(worker, commit.lease, commit.seq) else { return Ok(CommitFate::Fenced) };
        self.settle(slot.seq)?;
        let history = HistoryRow::load(self.connection, slot.seq)?;
        let (reason, message) = match refusal {
            Halt::Taken { what, name, holder } => (
                DeadReason::InvalidOutcome,
                format!("a task that was to follow has the {what} `{name}`, which belongs to task `{holder}`"),
            ),
            Halt::QueueFull { waiting, most } => (
                DeadReason::Limit,
                format!(
                    "{waiting} tasks wait already, and at most {most} may where tasks ask for more (store.max_pending)"
                ),
            ),
            Halt::Row(message) => (DeadReason::Limit, format!("the store refused the task's row: {message}")),
            Halt::Raced | Halt::Unknown => (DeadReason::Limit, "another host was quicker".to_owned()),
            Halt::Trouble(error) => (DeadReason::Limit, error.to_string()),
        };
        // What the run answered did not happen.
        let facts = AttemptFacts { end: reason.as_str(), ..AttemptFacts::of(commit, history.as_ref(), number, None) };
        let error = Some(host_error(reason.as_str(), &message));
        let reason_of = Some(reason);
        let ending =
            Ending { reason: reason_of, error, ..Ending::of_run(State::Dead, commit, history.as_ref(), facts) };
        self.end(slot, &ending, history.is_some())?;
        Ok(CommitFate::Written(NextStep::Die(reason)))
    }

    /// Marks a task as done under its lease.
    pub(super) fn finish(&mut self, worker: WorkerId, lease: LeaseId, seq: TaskSeq) -> Option<Slot> {
        if !self.is_live(lease) {
            return None;
        }
        let slot = self.memory.leases.finish(worker, lease, seq)?;
        self.out.done.push((lease, seq));
        if !self.memory.limits.is_empty() {
            self.out.freed.push(slot.route);
        }
        Some(slot)
    }

    /// Takes the mark of a cancel off a task that stops running, and gives when it was made.
    pub(super) fn settle(&mut self, seq: TaskSeq) -> Result<Option<bulkhead_core::Timestamp>, Halt> {
        if self.memory.cancelled.is_empty() {
            return Ok(None);
        }
        let Some(cancelled_at) = self.memory.cancelled.get(&seq).copied() else { return Ok(None) };
        self.connection.put_off("DELETE FROM cancels WHERE seq = ?1", [seq.0])?;
        self.out.settled.push(seq);
        Ok(Some(cancelled_at))
    }
}
