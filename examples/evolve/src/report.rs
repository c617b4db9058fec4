//! What a task of kind EVOLVE gives.

use serde::{Deserialize, Serialize};

/// The result.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The best program.
    pub best: Best,
    /// The score of the first program.
    pub baseline: f64,
    /// How each generation went, in order.
    pub generations: Vec<Generation>,
}

/// A program and its score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// The program.
    pub source: String,
    /// More is better.
    pub score: f64,
    /// The generation that it came from; 0 is the first program.
    pub generation: u32,
}

/// How a generation went: each change is one of `tried`, `repeated`, `bad_patch` and `unavailable`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Generation {
    /// Its number, from 1.
    pub generation: u32,
    /// The best score until its end.
    pub best: f64,
    /// The mean of the scores that its programs got; none where none got one.
    pub mean: Option<f64>,
    /// Programs that were executed.
    pub tried: u32,
    /// Programs that were there already, and were not executed again.
    pub repeated: u32,
    /// Changes that no patch came of: none applied, or the program grew too large.
    pub bad_patch: u32,
    /// Changes that no model gave an answer for.
    pub unavailable: u32,
    /// Of those tried: programs that crashed, did not end, or gave a wrong answer.
    pub failed_runs: u32,
}
