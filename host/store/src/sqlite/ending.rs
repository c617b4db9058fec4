//! How a task ends: one row, whichever way.

use bulkhead_core::{DeadReason, State, TaskError};
use rusqlite::params;

use crate::{Commit, TaskSeq};

use super::cycle::{Cycle, fetched};
use super::failure::Halt;
use super::history_row::{HistoryRow, signed};
use super::slot::Slot;

/// What one attempt used, over all of its runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct AttemptFacts<'a> {
    pub(super) worker: i64,
    pub(super) version: Option<i64>,
    pub(super) started_at: i64,
    pub(super) elapsed: u64,
    pub(super) fuel: u64,
    pub(super) peak: u64,
    pub(super) end: &'a str,
    /// Versions of the runs before the last.
    pub(super) digests: &'a [u8],
}

impl<'a> AttemptFacts<'a> {
    /// Of a run that ended, after the earlier ones of its attempt.
    pub(super) fn of(commit: &'a Commit, history: Option<&'a HistoryRow>, worker: i64, version: Option<i64>) -> Self {
        let run = &commit.run;
        let (elapsed, fuel, peak) =
            history.map_or((0, 0, 0), |history| (history.elapsed, history.attempt_fuel, history.attempt_peak));
        Self {
            worker,
            version,
            started_at: run.started_at.as_millis(),
            elapsed: elapsed.saturating_add(run.elapsed_micros),
            fuel: fuel.saturating_add(run.fuel),
            peak: peak.max(run.peak_memory),
            end: commit.end.name(),
            digests: history.map_or(&[], |history| &history.digests),
        }
    }
}

/// What is written of a task that ended.
#[derive(Debug)]
pub(super) struct Ending<'a> {
    pub(super) state: State,
    /// Attempts charged, the last included, or the one that was cut short.
    pub(super) attempt: u32,
    pub(super) epoch: u32,
    pub(super) stage: u32,
    pub(super) max_attempts: Option<u32>,
    pub(super) facts: Option<AttemptFacts<'a>>,
    pub(super) result: Option<&'a str>,
    pub(super) metadata: Option<&'a str>,
    pub(super) reason: Option<DeadReason>,
    pub(super) error: Option<String>,
}

impl Ending<'_> {
    /// The end of a task outside of any run.
    pub(super) fn unrun(state: State, history: Option<&HistoryRow>) -> Self {
        Self {
            state,
            attempt: history.map_or(0, |history| history.attempts),
            epoch: history.map_or(1, |history| history.epoch),
            stage: history.map_or(0, |history| history.stage),
            max_attempts: history.and_then(|history| history.max_attempts),
            facts: None,
            result: None,
            metadata: None,
            reason: None,
            error: None,
        }
    }

    /// A dead letter that no run made.
    pub(super) fn dead(reason: DeadReason, message: &str, history: Option<&HistoryRow>) -> Self {
        let error = host_error(reason.as_str(), message);
        Self { reason: Some(reason), error: Some(error), ..Self::unrun(State::Dead, history) }
    }
}

/// An error that the host itself gives, as JSON.
pub(super) fn host_error(code: &str, message: &str) -> String {
    error_text(&TaskError {
        category: "host".to_owned(),
        code: code.to_owned(),
        message: message.to_owned(),
        reason: code.to_owned(),
        details: None,
    })
}

/// An error as its column has it.
pub(super) fn error_text(error: &TaskError) -> String {
    serde_json::to_string(error).unwrap_or_else(|_| {
        let TaskError { category, code, .. } = error;
        format!(r#"{{"category":"{category}","code":"{code}","message":"","reason":"{code}"}}"#)
    })
}

/// A state as its column has it: its place in the contract's list.
pub(super) fn state_number(state: State) -> i64 {
    State::ALL.iter().position(|other| *other == state).and_then(|place| i64::try_from(place).ok()).unwrap_or(-1)
}

/// The state of a number.
pub(super) fn state_of(number: i64) -> Option<State> {
    usize::try_from(number).ok().and_then(|place| State::ALL.get(place).copied())
}

impl Cycle<'_> {
    /// Writes the end of a task that runs or was just taken out of the queue.
    pub(super) fn end(&mut self, slot: Slot, ending: &Ending<'_>, has_history: bool) -> Result<(), Halt> {
        let seq = slot.seq;
        const INSERT: &str = "INSERT INTO ended (seq, state, ended_at, attempt, epoch, stage, max_attempts, worker, \
            version, started_at, elapsed, fuel, peak, result, metadata, end, reason, error, digests) \
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)";
        let facts = ending.facts.as_ref();
        // The common end says nothing that its state does not say.
        let end = facts.map(|facts| facts.end).filter(|_| ending.state != State::Succeeded);
        let digests = facts.map(|facts| facts.digests).filter(|digests| !digests.is_empty());
        fetched(&mut self.hot.end, self.connection, INSERT)?.execute(params![
            seq.0,
            state_number(ending.state),
            self.now.as_millis(),
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
        ])?;
        // A dead letter may be requeued, and then goes on from its stage; the others are over.
        if has_history && ending.state != State::Dead {
            self.connection.prepare_cached("DELETE FROM history WHERE seq = ?1")?.execute([seq.0])?;
        }
        self.out.ended.push(seq);
        if let Some(reason) = ending.reason {
            self.out.died.push((slot.route, reason));
        }
        Ok(())
    }

    /// Writes an attempt that was not the task's last.
    pub(super) fn keep_attempt(
        &mut self,
        seq: TaskSeq,
        (number, epoch): (u32, u32),
        facts: &AttemptFacts<'_>,
        error: Option<&str>,
    ) -> Result<(), Halt> {
        const INSERT: &str = "INSERT INTO attempts (seq, attempt, epoch, worker, version, started_at, ended_at, \
            elapsed, fuel, peak, end, error, digests) \
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
        self.connection.prepare_cached(INSERT)?.execute(params![
            seq.0,
            number,
            epoch,
            facts.worker,
            facts.version,
            facts.started_at,
            self.now.as_millis(),
            signed(facts.elapsed),
            signed(facts.fuel),
            signed(facts.peak),
            facts.end,
            error,
            (!facts.digests.is_empty()).then_some(facts.digests),
        ])?;
        Ok(())
    }
}
