//! `bulkhead worker`

use anyhow::Result;
use serde_json::Value;

use super::show;
use super::task::each;
use crate::arguments::WorkerCommand;
use crate::client::Client;
use crate::exit::ExitStatus;
use crate::printer::Printer;

/// The columns of a list of workers.
const COLUMNS: [&str; 5] = ["NAME", "STATE", "HELD", "IN FLIGHT", "LEASE"];

pub(super) fn run(command: WorkerCommand, client: &Client, printer: &mut Printer) -> Result<ExitStatus> {
    let (name, verb) = match command {
        WorkerCommand::List => return list(client, printer),
        WorkerCommand::Pause { name } => (name, "pause"),
        WorkerCommand::Resume { name } => (name, "resume"),
        WorkerCommand::Drain { name } => (name, "drain"),
    };
    each(client, &[name], "/v1/workers", verb, "", printer)
}

fn list(client: &Client, printer: &mut Printer) -> Result<ExitStatus> {
    let answer = client.get("/v1/workers", &[])?.accepted()?;
    let workers = answer.get("items").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    printer.list(workers, &COLUMNS, |worker| {
        let lease =
            if worker.get("lease_confirmed").and_then(Value::as_bool) == Some(true) { "confirmed" } else { "none" };
        let mut row: Vec<String> =
            ["name", "state", "held", "in_flight"].iter().map(|field| show::text(worker, field)).collect();
        row.push(lease.to_owned());
        row
    })?;
    Ok(ExitStatus::Success)
}
