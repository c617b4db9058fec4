//! The handler EVALUATE: a score from what an execution left behind.
//!
//! `{"workspace_uri": "workspace:…", "pool": "speed", "run": {…}}` gives `{"score": 0.8, "scores": {"tests": 1.0, …}, …}`. A
//! pool is the operator's: evaluators that each read one value, from a file of the workspace or from the result of an
//! execution, and what that value is worth.

mod evidence;
mod measure;
mod payload;
mod pool;
mod score;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use bulkhead_sdk::prelude::*;

use evidence::Evidence;
pub use payload::Payload;
use pool::Pool;

/// Evaluates what an execution left behind.
#[derive(Debug, Default)]
pub struct Evaluate;

/// What came of an evaluation.
#[derive(Debug, Serialize)]
struct Evaluation<'a> {
    score: f64,
    scores: BTreeMap<&'a str, f64>,
    values: BTreeMap<&'a str, Option<f64>>,
    missing: BTreeMap<&'a str, String>,
}

impl Handler for Evaluate {
    const KIND: &'static str = "EVALUATE";
    type Payload = Payload;

    fn handle(&self, task: Task<Payload>, context: &Context) -> Result<Outcome, Failure> {
        let Payload { workspace_uri: _, pool: name, run } = task.payload;
        let pool = context.settings::<settings::Settings>()?.pool(&name)?;
        let evidence = Evidence::new(context, run, pool.step.as_deref());
        let evaluation = evaluate(&name, &pool, &evidence)?;
        context.info(&format!("pool `{name}`: {}", evaluation.score));
        complete(evaluation)
    }
}

/// Asks each evaluator, and weighs what they say.
fn evaluate<'a>(name: &str, pool: &'a Pool, evidence: &Evidence) -> Result<Evaluation<'a>, Failure> {
    let mut evaluation =
        Evaluation { score: 0.0, scores: BTreeMap::new(), values: BTreeMap::new(), missing: BTreeMap::new() };
    let (mut weighed, mut lacking) = (Vec::new(), Vec::new());
    for evaluator in &pool.evaluators {
        let value = match evaluator.measure.value(evidence)? {
            Ok(value) => Some(value),
            Err(why) => {
                if evaluator.must_be_there {
                    lacking.push(format!("`{}`: {why}", evaluator.name));
                }
                evaluation.missing.insert(&evaluator.name, why);
                None
            }
        };
        let score = value.map_or(0.0, |value| evaluator.worth.score(value));
        evaluation.values.insert(&evaluator.name, value);
        evaluation.scores.insert(&evaluator.name, score);
        weighed.push((evaluator.weight, score));
    }
    if !lacking.is_empty() {
        return Err(Failure::permanent("missing_value", format!("the pool `{name}`: {}", lacking.join("; "))));
    }
    evaluation.score = score::mean(&weighed);
    Ok(evaluation)
}

bulkhead_sdk::export!(Evaluate);
