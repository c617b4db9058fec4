//! What one of the tasks gets that stand for a step.

use bulkhead_core::{JsonText, PlanStep};
use serde_json::Value;

/// The payload of the task that stands for one item of a step's list: the item itself; where the step has a payload of its
/// own (`executor: docker` or `gpu`), that payload with the item's keys in it, and the item must be an object.
pub fn instance_payload(step: &PlanStep, item: JsonText) -> Result<JsonText, String> {
    let Some(payload) = &step.payload else { return Ok(item) };
    let read = |text: &JsonText| serde_json::from_str::<Value>(text.as_str()).map_err(|error| error.to_string());
    match (read(payload)?, read(&item)?) {
        (Value::Object(mut merged), Value::Object(item)) => {
            merged.extend(item);
            JsonText::from_value(&merged).map_err(|error| error.to_string())
        }
        _ => Err(format!(
            "the step `{}` runs a program: each of its items must be an object of what is different",
            step.name
        )),
    }
}
