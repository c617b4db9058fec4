//! What became of runs, in the model.

use std::time::Duration;

use bulkhead_core::{DeadReason, NextStep, ReadyReason, RunEnd, State, WaitLimits};
use bulkhead_store::{Commit, CommitFate};

use super::model::{Model, Taken};
use super::task::{Number, Place, Wait, WorkerNumber};

/// How long after a cancel a run may still end well.
const CANCEL_GRACE: Duration = Duration::from_secs(5);

impl Model {
    pub(super) fn commit(&mut self, by: WorkerNumber, number: Number, commit: &Commit) -> CommitFate {
        let task = &self.tasks[number];
        if !matches!(task.place, Place::Running { worker, lease } if worker == by && lease == commit.lease) {
            return CommitFate::Fenced;
        }
        let step = match task.cancelled_at {
            None => commit.step,
            Some(at) if commit.step == NextStep::Succeed && self.now <= at.after(CANCEL_GRACE) => commit.step,
            Some(_) => NextStep::Cancel,
        };
        let before = self.clone();
        if let Err(Taken { .. }) = self.take(number, commit, step) {
            // Nothing of it is stored.
            *self = before;
            let reason = DeadReason::InvalidOutcome;
            self.tasks[number].error = Some(reason.as_str().to_owned());
            self.end_by_run(number, State::Dead, Some(reason), reason.as_str());
            self.tasks[number].max_attempts = commit.max_attempts;
            return CommitFate::Written(NextStep::Die(reason));
        }
        if step == commit.step { CommitFate::Written(step) } else { CommitFate::Cancelled }
    }

    fn take(&mut self, number: Number, commit: &Commit, step: NextStep) -> Result<(), Taken> {
        let worker = self.name_of_holder(number);
        let now = self.now;
        let task = &mut self.tasks[number];
        task.max_attempts = commit.max_attempts;
        let goes_on = !matches!(step, NextStep::Succeed | NextStep::Die(_) | NextStep::Cancel);
        if goes_on {
            task.decline(&commit.declined);
            task.keep().fuel += commit.run.fuel;
        }
        match step {
            NextStep::Succeed => {
                if let RunEnd::Completed(completion) = &commit.end {
                    task.result = Some(completion.result.clone());
                    for child in &completion.then {
                        self.accept(&child.task)?;
                    }
                }
                self.end_by_run(number, State::Succeeded, None, commit.end.name());
            }
            NextStep::Die(reason) => {
                task.error = commit.end.error().map(|error| error.code);
                self.end_by_run(number, State::Dead, Some(reason), commit.end.name());
            }
            NextStep::Cancel => self.end_by_run(number, State::Cancelled, None, commit.end.name()),
            NextStep::Skip => unreachable!("only steps of workflows are skipped"),
            NextStep::Retry(wait) => {
                task.note_attempt(commit.end.name(), &worker, now);
                task.end_attempt();
                task.error = commit.end.error().map(|error| error.code);
                (task.due, task.reason) = (now.after(wait), Some(ReadyReason::Retry));
                let history = task.keep();
                history.attempts += 1;
                if commit.from_start {
                    (history.stage, history.state, history.answer, history.upstream) = (0, None, None, None);
                }
                task.put_back(false);
            }
            NextStep::Defer(wait, reason) => {
                task.keep().deferrals += 1;
                if commit.end.was_cut_short() {
                    task.keep().digests.extend(commit.handler.as_ref().map(|version| version.digest));
                }
                (task.due, task.reason) = (now.after(wait), Some(reason));
                task.put_back(false);
            }
            NextStep::Move => {
                (task.due, task.reason) = (now, None);
                task.put_back(false);
            }
            NextStep::Park => {
                task.keep().deferrals += 1;
                task.reason = Some(ReadyReason::NoCapableWorker);
                task.put_back(true);
            }
            NextStep::Advance | NextStep::Suspend => return self.go_on(number, commit, worker),
        }
        Ok(())
    }

    /// The attempt goes on at the next stage: at once, or when what it waits for is there.
    fn go_on(&mut self, number: Number, commit: &Commit, worker: String) -> Result<(), Taken> {
        let now = self.now;
        let task = &mut self.tasks[number];
        let history = task.keep();
        history.elapsed_micros += commit.run.elapsed_micros;
        history.digests.extend(commit.handler.as_ref().map(|version| version.digest));
        task.before_wait = (history.state.clone(), history.answer.take());
        (task.due, task.reason) = (now, None);
        let stale_after = task.new.extras.as_ref().and_then(|extras| extras.stale_after);
        let wait = |timeout, join| {
            let limits = WaitLimits::starting(now, timeout, stale_after);
            Place::Suspended(Wait { since: now, limits, flagged: false, join, worker })
        };
        match &commit.end {
            RunEnd::Checkpointed(checkpoint) => {
                task.keep().state = Some(checkpoint.state.clone());
                task.advance(None, None, now);
                task.put_back(false);
            }
            RunEnd::Suspended(suspension) => {
                task.keep().state = suspension.state.clone();
                task.place = wait(suspension.timeout, None);
            }
            RunEnd::Spawned(spawn) => {
                task.keep().state = spawn.state.clone();
                task.place = wait(None, Some(spawn.join.clone()));
                self.spawn(number, spawn)?;
                self.join(number);
            }
            end => panic!("{end:?}"),
        }
        Ok(())
    }
}
