//! `bulkhead dlq`

use anyhow::Result;
use serde_json::{Value, json};

use super::task::{each, list, payload_body, show_one};
use crate::arguments::DlqCommand;
use crate::client::Client;
use crate::exit::ExitStatus;
use crate::printer::Printer;

pub(super) fn run(command: DlqCommand, client: &Client, printer: &mut Printer) -> Result<ExitStatus> {
    match command {
        DlqCommand::List { reason, list: arguments } => {
            let query = [("state", "dead"), ("reason", reason.as_deref().unwrap_or_default())];
            list(client, "/v1/tasks", &query, &arguments, printer)
        }
        DlqCommand::Show { id } => show_one(client, "/v1/dlq", &id, printer),
        DlqCommand::Retry { ids, all: false, kind: None, reason: None } => {
            each(client, &ids, "/v1/dlq", "retry", "", printer)
        }
        DlqCommand::Resolve { ids, result } => {
            each(client, &ids, "/v1/dlq", "resolve", &payload_body("result", &result)?, printer)
        }
        DlqCommand::Retry { kind, reason, .. } => retry_matching(client, kind.as_deref(), reason.as_deref(), printer),
    }
}

/// Retries everything that matches now, a thousand at a time.
fn retry_matching(
    client: &Client,
    kind: Option<&str>,
    reason: Option<&str>,
    printer: &mut Printer,
) -> Result<ExitStatus> {
    let query: Vec<(&str, &str)> =
        kind.map(|kind| ("kind", kind)).into_iter().chain(reason.map(|reason| ("reason", reason))).collect();
    let mut retried = 0;
    loop {
        let answer = client.post("/v1/dlq/retry", &query, "application/json", b"")?.accepted()?;
        let now = answer.get("retried").and_then(Value::as_u64).unwrap_or(0);
        retried += now;
        if now == 0 || answer.get("more").and_then(Value::as_bool) != Some(true) {
            break;
        }
    }
    printer.item(&json!({ "retried": retried }), || format!("{retried} dead letters are ready again"))?;
    Ok(ExitStatus::Success)
}
