//! The handler ETL_TRANSFORM: adds up a range of rows, some at a time.
//!
//! After so many rows it keeps what it has (a checkpoint) and begins a new stage. A run that is lost goes on from the last
//! checkpoint; what it had read since then is read again, and counted once, since the totals are kept with the place.

mod reader;
#[cfg(test)]
mod tests;

use bulkhead_sdk::prelude::*;
use etl_sales::{Batch, Input, Range, Totals};

use reader::Reader;

/// Adds up a range of rows.
#[derive(Debug, Default)]
pub struct Transform;

/// What the template says of the step.
#[derive(Debug, Deserialize)]
#[serde(default)]
struct Settings {
    /// After so many rows there is a checkpoint.
    checkpoint_rows: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { checkpoint_rows: 10_000 }
    }
}

/// What a stage leaves to the next.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    /// The next row.
    row: u64,
    /// Where it is in the file.
    at: u64,
    /// What the rows before it add up to.
    totals: Totals,
}

impl Handler for Transform {
    const KIND: &'static str = "ETL_TRANSFORM";
    type Payload = Input;

    fn handle(&self, task: Task<Input>, context: &Context) -> Result<Outcome, Failure> {
        let cursor = context.step().and_then(|step| step.cursor);
        let cursor = cursor.ok_or_else(|| {
            Failure::validation("no_range", "this handler is for steps of the type `batch_worker`, which have a range")
        })?;
        let bytes: Range = serde_json::from_value(cursor.metadata)?;
        let most = context.settings::<Settings>()?.checkpoint_rows.max(1);
        let begin = || State { row: cursor.start, at: bytes.from, totals: Totals::default() };
        let State { row, at, mut totals } = context.state()?.unwrap_or_else(begin);
        let mut rows = Reader::new(task.payload.open(context)?, at)?;
        let until = cursor.end.min(row + most);
        for _ in row..until {
            totals.add(rows.next()?);
        }
        if until < cursor.end {
            let (processed, total) = (until - cursor.start, cursor.end - cursor.start);
            return Outcome::checkpoint(State { row: until, at: rows.at(), totals }, processed, Some(total));
        }
        if rows.at() != bytes.to {
            return Err(reader::changed());
        }
        complete(Batch { start: cursor.start, end: cursor.end, totals })
    }
}

bulkhead_sdk::export!(Transform);
