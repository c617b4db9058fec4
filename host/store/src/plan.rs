//! What is written once a run has ended: worked out here, for every store alike; the stores only write it.

use bulkhead_core::{
    BatchPlan, Child, Completion, DeadReason, Decision, JsonText, NextStep, ReadyReason, RunEnd, Spawn, State,
    Suspension, Timestamp,
};
use serde::Deserialize;

use crate::Commit;
use crate::ending::{AttemptFacts, Ending, error_text};
use crate::history::{Answered, HistoryRow, Text};

/// A run that has ended, and where its task stood.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended<'a> {
    pub(crate) commit: &'a Commit,
    /// What earlier runs left; none on the task's first.
    pub(crate) history: Option<&'a HistoryRow>,
    /// When the task was due.
    pub(crate) due: Timestamp,
    /// The store's time.
    pub(crate) now: Timestamp,
    /// Somebody cancelled the task; whether the run came to its end within the grace after that.
    pub(crate) cancelled: Option<Grace>,
    /// The interned name of the worker.
    pub(crate) worker: i64,
    /// The interned version of the handler.
    pub(crate) version: Option<i64>,
}

/// Whether a run that was cancelled came to its end in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grace {
    /// Its end still counts, if it is a good one.
    Within,
    /// It was too late.
    Over,
}

/// What is written.
#[derive(Debug)]
pub(crate) enum Plan<'a> {
    /// The task has ended.
    End {
        /// Its last row.
        ending: Ending<'a>,
        /// What follows it, in the same commit.
        then: &'a [Child],
    },
    /// The task goes on.
    GoOn(GoOn<'a>),
}

/// How a task goes on that has not ended.
#[derive(Debug)]
pub(crate) struct GoOn<'a> {
    /// An attempt that is over.
    pub(crate) attempt: Option<AttemptFacts<'a>>,
    /// What is remembered from here on; where an attempt is over, it is counted in here already.
    pub(crate) history: HistoryRow,
    pub(crate) state: Text<'a>,
    pub(crate) answer: Answered<'a>,
    /// What it waits for.
    pub(crate) until: Until<'a>,
}

