//! `bulkhead dlq`

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

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
        DlqCommand::Export { kind, reason } => export(client, &matching(kind.as_deref(), reason.as_deref()), printer),
        DlqCommand::Purge { older_than, kind, reason } => {
            // The host counts it back: the clock here may be another.
            let older_than = older_than.to_string();
            let mut query = matching(kind.as_deref(), reason.as_deref());
            query.push(("older_than", &older_than));
            let (purged, kept) = each_page(client, "/v1/dlq/purge", &query, "purged", None)?;
            printer.item(&json!({ "purged": purged, "kept": kept }), || {
                let kept = match kept {
                    0 => String::new(),
                    kept => format!(", {kept} are kept: a child goes only after the task that spawned it"),
                };
                format!("{purged} dead letters are removed{kept}")
            })?;
            Ok(ExitStatus::Success)
        }
        DlqCommand::Resolve { ids, result } => {
            each(client, &ids, "/v1/dlq", "resolve", &payload_body("result", &result)?, printer)
        }
        DlqCommand::Retry { ids, all: false, kind: None, reason: None, .. } => {
            each(client, &ids, "/v1/dlq", "retry", "", printer)
        }
        DlqCommand::Retry { kind, reason, rate, .. } => {
            let query = matching(kind.as_deref(), reason.as_deref());
            let (retried, _) = each_page(client, "/v1/dlq/retry", &query, "retried", rate)?;
            printer.item(&json!({ "retried": retried }), || format!("{retried} dead letters are ready again"))?;
            Ok(ExitStatus::Success)
        }
    }
}

/// Which dead letters are meant.
fn matching<'a>(kind: Option<&'a str>, reason: Option<&'a str>) -> Vec<(&'a str, &'a str)> {
    kind.map(|kind| ("kind", kind)).into_iter().chain(reason.map(|reason| ("reason", reason))).collect()
}

/// Does something to everything that matches now, a page at a time; with a rate, a page each second.
fn each_page(
    client: &Client,
    path: &str,
    query: &[(&str, &str)],
    done: &str,
    rate: Option<NonZeroU32>,
) -> Result<(u64, u64)> {
    let limit = rate.map(|rate| rate.get().min(1_000).to_string());
    let (mut sum, mut kept, mut cursor) = (0, 0, None::<String>);
    loop {
        let began = Instant::now();
        // From page to page, so that one that dies again at once is not met again.
        let page = [("limit", limit.as_deref()), ("cursor", cursor.as_deref())];
        let page = page.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let query: Vec<(&str, &str)> = query.iter().copied().chain(page).collect();
        let answer = client.post(path, &query, "application/json", b"")?.accepted()?;
        sum += answer.get(done).and_then(Value::as_u64).unwrap_or(0);
        kept += answer.get("kept").and_then(Value::as_u64).unwrap_or(0);
        cursor = answer.get("next").and_then(Value::as_str).map(str::to_owned);
        if cursor.is_none() {
            return Ok((sum, kept));
        }
        if rate.is_some() {
            std::thread::sleep(Duration::from_secs(1).saturating_sub(began.elapsed()));
        }
    }
}

/// Writes every line as the host sends it.
fn export(client: &Client, query: &[(&str, &str)], printer: &mut Printer) -> Result<ExitStatus> {
    client.get_lines("/v1/dlq/export", query, &mut |line| printer.json(line))?;
    Ok(ExitStatus::Success)
}
