//! `bulkhead task`

use anyhow::Result;
use serde_json::Value;

use super::{read_json, show};
use crate::arguments::{ListArguments, TaskCommand, Which};
use crate::client::{Client, part};
use crate::exit::ExitStatus;
use crate::printer::Printer;

pub(super) fn run(command: TaskCommand, client: &Client, printer: &mut Printer) -> Result<ExitStatus> {
    match command {
        TaskCommand::List { state, list } => self::list(client, "/v1/tasks", &[("state", &state)], &list, printer),
        TaskCommand::Show { id } => show_one(client, "/v1/tasks", &id, printer),
        TaskCommand::Logs { id } => logs(client, &id, printer),
        TaskCommand::Audit { id } => {
            let answer = client.get(&format!("/v1/tasks/{}/audit", part(&id)), &[])?.accepted()?;
            let entries = answer.get("items").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            let columns = ["AT", "EPOCH", "ATTEMPT", "STAGE", "CODE", "DETAILS"];
            printer.list(entries, &columns, |entry| {
                ["at", "epoch", "attempt", "stage", "code", "details"]
                    .iter()
                    .map(|field| show::text(entry, field))
                    .collect()
            })?;
            Ok(ExitStatus::Success)
        }
        TaskCommand::Cancel { ids } => each(client, &ids, "/v1/tasks", "cancel", "", printer),
        TaskCommand::Retry { ids } => each(client, &ids, "/v1/tasks", "retry", "", printer),
        TaskCommand::Pause { which } => hold(client, &which, "pause", "", printer),
        TaskCommand::Resume { which, payload } => {
            let body = payload.as_deref().map(|payload| payload_body("payload", payload)).transpose()?;
            hold(client, &which, "resume", &body.unwrap_or_default(), printer)
        }
    }
}

/// Every line of every run: as people read logs, or as JSON.
fn logs(client: &Client, id: &str, printer: &mut Printer) -> Result<ExitStatus> {
    let mut after = 0.to_string();
    loop {
        let answer = client.get(&format!("/v1/tasks/{}/logs", part(id)), &[("after", &after)])?.accepted()?;
        printer.gather(true);
        for run in answer.get("items").and_then(Value::as_array).into_iter().flatten() {
            for line in lines(run) {
                printer.item(&line, || {
                    let [epoch, attempt, stage, at, level, message, fields] =
                        ["epoch", "attempt", "stage", "at", "level", "message", "fields"]
                            .map(|field| show::text(&line, field));
                    let fields = if fields == "{}" { String::new() } else { format!(" {fields}") };
                    format!("{at} {epoch}.{attempt}.{stage} {level:<5} {message}{fields}")
                })?;
            }
        }
        match answer.get("next").and_then(Value::as_i64) {
            Some(next) => after = next.to_string(),
            None => return Ok(ExitStatus::Success),
        }
    }
}

/// The lines of one run, each with which run it was.
fn lines(run: &Value) -> impl Iterator<Item = Value> {
    run.get("lines").and_then(Value::as_array).into_iter().flatten().map(|line| {
        let mut line = line.clone();
        for field in ["epoch", "attempt", "stage"] {
            if let (Some(members), Some(of_run)) = (line.as_object_mut(), run.get(field)) {
                members.insert(field.to_owned(), of_run.clone());
            }
        }
        line
    })
}

/// A body with one member of JSON as it was typed.
pub(super) fn payload_body(member: &str, typed: &str) -> Result<String> {
    Ok(format!("{{\"{member}\":{}}}", read_json(member, typed)?.as_str()))
}

/// Pauses or resumes tasks, or a part of the queue.
fn hold(client: &Client, which: &Which, verb: &str, body: &str, printer: &mut Printer) -> Result<ExitStatus> {
    if !which.ids.is_empty() {
        return each(client, &which.ids, "/v1/tasks", verb, body, printer);
    }
    let query: Vec<(&str, &str)> = which.kind.as_deref().map(|kind| ("kind", kind)).into_iter().collect();
    let answer = client.post(&format!("/v1/queue/{verb}"), &query, "application/json", b"")?.accepted()?;
    printer.item(&answer, || {
        let kinds = show::text(&answer, "paused_kinds");
        match answer.get("paused").and_then(Value::as_bool) {
            Some(true) => "the queue is paused".to_owned(),
            _ if kinds.is_empty() => "nothing is paused".to_owned(),
            _ => format!("paused kinds: {kinds}"),
        }
    })?;
    Ok(ExitStatus::Success)
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
    let tags = Value::from_iter(list.tags.iter().cloned()).to_string();
    let mut all: Vec<(&str, &str)> = query.iter().copied().filter(|(_, value)| !value.is_empty()).collect();
    all.push(("limit", &limit));
    all.extend(list.kind.as_deref().map(|kind| ("kind", kind)));
    all.extend(list.parent.as_deref().map(|parent| ("parent", parent)));
    all.extend(list.tenant.as_deref().map(|tenant| ("tenant", tenant)));
    all.extend((!list.tags.is_empty()).then_some(("tags", tags.as_str())));
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
    body: &str,
    printer: &mut Printer,
) -> Result<ExitStatus> {
    printer.gather(ids.len() > 1);
    let mut status = ExitStatus::Success;
    for id in ids {
        match client.post(&format!("{path}/{}/{verb}", part(id)), &[], "application/json", body.as_bytes())?.accepted()
        {
            Ok(answer) => {
                let underway = ["cancelling", "pausing"].into_iter().find(|what| answer.get(*what).is_some());
                let state = underway.map_or_else(|| show::text(&answer, "state"), str::to_owned);
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_of_a_log_says_which_run_wrote_it() {
        let run = json!({ "epoch": 2, "attempt": 3, "stage": 1, "lines": [{ "message": "a" }, { "message": "b" }] });
        let expected = ["a", "b"].map(|text| json!({ "message": text, "epoch": 2, "attempt": 3, "stage": 1 }));
        assert_eq!(lines(&run).collect::<Vec<_>>(), expected);
        assert_eq!(lines(&json!({})).count(), 0);
    }
}