/// What a task waits for that goes on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until<'a> {
    /// In the queue, until it is due.
    Due,
    /// Until the catalogue changes.
    Catalogue,
    /// For its children, which are to be created.
    Children(&'a Spawn),
    /// For somebody outside.
    Answer(&'a Suspension),
}

/// The step that is taken, and what is written for it.
pub(crate) fn plan<'a>(ended: &Ended<'a>) -> (NextStep, Plan<'a>) {
    let Ended { commit, history, due, now, cancelled, worker, version } = *ended;
    let step = match cancelled {
        None => commit.step,
        Some(Grace::Within) if matches!(commit.step, NextStep::Succeed) => commit.step,
        Some(_) => NextStep::Cancel,
    };
    let facts = AttemptFacts::of(commit, history, worker, version);
    let end = |state, reason: Option<DeadReason>| {
        let error = reason.and_then(|_| commit.end.error()).as_ref().map(error_text);
        Plan::End { ending: Ending { reason, error, ..Ending::of_run(state, commit, history, facts) }, then: &[] }
    };
    let next = || {
        let mut next = history.cloned().unwrap_or(HistoryRow::fresh(due));
        next.decline(&commit.declined);
        next.max_attempts = commit.max_attempts.or(next.max_attempts);
        next.fuel = next.fuel.saturating_add(commit.run.fuel);
        next.tokens = next.tokens.saturating_add(commit.run.tokens);
        next
    };
    let same = |history, until| GoOn { attempt: None, history, state: Text::Stays, answer: Answered::Stays, until };
    let plan = match step {
        NextStep::Succeed => return (step, succeed(commit, history, facts)),
        NextStep::Die(reason) => end(State::Dead, Some(reason)),
        NextStep::Cancel => end(State::Cancelled, None),
        NextStep::Skip => Plan::End { ending: Ending::unrun(State::Skipped, history), then: &[] },
        NextStep::Retry(wait) => {
            let mut next = next();
            next.attempts += 1;
            next.end_attempt();
            next.error = commit.end.error().as_ref().map(error_text);
            next.due = now.after(wait);
            next.reason = Some(ReadyReason::Retry.as_str().to_owned());
            let (mut state, mut answer) = (Text::Stays, Answered::Stays);
            if commit.from_start {
                (state, answer) = (Text::Gone, Answered::Gone);
                (next.stage, next.upstream) = (0, None);
            }
            Plan::GoOn(GoOn { attempt: Some(facts), history: next, state, answer, until: Until::Due })
        }
        NextStep::Defer(wait, reason) => {
            let mut next = next();
            next.deferrals = next.deferrals.saturating_add(1);
            next.due = now.after(wait);
            next.reason = Some(reason.as_str().to_owned());
            if let (true, Some(version)) = (commit.end.was_cut_short(), &commit.handler) {
                next.add_digest(&version.digest);
            }
            Plan::GoOn(same(next, Until::Due))
        }
        NextStep::Move => {
            let mut next = next();
            (next.due, next.reason) = (now, None);
            Plan::GoOn(same(next, Until::Due))
        }
        NextStep::Park => {
            let mut next = next();
            next.deferrals = next.deferrals.saturating_add(1);
            next.reason = Some(ReadyReason::NoCapableWorker.as_str().to_owned());
            Plan::GoOn(same(next, Until::Catalogue))
        }
        NextStep::Advance | NextStep::Suspend => {
            let mut next = next();
            next.elapsed = next.elapsed.saturating_add(commit.run.elapsed_micros);
            next.attempt_fuel = next.attempt_fuel.saturating_add(commit.run.fuel);
            next.attempt_peak = next.attempt_peak.max(commit.run.peak_memory);
            if let Some(version) = &commit.handler {
                next.add_digest(&version.digest);
            }
            next.due = now;
            next.reason = None;
            let (kept, until) = match &commit.end {
                RunEnd::Spawned(spawn) => (spawn.state.as_ref(), Until::Children(spawn)),
                RunEnd::Suspended(suspension) => (suspension.state.as_ref(), Until::Answer(suspension)),
                RunEnd::Checkpointed(checkpoint) => (Some(&checkpoint.state), Until::Due),
                _ => (None, Until::Due),
            };
            if matches!(until, Until::Due) {
                next.advance(None);
            }
            let state = kept.map_or(Text::Gone, |state| Text::Is(state.as_str()));
            Plan::GoOn(GoOn { attempt: None, history: next, state, answer: Answered::Gone, until })
        }
    };
    (step, plan)
}

fn succeed<'a>(commit: &'a Commit, history: Option<&HistoryRow>, facts: AttemptFacts<'a>) -> Plan<'a> {
    let ending = Ending::of_run(State::Succeeded, commit, history, facts);
    let kept = |metadata: &'a JsonText| Some(metadata.as_str()).filter(|text| *text != "{}");
    match &commit.end {
        RunEnd::Completed(Completion { result, metadata, then }) => {
            let (result, terminates) = (Some(result.as_str()), terminates(metadata));
            Plan::End { ending: Ending { result, metadata: kept(metadata), terminates, ..ending }, then }
        }
        RunEnd::Decided(Decision { result, metadata, chosen, .. }) => {
            let (result, chosen) = (Some(result.as_str()), Some(chosen.as_slice()));
            Plan::End { ending: Ending { result, metadata: kept(metadata), chosen, ..ending }, then: &[] }
        }
        RunEnd::Batched(BatchPlan { result, metadata, .. }) => {
            let result = Some(result.as_str());
            Plan::End { ending: Ending { result, metadata: kept(metadata), ..ending }, then: &[] }
        }
        _ => Plan::End { ending, then: &[] },
    }
}

/// Whether a step says, beside its result, that its workflow is done.
fn terminates(metadata: &JsonText) -> bool {
    #[derive(Deserialize)]
    struct Said {
        #[serde(default)]
        terminate: bool,
    }
    metadata.as_str().contains("terminate")
        && serde_json::from_str::<Said>(metadata.as_str()).is_ok_and(|said| said.terminate)
}
