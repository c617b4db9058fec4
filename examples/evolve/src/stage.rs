//! What a stage does with its children's ends: the next phase, the next generation, or the end.

use bulkhead_sdk::prelude::*;
use bulkhead_sdk::{Child, Join, Progress, Upstream, UpstreamEnd};

use crate::children;
use crate::payload::Payload;
use crate::report::{Generation, Report};
use crate::state::{Candidate, Phase, State};

/// The code of a MUTATE task of which no patch applied.
const BAD_PATCH: &str = "bad_patch";

/// A stage of an evolution.
pub(crate) struct Stage<'a> {
    pub(crate) id: &'a str,
    pub(crate) payload: &'a Payload,
    pub(crate) context: &'a Context<'a>,
}

impl Stage<'_> {
    /// The first program is run as generation 0.
    pub(crate) fn begin(&self) -> Result<Outcome, Failure> {
        let candidate = Candidate { name: "0.1".to_owned(), source: self.payload.source.clone() };
        self.execute(State {
            phase: Phase::Execute,
            pool: Vec::new(),
            candidates: vec![candidate],
            current: Generation::default(),
            done: Vec::new(),
            baseline: None,
        })
    }

    /// What follows when the children have ended.
    pub(crate) fn go_on(&self, state: State) -> Result<Outcome, Failure> {
        match state.phase {
            Phase::Mutate => self.mutated(state),
            Phase::Execute => self.executed(state),
            Phase::Evaluate => self.evaluated(state),
        }
    }

    fn mutated(&self, mut state: State) -> Result<Outcome, Failure> {
        for child in self.context.upstream() {
            let end = good(&child);
            let source = end.as_ref().ok().and_then(|result| result.get("source")).and_then(Value::as_str);
            match source {
                Some(source) if state.knows(source) => state.current.repeated += 1,
                Some(source) if !self.payload.has_room_for(source) => state.current.bad_patch += 1,
                Some(source) => {
                    state.candidates.push(Candidate { name: child.name.clone(), source: source.to_owned() });
                }
                None if end.as_ref().is_err_and(|failure| failure.code == BAD_PATCH) => state.current.bad_patch += 1,
                None => state.current.unavailable += 1,
            }
            self.tell(&child.name, end.err());
        }
        self.execute(state)
    }

    fn execute(&self, mut state: State) -> Result<Outcome, Failure> {
        state.current.tried = u32::try_from(state.candidates.len()).unwrap_or(u32::MAX);
        let children = children::execute(self.id, self.payload, &state.candidates)?;
        self.wait(state, Phase::Execute, children)
    }

    fn executed(&self, mut state: State) -> Result<Outcome, Failure> {
        let mut children = Vec::new();
        for child in self.context.upstream() {
            match good(&child) {
                Ok(run) => children.push(children::evaluate(self.id, self.payload, &child.name, run)?),
                Err(failure) => self.failed(&mut state, &child.name, failure)?,
            }
        }
        self.wait(state, Phase::Evaluate, children)
    }

    fn evaluated(&self, mut state: State) -> Result<Outcome, Failure> {
        let mut scored = Vec::new();
        for child in self.context.upstream() {
            let score = good(&child).and_then(|result| {
                let score = result.get("score").and_then(Value::as_f64);
                score.ok_or_else(|| Failure::permanent("no_score", "the evaluation gave no score"))
            });
            match score {
                Ok(score) => {
                    let candidates = state.candidates.iter();
                    let source =
                        candidates.filter(|candidate| candidate.name == child.name).map(|it| it.source.clone());
                    scored.extend(source.map(|source| (source, score)));
                }
                Err(failure) => self.failed(&mut state, &child.name, failure)?,
            }
        }
        self.next_generation(state, scored)
    }

    /// A program that does not work costs its place; the first one must work, since there is nothing to improve else.
    fn failed(&self, state: &mut State, name: &str, failure: Failure) -> Result<(), Failure> {
        if state.baseline.is_none() {
            let message = format!("the first program has no score: {}: {}", failure.code, failure.message);
            return Err(Failure::permanent("no_baseline", message));
        }
        state.current.failed_runs += 1;
        self.tell(name, Some(failure));
        Ok(())
    }

    fn next_generation(&self, mut state: State, scored: Vec<(String, f64)>) -> Result<Outcome, Failure> {
        let sum: f64 = scored.iter().map(|(_, score)| score).sum();
        state.current.mean = (!scored.is_empty()).then(|| sum / scored.len() as f64);
        state.keep(scored, self.payload.keep);
        let best = state.pool.first().cloned();
        let best = best.ok_or_else(|| Failure::permanent("no_baseline", "the first program has no score"))?;
        state.current.best = best.score;
        self.report(&state.current);
        let next = state.current.generation + 1;
        let ended = std::mem::replace(&mut state.current, Generation { generation: next, ..Generation::default() });
        match state.baseline {
            None => state.baseline = Some(ended.best),
            Some(_) => state.done.push(ended),
        }
        match state.baseline {
            Some(baseline) if next > self.payload.generations => {
                complete(Report { best, baseline, generations: state.done })
            }
            _ => {
                state.candidates.clear();
                let children = children::mutate(self.id, self.payload, &state)?;
                self.wait(state, Phase::Mutate, children)
            }
        }
    }

    /// Waits for all of them, however they end; where there are none, the generation is over.
    fn wait(&self, mut state: State, phase: Phase, children: Vec<Child>) -> Result<Outcome, Failure> {
        if children.is_empty() {
            return self.next_generation(state, Vec::new());
        }
        state.phase = phase;
        let state = Some(json!(state));
        Ok(Outcome::Spawn { children, join: Join::BestEffort, state })
    }

    fn report(&self, ended: &Generation) {
        let Generation { generation, best, tried, failed_runs, .. } = ended;
        let all = self.payload.generations;
        self.context.progress(&Progress {
            stage: "generation".to_owned(),
            text: format!("generation {generation} of {all}: best {best:.4}, {tried} tried, {failed_runs} failed"),
            fraction: Some(f64::from(*generation) / f64::from(all)),
            metadata: json!(ended),
        });
    }

    fn tell(&self, name: &str, failure: Option<Failure>) {
        if let Some(Failure { code, message, .. }) = failure {
            self.context.warn(&format!("{name}: {code}: {message}"));
        }
    }
}

/// The result of a child, or why there is none.
fn good(child: &Upstream) -> Result<Value, Failure> {
    match &child.end {
        UpstreamEnd::Succeeded(result) | UpstreamEnd::Resolved(result) => Ok(result.clone()),
        UpstreamEnd::Failed(failure) => Err(failure.clone()),
        UpstreamEnd::Cancelled => Err(Failure::permanent("cancelled", "it was cancelled")),
        UpstreamEnd::Skipped => Err(Failure::permanent("skipped", "it was skipped")),
    }
}
