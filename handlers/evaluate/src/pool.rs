//! A pool of evaluators that makes sense.

use std::collections::BTreeSet;

use crate::measure::Measure;
use crate::score::Worth;
use crate::settings::{Missing, WrittenEvaluator, WrittenPool};

/// The most evaluators of a pool.
const MAX_EVALUATORS: usize = 1000;
/// The largest weight: sums of weights stay far from where numbers lose their precision.
const MAX_WEIGHT: f64 = 1e9;

/// Evaluators whose scores are weighed.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) evaluators: Vec<Evaluator>,
    /// The workflow step whose result is the run, where the payload has none.
    pub(crate) step: Option<String>,
}

/// One value and what it is worth.
#[derive(Debug)]
pub(crate) struct Evaluator {
    pub(crate) name: String,
    pub(crate) measure: Measure,
    pub(crate) worth: Worth,
    pub(crate) weight: f64,
    pub(crate) must_be_there: bool,
}

impl Pool {
    /// Checks what the operator wrote; says what is wrong with it.
    pub(crate) fn new(written: WrittenPool) -> Result<Self, String> {
        let WrittenPool { evaluators, missing, step } = written;
        if !(1..=MAX_EVALUATORS).contains(&evaluators.len()) {
            return Err(format!("`evaluators` must have 1 to {MAX_EVALUATORS}, not {}", evaluators.len()));
        }
        let mut names = BTreeSet::new();
        if let Some(twice) = evaluators.iter().find(|evaluator| !names.insert(&evaluator.name)) {
            return Err(format!("two evaluators have the name `{}`", twice.name));
        }
        let evaluators: Vec<Evaluator> = evaluators
            .into_iter()
            .map(|evaluator| {
                let name = evaluator.name.clone();
                Evaluator::new(evaluator, missing).map_err(|why| format!("the evaluator `{name}`: {why}"))
            })
            .collect::<Result<_, _>>()?;
        if evaluators.iter().all(|evaluator| evaluator.weight == 0.0) {
            return Err("no evaluator has a `weight` above 0".to_owned());
        }
        Ok(Self { evaluators, step })
    }
}

impl Evaluator {
    fn new(written: WrittenEvaluator, missing: Missing) -> Result<Self, String> {
        if written.name.is_empty() {
            return Err("`name` must not be empty".to_owned());
        }
        if !(0.0..=MAX_WEIGHT).contains(&written.weight) {
            return Err(format!("`weight` must be 0 to {MAX_WEIGHT}, not {}", written.weight));
        }
        Ok(Self {
            measure: Measure::new(&written)?,
            worth: Worth::new(written.direction, written.worst, written.best)?,
            must_be_there: written.missing.unwrap_or(missing) == Missing::Fail,
            weight: written.weight,
            name: written.name,
        })
    }
}
