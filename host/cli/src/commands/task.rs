//! `bulkhead task`

use anyhow::Result;
use serde_json::Value;

use super::show;
use crate::arguments::{ListArguments, TaskCommand};
use crate::client::{Client, part};
use crate::exit::ExitStatus;
use crate::printer::Printer;

pub(super) fn run(command: TaskCommand, client: &Client, printer: &mut Printer) -> Result<ExitStatus> {
    match command {
        TaskCommand::List { state, list } => self::list(client, "/v1/tasks", &[("state", &state)], &list, printer),
        TaskCommand::Show { id } => show_one(client, "/v1/tasks", &id, printer),
        TaskCommand::Cancel { ids } => each(client, &ids, "/v1/tasks", "cancel", printer),
        TaskCommand::Retry { ids } => each(client, &ids, "/v1/tasks", "retry", printer),
    }
}

/// One page of a list, or how many there are.
pub(super) fn list(
    client: &Client,
    path: &str,
    query: &[(&str, &str)],
    list: &ListArguments,
    printer: &mut Printer,
) -> Result<ExitStatus> {
    let limit = list.limit.to_string();
    let mut all: Vec<(&str, &str)> = query.iter().copied().filter(|(_, value)| !value.is_empty()).collect();
    all.push(("limit", &limit));
    all.extend(list.kind.as_deref().map(|kind| ("kind", kind)));
    all.extend(list.tenant.as_deref().map(|tenant| ("tenant", tenant)));
    all.extend(list.cursor.as_deref().map(|cursor| ("cursor", cursor)));
    if list.count {
        all.push(("count", "true"));
        let answer = client.get(path, &all)?.accepted()?;
        printer.item(&answer, || show::text(&answer, "count"))?;
        return Ok(ExitStatus::Success);
    }
    let answer = client.get(path, &all)?.accepted()?;
    let empty = Vec::new();
    let items = answer.get("items").and_then(Value::as_array).unwrap_or(&empty);
    printer.list(items, &show::COLUMNS, show::row)?;
    if let Some(next) = answer.get("next").and_then(Value::as_str) {
        printer.note(format_args!("there are more: --cursor {next}"));
    }
    Ok(ExitStatus::Success)
}

/// One task, whole.
pub(super) fn show_one(client: &Client, path: &str, id: &str, printer: &mut Printer) -> Result<ExitStatus> {
    let task = client.get(&format!("{path}/{}", part(id)), &[])?.accepted()?;
    printer.item(&task, || show::whole(&task))?;
    Ok(ExitStatus::Success)
}

/// Asks the same of each task; one that is refused does not keep the others from it.
pub(super) fn each(
    client: &Client,
    ids: &[String],
    path: &str,
    verb: &str,
    printer: &mut Printer,
) -> Result<ExitStatus> {
    let mut status = ExitStatus::Success;
    for id in ids {
        match client.post(&format!("{path}/{}/{verb}", part(id)), &[], "application/json", b"")?.accepted() {
            Ok(answer) => {
                let state = if answer.get("cancelling").is_some() {
                    "cancelling".to_owned()
                } else {
                    show::text(&answer, "state")
                };
                printer.item(&answer, || format!("{id} {state}"))?;
            }
            Err(error) => {
                printer.error(&error);
                status = ExitStatus::Failure;
            }
        }
    }
    Ok(status)
}
