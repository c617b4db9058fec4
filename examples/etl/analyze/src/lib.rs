//! The handler ETL_ANALYZE: counts the rows of a file of sales, and cuts them into ranges for the workers.

mod cut;
#[cfg(test)]
mod tests;

use bulkhead_sdk::prelude::*;
use bulkhead_sdk::{BatchPlan, Cursor};
use etl_sales::Input;

/// More than a workflow may have of one step.
const MOST_BATCHES: usize = 10_000;

/// Counts rows, and cuts them into ranges.
#[derive(Debug, Default)]
pub struct Analyze;

/// What the template says of the step.
#[derive(Debug, Deserialize)]
struct Settings {
    batch_config: BatchConfig,
}

#[derive(Debug, Deserialize)]
struct BatchConfig {
    /// Rows of a batch.
    batch_size: u64,
}

impl Handler for Analyze {
    const KIND: &'static str = "ETL_ANALYZE";
    type Payload = Input;

    fn handle(&self, task: Task<Input>, context: &Context) -> Result<Outcome, Failure> {
        let batch_size = context.settings::<Settings>()?.batch_config.batch_size;
        if batch_size == 0 {
            return Err(Failure::validation("bad_settings", "`batch_config.batch_size` must be 1 or more"));
        }
        let ranges = cut::cut(task.payload.open(context)?, batch_size)?;
        if ranges.len() > MOST_BATCHES {
            let message = format!("{} batches are more than {MOST_BATCHES}; raise `batch_size`", ranges.len());
            return Err(Failure::validation("too_many_batches", message));
        }
        let cursors: Vec<Cursor> = ranges
            .iter()
            .map(|range| Cursor { start: range.start, end: range.end, metadata: json!(range.bytes) })
            .collect();
        let last = ranges.last();
        let result = json!({
            "rows": last.map_or(0, |range| range.end),
            "bytes": last.map_or(0, |range| range.bytes.to),
            "batches": cursors.len(),
        });
        Ok(Outcome::Batch(BatchPlan { cursors, result, metadata: json!({}) }))
    }
}

bulkhead_sdk::export!(Analyze);
