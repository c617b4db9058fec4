//! `bulkhead submit`

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::wait::wait;
use super::{read_json, show, submit_file};
use crate::arguments::SubmitArguments;
use crate::client::Client;
use crate::exit::ExitStatus;
use crate::printer::Printer;

pub(super) fn run(arguments: SubmitArguments, client: &Client, printer: &mut Printer) -> Result<ExitStatus> {
    match &arguments.file {
        Some(file) => submit_file::run(file, arguments.wait, client, printer),
        None => submit_one(&arguments, client, printer),
    }
}

fn submit_one(arguments: &SubmitArguments, client: &Client, printer: &mut Printer) -> Result<ExitStatus> {
    let payload = read_json("payload", arguments.payload.as_deref().unwrap_or("null"))?;
    let mut fields = Map::new();
    let mut set = |name: &str, value: Option<Value>| value.map(|value| fields.insert(name.to_owned(), value));
    set("kind", arguments.kind.as_ref().map(|kind| json!(kind)));
    set("id", arguments.id.as_ref().map(|id| json!(id)));
    set("workspace", arguments.workspace.as_ref().map(|id| json!(id)));
    set("key", arguments.key.as_ref().map(|key| json!(key)));
    set("priority", arguments.priority.map(|priority| json!(priority)));
    set("delay", arguments.delay.map(|delay| json!(delay)));
    set("requires", (!arguments.requires.is_empty()).then(|| json!(arguments.requires)));
    // The payload goes as it was typed, byte for byte.
    let fields = serde_json::to_string(&fields)?;
    let body = format!("{},\"payload\":{payload}}}", fields.trim_end_matches('}'));
    let accepted = client.post_patiently("/v1/tasks", "application/json", body.as_bytes(), printer)?.accepted()?;
    let id = accepted.get("id").and_then(Value::as_str).context("the host gave no id")?;
    let Some(limit) = arguments.wait else {
        printer.item(&accepted, || id.to_owned())?;
        return Ok(ExitStatus::Success);
    };
    let task = wait(id, limit.duration(), client, printer)?;
    show::result(&task, printer)
}
