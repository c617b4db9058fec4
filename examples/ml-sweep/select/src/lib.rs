//! The handler SWEEP_SELECT: finds the best of the models that the steps before it have trained.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use bulkhead_sdk::prelude::*;
use bulkhead_sdk::{Upstream, UpstreamEnd};

/// Finds the best of many models.
#[derive(Debug, Default)]
pub struct Select;

/// A model, as SWEEP_TRAIN gives it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Model {
    degree: u32,
    rate: f64,
    epochs: u32,
    error: f64,
    training_error: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    weights: Vec<f64>,
}

/// What a model is called, and how good it is.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    #[serde(flatten)]
    model: Model,
}

/// The best model, and how the others did.
#[derive(Debug, Serialize)]
struct Selection {
    best: Row,
    /// All that were compared, the best first; without their weights.
    table: Vec<Row>,
    /// Those of which no model came, by the reason.
    failed: BTreeMap<String, u32>,
}

impl Handler for Select {
    const KIND: &'static str = "SWEEP_SELECT";
    type Payload = Value;

    fn handle(&self, _: Task<Value>, context: &Context) -> Result<Outcome, Failure> {
        let (mut table, mut failed) = (Vec::new(), BTreeMap::new());
        for Upstream { name, end, .. } in context.upstream() {
            match end {
                // Closed by hand, as one of which no model will come.
                UpstreamEnd::Resolved(Value::Null) => *failed.entry("resolved".to_owned()).or_default() += 1,
                UpstreamEnd::Succeeded(result) | UpstreamEnd::Resolved(result) => {
                    table.push(Row { name, model: serde_json::from_value(result)? });
                }
                UpstreamEnd::Failed(failure) => *failed.entry(failure.code).or_default() += 1,
                UpstreamEnd::Cancelled => *failed.entry("cancelled".to_owned()).or_default() += 1,
                UpstreamEnd::Skipped => *failed.entry("skipped".to_owned()).or_default() += 1,
            }
        }
        // Those that are as good as each other stay in the order of the list.
        table.sort_by(|one, other| one.model.error.total_cmp(&other.model.error));
        let Some(Row { name, model }) = table.first() else {
            return Err(Failure::permanent("no_model", "no model has been trained: there is nothing to select from"));
        };
        let best = Row { name: name.clone(), model: model.clone() };
        table.iter_mut().for_each(|row| row.model.weights.clear());
        context.info(&format!("`{}` is the best of {}: {}", best.name, table.len(), best.model.error));
        complete(Selection { best, table, failed })
    }
}

bulkhead_sdk::export!(Select);
