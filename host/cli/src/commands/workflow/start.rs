//! `bulkhead workflow start`

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bulkhead_core::{JsonText, Span, WorkflowState};
use serde::Serialize;
use serde_json::{Map, Value};

use super::super::{read_json, show};
use super::{PATH, shown};
use crate::arguments::StartArguments;
use crate::client::{Client, part};
use crate::exit::ExitStatus;
use crate::printer::Printer;

/// The longest that one request waits.
const WAIT_AT_ONCE: Duration = Duration::from_secs(30);

/// What a host is asked to start. The input goes as it was typed, byte for byte.
#[derive(Debug, Serialize)]
struct NewWorkflow<'a> {
    template: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<JsonText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delay: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<&'a str>,
    tags: BTreeMap<&'a str, &'a str>,
}

pub(super) fn run(arguments: &StartArguments, client: &Client, printer: &mut Printer) -> Result<ExitStatus> {
    let workflow = NewWorkflow {
        template: &arguments.template,
        input: arguments.input.as_deref().map(|input| read_json("input", input)).transpose()?,
        id: arguments.id.as_deref(),
        key: arguments.key.as_deref(),
        priority: arguments.priority,
        delay: arguments.delay,
        tenant: arguments.tenant.as_deref(),
        tags: arguments.tags.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
    };
    let body = serde_json::to_vec(&workflow)?;
    let accepted = client.post_patiently(PATH, "application/json", &body, printer)?.accepted()?;
    let id = accepted.get("id").and_then(Value::as_str).context("the host gave no id")?;
    let Some(limit) = arguments.wait else {
        printer.item(&accepted, || id.to_owned())?;
        return Ok(ExitStatus::Success);
    };
    let workflow = settled(id, limit.duration(), client, printer)?;
    if show::text(&workflow, "state") == WorkflowState::Succeeded.as_str() {
        printer.json(results(&workflow, client)?)?;
        return Ok(ExitStatus::Success);
    }
    printer.note(shown::verdict(&workflow));
    Ok(ExitStatus::Failure)
}

/// A workflow once nothing more happens in it by itself.
fn settled(id: &str, limit: Duration, client: &Client, printer: &mut Printer) -> Result<Value> {
    let bar = printer.progress(None, "waiting for the workflow to end");
    let deadline = Instant::now() + limit;
    let workflow = loop {
        let left = deadline.saturating_duration_since(Instant::now()).min(WAIT_AT_ONCE);
        let wait = format!("{}ms", left.as_millis());
        let workflow = client.get(&format!("{PATH}/{}", part(id)), &[("wait", &wait)])?.accepted()?;
        let state = show::text(&workflow, "state");
        if state.parse::<WorkflowState>().is_ok_and(WorkflowState::is_settled) {
            break workflow;
        }
        if Instant::now() >= deadline {
            bail!("workflow {id} has not ended: it is {state}; look again with `bulkhead workflow show {id}`");
        }
    };
    bar.finish_and_clear();
    Ok(workflow)
}

/// The results of the steps that no other depends on, by their names.
fn results(workflow: &Value, client: &Client) -> Result<Value> {
    let path = format!("{PATH}/{}/graph", part(&show::text(workflow, "id")));
    let graph = client.get(&path, &[])?.accepted()?;
    let edges: &[Value] = graph.get("edges").and_then(Value::as_array).map_or(&[], Vec::as_slice);
    let mut results = Map::new();
    for step in shown::steps(workflow) {
        let name = show::text(step, "name");
        if !edges.iter().any(|edge| edge.get("from").and_then(Value::as_str) == Some(&name)) {
            results.extend(step.get("result").map(|result| (name, result.clone())));
        }
    }
    Ok(Value::Object(results))
}
