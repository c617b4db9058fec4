//! Writing what became of runs.

use bulkhead_core::{DeadReason, NextStep, ReadyReason, RunEnd, State};

use crate::{Commit, CommitFate, LeaseId, TaskSeq, WorkerId};

use super::cycle::Cycle;
use super::ending::{AttemptFacts, Ending, error_text, host_error};
use super::failure::Halt;
use super::history_row::HistoryRow;
use super::placing::Waits;
use super::request::Prepared;
use super::slot::{Flags, Slot};

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
            Err(Halt::Trouble(error)) => return Err(Halt::Trouble(error)),
            Err(refusal) => refusal,
        };
        fates.truncate(before);
        let [commit] = commits else {
            let (first, second) = commits.split_at(commits.len() / 2);
            self.commit_carefully(worker, number, first, fates)?;
            return self.commit_carefully(worker, number, second, fates);
        };
        let fate = match self.guarded(|cycle| cycle.commit_refused(worker, number, commit, &refusal)) {
            Err(Halt::Trouble(error)) => return Err(Halt::Trouble(error)),
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
        let mut step = commit.step;
        if let Some(cancelled_at) = self.settle(slot.seq)? {
            let in_time = self.now <= cancelled_at.after(self.memory.settings.cancel_grace);
            if !(matches!(step, NextStep::Succeed) && in_time) {
                step = NextStep::Cancel;
            }
        }
        let history = match slot.flags.has(Flags::HISTORY) {
            true => HistoryRow::load(self.connection, slot.seq)?,
            false => None,
        };
        let version = match &commit.handler {
            Some(version) => Some(self.memory.names.version(self.connection, version)?),
            None => None,
        };
        let facts = AttemptFacts::of(commit, history.as_ref(), number, version);
        match step {
            NextStep::Succeed => self.succeed(slot, commit, history.as_ref(), facts)?,
            NextStep::Die(reason) => {
                let error = commit.end.error().as_ref().map(error_text);
                self.end_run(slot, commit, history.as_ref(), facts, State::Dead, Some(reason), error)?;
            }
            NextStep::Cancel => {
                self.end_run(slot, commit, history.as_ref(), facts, State::Cancelled, None, None)?;
            }
            NextStep::Retry(wait) => {
                let mut next = history.clone().unwrap_or(HistoryRow::fresh(slot.due));
                let error = commit.end.error().as_ref().map(error_text);
                self.keep_attempt(slot.seq, (next.attempts + 1, next.epoch), &facts, error.as_deref())?;
                next.attempts += 1;
                next.fuel = next.fuel.saturating_add(commit.run.fuel);
                next.end_attempt();
                next.error = error;
                next.due = self.now.after(wait);
                self.again(slot, commit, next, Some(ReadyReason::Retry), None)?;
            }
            NextStep::Defer(wait, reason) => {
                let mut next = history.unwrap_or(HistoryRow::fresh(slot.due));
                next.deferrals = next.deferrals.saturating_add(1);
                next.fuel = next.fuel.saturating_add(commit.run.fuel);
                next.due = self.now.after(wait);
                self.again(slot, commit, next, Some(reason), None)?;
            }
            NextStep::Park => {
                let mut next = history.unwrap_or(HistoryRow::fresh(slot.due));
                next.deferrals = next.deferrals.saturating_add(1);
                next.fuel = next.fuel.saturating_add(commit.run.fuel);
                self.again(slot, commit, next, Some(ReadyReason::NoCapableWorker), None)?;
            }
            NextStep::Advance => {
                let mut next = history.unwrap_or(HistoryRow::fresh(slot.due));
                next.stage += 1;
                next.deferrals = 0;
                next.elapsed = next.elapsed.saturating_add(commit.run.elapsed_micros);
                next.fuel = next.fuel.saturating_add(commit.run.fuel);
                next.attempt_fuel = next.attempt_fuel.saturating_add(commit.run.fuel);
                next.attempt_peak = next.attempt_peak.max(commit.run.peak_memory);
                if let Some(version) = &commit.handler {
                    next.add_digest(&version.digest);
                }
                next.due = self.now;
                let state = match &commit.end {
                    RunEnd::Checkpointed(checkpoint) => Some(checkpoint.state.as_str()),
                    _ => None,
                };
                self.again(slot, commit, next, None, state)?;
            }
        }
        Ok(if step == commit.step { CommitFate::Written(step) } else { CommitFate::Cancelled })
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
            Halt::Row(message) => (DeadReason::Limit, format!("the store refused the task's row: {message}")),
            Halt::Trouble(error) => (DeadReason::Limit, error.to_string()),
        };
        let facts = AttemptFacts::of(commit, history.as_ref(), number, None);
        let error = host_error(reason.as_str(), &message);
        self.end_run(slot, commit, history.as_ref(), facts, State::Dead, Some(reason), Some(error))?;
        Ok(CommitFate::Written(NextStep::Die(reason)))
    }

    fn succeed(
        &mut self,
        slot: Slot,
        commit: &Commit,
        history: Option<&HistoryRow>,
        facts: AttemptFacts<'_>,
    ) -> Result<(), Halt> {
        let (mut result, mut metadata) = (None, None);
        if let RunEnd::Completed(completion) = &commit.end {
            for child in &completion.then {
                self.submit_one(&Prepared::from(child.task.clone()))?;
            }
            result = Some(completion.result.as_str());
            metadata = Some(completion.metadata.as_str()).filter(|text| *text != "{}");
        }
        let ending = Ending {
            attempt: history.map_or(0, |history| history.attempts) + 1,
            max_attempts: Some(commit.max_attempts),
            facts: Some(facts),
            result,
            metadata,
            ..Ending::unrun(State::Succeeded, history)
        };
        self.end(slot, &ending, history.is_some())
    }

    #[expect(clippy::too_many_arguments, reason = "each is one fact of one row")]
    fn end_run(
        &mut self,
        slot: Slot,
        commit: &Commit,
        history: Option<&HistoryRow>,
        facts: AttemptFacts<'_>,
        state: State,
        reason: Option<DeadReason>,
        error: Option<String>,
    ) -> Result<(), Halt> {
        let ending = Ending {
            attempt: history.map_or(0, |history| history.attempts) + 1,
            max_attempts: Some(commit.max_attempts),
            facts: Some(facts),
            reason,
            error,
            ..Ending::unrun(state, history)
        };
        self.end(slot, &ending, history.is_some())
    }

    /// Puts a task that ran back into the queue, with what is remembered of it.
    fn again(
        &mut self,
        slot: Slot,
        commit: &Commit,
        mut next: HistoryRow,
        reason: Option<ReadyReason>,
        state: Option<&str>,
    ) -> Result<(), Halt> {
        next.decline(&commit.declined);
        next.max_attempts = Some(commit.max_attempts);
        next.reason = reason.map(|reason| reason.as_str().to_owned());
        next.save(self.connection, slot.seq, state)?;
        let slot = Slot { due: next.due, flags: slot.flags.with(Flags::HISTORY), ..slot };
        match reason {
            Some(ReadyReason::NoCapableWorker) => self.place_as(slot, Waits::Parked),
            _ => self.place(slot),
        }
    }

    /// Marks a task as done under its lease.
    pub(super) fn finish(&mut self, worker: WorkerId, lease: LeaseId, seq: TaskSeq) -> Option<Slot> {
        let slot = self.memory.leases.finish(worker, lease, seq)?;
        self.out.done.push((lease, seq));
        Some(slot)
    }

    /// Takes the mark of a cancel off a task that stops running, and gives when it was made.
    pub(super) fn settle(&mut self, seq: TaskSeq) -> Result<Option<bulkhead_core::Timestamp>, Halt> {
        if self.memory.cancelled.is_empty() {
            return Ok(None);
        }
        let Some(cancelled_at) = self.memory.cancelled.get(&seq).copied() else { return Ok(None) };
        self.connection.prepare_cached("DELETE FROM cancels WHERE seq = ?1")?.execute([seq.0])?;
        self.out.settled.push(seq);
        Ok(Some(cancelled_at))
    }
}
