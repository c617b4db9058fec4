//! How a task ends: one row, whichever way and on every store.

use bulkhead_core::{DeadReason, State, TaskError};

use crate::Commit;
use crate::history::HistoryRow;

/// What one attempt used, over all of its runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AttemptFacts<'a> {
    pub(crate) worker: i64,
    pub(crate) version: Option<i64>,
    pub(crate) started_at: i64,
    pub(crate) elapsed: u64,
    pub(crate) fuel: u64,
    pub(crate) peak: u64,
    pub(crate) end: &'a str,
    /// Versions of the runs before the last.
    pub(crate) digests: &'a [u8],
}

impl<'a> AttemptFacts<'a> {
    /// Of a run that ended, after the earlier ones of its attempt.
    pub(crate) fn of(commit: &'a Commit, history: Option<&'a HistoryRow>, worker: i64, version: Option<i64>) -> Self {
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
pub(crate) struct Ending<'a> {
    pub(crate) state: State,
    /// Attempts charged, the last included, or the one that was cut short.
    pub(crate) attempt: u32,
    pub(crate) epoch: u32,
    pub(crate) stage: u32,
    pub(crate) max_attempts: Option<u32>,
    pub(crate) facts: Option<AttemptFacts<'a>>,
    pub(crate) result: Option<&'a str>,
    pub(crate) metadata: Option<&'a str>,
    pub(crate) reason: Option<DeadReason>,
    pub(crate) error: Option<String>,
    /// The places of the steps that it chose, where it was a decision.
    pub(crate) chosen: Option<&'a [u32]>,
    /// It ends its workflow early.
    pub(crate) terminates: bool,
}

impl<'a> Ending<'a> {
    /// The end of a task by a run.
    pub(crate) fn of_run(state: State, commit: &Commit, history: Option<&HistoryRow>, facts: AttemptFacts<'a>) -> Self {
        Self {
            attempt: history.map_or(0, |history| history.attempts) + 1,
            max_attempts: commit.max_attempts.or(history.and_then(|history| history.max_attempts)),
            facts: Some(facts),
            ..Self::unrun(state, history)
        }
    }

    /// The end of a task between the runs of an attempt, which is over with it.
    pub(crate) fn cut_short(state: State, history: Option<&HistoryRow>, facts: Option<AttemptFacts<'a>>) -> Self {
        let unrun = Self::unrun(state, history);
        Self { attempt: unrun.attempt + u32::from(facts.is_some()), facts, ..unrun }
    }

    /// The end of a task outside of any run.
    pub(crate) fn unrun(state: State, history: Option<&HistoryRow>) -> Self {
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
            chosen: None,
            terminates: false,
        }
    }

    /// A dead letter that no run made.
    pub(crate) fn dead(reason: DeadReason, message: &str, history: Option<&HistoryRow>) -> Self {
        let error = host_error(reason.as_str(), message);
        Self { reason: Some(reason), error: Some(error), ..Self::unrun(State::Dead, history) }
    }
}

/// An error that the host itself gives, as JSON.
pub(crate) fn host_error(code: &str, message: &str) -> String {
    error_text(&TaskError {
        category: "host".to_owned(),
        code: code.to_owned(),
        message: message.to_owned(),
        reason: code.to_owned(),
        details: None,
    })
}

/// An error as its column has it.
pub(crate) fn error_text(error: &TaskError) -> String {
    serde_json::to_string(error).unwrap_or_else(|_| {
        let TaskError { category, code, .. } = error;
        format!(r#"{{"category":"{category}","code":"{code}","message":"","reason":"{code}"}}"#)
    })
}

/// A state as its column has it: its place in the contract's list.
pub(crate) fn state_number(state: State) -> i64 {
    State::ALL.iter().position(|other| *other == state).and_then(|place| i64::try_from(place).ok()).unwrap_or(-1)
}

/// The state of a number.
pub(crate) fn state_of(number: i64) -> Option<State> {
    usize::try_from(number).ok().and_then(|place| State::ALL.get(place).copied())
}
