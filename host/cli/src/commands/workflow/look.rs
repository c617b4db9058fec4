//! `bulkhead workflow show`, `list` and `templates`

use anyhow::Result;
use serde_json::Value;

use super::super::show::text;
use super::{PATH, shown};
use crate::arguments::WorkflowListArguments;
use crate::client::{Client, part};
use crate::exit::ExitStatus;
use crate::printer::Printer;

pub(super) fn show(id: &str, client: &Client, printer: &mut Printer) -> Result<ExitStatus> {
    let workflow = client.get(&format!("{PATH}/{}", part(id)), &[])?.accepted()?;
    printer.item(&workflow, || shown::whole(&workflow))?;
    Ok(ExitStatus::Success)
}

pub(super) fn list(arguments: &WorkflowListArguments, client: &Client, printer: &mut Printer) -> Result<ExitStatus> {
    let WorkflowListArguments { state, name, namespace, tenant, limit, cursor } = arguments;
    let limit = limit.to_string();
    let said = [("state", state), ("name", name), ("namespace", namespace), ("tenant", tenant), ("cursor", cursor)];
    let said = said.iter().filter_map(|(what, value)| Some((*what, value.as_deref()?)));
    let query: Vec<(&str, &str)> = said.chain([("limit", limit.as_str())]).collect();
    let answer = client.get(PATH, &query)?.accepted()?;
    let empty = Vec::new();
    let items = answer.get("items").and_then(Value::as_array).unwrap_or(&empty);
    printer.list(items, &["ID", "TEMPLATE", "STATE", "ENDED", "DEAD", "CREATED"], |item| {
        let ended = format!("{} of {}", text(item, "ended"), text(item, "total"));
        let [id, state, dead, created] = ["id", "state", "dead", "created_at"].map(|field| text(item, field));
        vec![id, shown::template(item), state, ended, dead, created]
    })?;
    if let Some(next) = answer.get("next").and_then(Value::as_str) {
        printer.note(format_args!("there are more: --cursor {next}"));
    }
    Ok(ExitStatus::Success)
}

pub(super) fn templates(client: &Client, printer: &mut Printer) -> Result<ExitStatus> {
    let answer = client.get("/v1/templates", &[])?.accepted()?;
    let items = |field: &str| answer.get(field).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    printer.list(items("items"), &["TEMPLATE", "STEPS", "FILE", "WARNINGS", "DESCRIPTION"], |item| {
        let warnings = item.get("warnings").and_then(Value::as_array).map_or(0, Vec::len);
        let [steps, file, description] = ["steps", "file", "description"].map(|field| text(item, field));
        vec![shown::template(item), steps, file, warnings.to_string(), description]
    })?;
    for refused in items("refused") {
        printer.note(text(refused, "error"));
    }
    Ok(ExitStatus::Success)
}
