//! What one stage leaves for the next: programs that may still be needed, and numbers.

use serde::{Deserialize, Serialize};

use crate::report::{Best, Generation};

/// Where an evolution stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    /// What the children do that this task waits for.
    pub(crate) phase: Phase,
    /// The best programs so far, the best first.
    pub(crate) pool: Vec<Best>,
    /// The programs of this generation that may still get a score.
    pub(crate) candidates: Vec<Candidate>,
    /// The numbers of this generation, so far.
    pub(crate) current: Generation,
    /// Those of the generations before.
    pub(crate) done: Vec<Generation>,
    /// The score of the first program; none while it has none.
    pub(crate) baseline: Option<f64>,
}

/// What children do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    Mutate,
    Execute,
    Evaluate,
}

/// A program without a score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Candidate {
    /// The name of its children.
    pub(crate) name: String,
    /// The program.
    pub(crate) source: String,
}

impl State {
    /// Adds programs that have a score and keeps the best: of two with the same score the one that was first.
    pub(crate) fn keep(&mut self, scored: Vec<(String, f64)>, keep: usize) {
        let generation = self.current.generation;
        self.pool.extend(scored.into_iter().map(|(source, score)| Best { source, score, generation }));
        self.pool.sort_by(|one, other| other.score.total_cmp(&one.score));
        self.pool.truncate(keep);
    }

    /// Whether this program is known already.
    pub(crate) fn knows(&self, source: &str) -> bool {
        let kept = self.pool.iter().map(|program| &program.source);
        kept.chain(self.candidates.iter().map(|candidate| &candidate.source)).any(|known| known == source)
    }
}
