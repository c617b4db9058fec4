//! The handler ETL_LOAD: makes one report of what all ranges came to, and puts it into the workspace.

mod report;
#[cfg(test)]
mod tests;

use bulkhead_sdk::prelude::*;
use bulkhead_sdk::{Upstream, UpstreamEnd};
use etl_sales::{Batch, Input};

use report::Report;

/// The step that counted the rows.
const ANALYZER: &str = "analyze";

/// The file that the report is written to.
const FILE: &str = "report.json";

/// Makes one report of what all ranges came to.
#[derive(Debug, Default)]
pub struct Load;

/// What the analyzer said.
#[derive(Debug, Deserialize)]
struct Analyzed {
    rows: u64,
}

impl Handler for Load {
    const KIND: &'static str = "ETL_LOAD";
    type Payload = Input;

    fn handle(&self, _: Task<Input>, context: &Context) -> Result<Outcome, Failure> {
        let analyzed: Analyzed = context.dependency_result(ANALYZER)?;
        let others = context.upstream().into_iter().filter(|upstream| upstream.name != ANALYZER);
        let batches = others.map(batch).collect::<Result<_, _>>()?;
        let report = Report::of(batches, analyzed.rows)?;
        let file = context.workspace().join(FILE);
        // Renamed into place, so that nobody sees half of it, however often this runs.
        let beside = file.with_extension("new");
        std::fs::write(&beside, serde_json::to_vec_pretty(&report)?)?;
        std::fs::rename(&beside, &file)?;
        complete(report)
    }
}

/// What a worker came to; without one of them there is no report.
fn batch(worker: Upstream) -> Result<Batch, Failure> {
    match worker.end {
        UpstreamEnd::Succeeded(result) | UpstreamEnd::Resolved(result) => Ok(serde_json::from_value(result)?),
        end => {
            let message = format!("`{}` did not end well: {end:?}; retry it, then this step", worker.name);
            Err(Failure::permanent("batch_missing", message))
        }
    }
}

bulkhead_sdk::export!(Load);
