//! `bulkhead workflow`

mod check;
mod graph;
mod look;
mod shown;
mod start;

use anyhow::Result;
use bulkhead_workflow::json_schema;

use super::task;
use crate::arguments::WorkflowCommand;
use crate::client::Client;
use crate::exit::ExitStatus;
use crate::printer::Printer;
use crate::settings::Settings;

/// Where workflows are.
const PATH: &str = "/v1/workflows";

pub(super) fn run(
    command: WorkflowCommand,
    client: &Client,
    settings: impl FnOnce() -> Result<Settings>,
    printer: &mut Printer,
) -> Result<ExitStatus> {
    match command {
        WorkflowCommand::Check { files, environment } => check::run(&files, environment, &settings()?, printer),
        WorkflowCommand::Start(arguments) => start::run(&arguments, client, printer),
        WorkflowCommand::Show { id } => look::show(&id, client, printer),
        WorkflowCommand::List(arguments) => look::list(&arguments, client, printer),
        WorkflowCommand::Cancel { ids } => task::each(client, &ids, PATH, "cancel", "", printer),
        WorkflowCommand::Pause { ids } => task::each(client, &ids, PATH, "pause", "", printer),
        WorkflowCommand::Resume { ids } => task::each(client, &ids, PATH, "resume", "", printer),
        WorkflowCommand::Graph { what, format } => graph::run(&what, format, client, settings, printer),
        WorkflowCommand::Templates => look::templates(client, printer),
        WorkflowCommand::Schema => {
            printer.json(serde_json::to_string_pretty(&json_schema())?)?;
            Ok(ExitStatus::Success)
        }
    }
}
