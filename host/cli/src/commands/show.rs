//! How tasks are shown.

use anyhow::Result;
use serde_json::Value;

use crate::exit::ExitStatus;
use crate::printer::Printer;

/// A field as text; empty where it is absent.
pub(super) fn text(item: &Value, field: &str) -> String {
    match item.get(field) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
            .collect::<Vec<_>>()
            .join(" "),
        Some(value) => value.to_string(),
    }
}

/// Whether nothing more happens to a task by itself.
pub(super) fn has_ended(task: &Value) -> bool {
    bulkhead_core::State::parse(&text(task, "state")).is_ok_and(bulkhead_core::State::is_ended)
}

/// The columns of a list of tasks.
pub(super) const COLUMNS: [&str; 6] = ["ID", "KIND", "STATE", "REASON", "ATTEMPT", "CREATED"];

/// A row of a list of tasks.
pub(super) fn row(task: &Value) -> Vec<String> {
    ["id", "kind", "state", "reason", "attempt", "created_at"].iter().map(|field| text(task, field)).collect()
}

/// A task with its attempts, for people.
pub(super) fn whole(task: &Value) -> String {
    let mut lines = Vec::new();
    let fields = [
        "id",
        "kind",
        "state",
        "reason",
        "requires",
        "priority",
        "attempt",
        "max_attempts",
        "stage",
        "epoch",
        "parent",
        "tenant",
        "created_at",
        "run_at",
        "ended_at",
        "payload",
        "result",
        "metadata",
    ];
    for field in fields {
        let text = text(task, field);
        if !text.is_empty() {
            lines.push(format!("{field:<14}{text}"));
        }
    }
    if let Some(error) = task.get("error").filter(|error| !error.is_null()) {
        lines.push(format!(
            "{:<14}{} ({}): {}",
            "error",
            text(error, "code"),
            text(error, "reason"),
            text(error, "message")
        ));
        if let Some(backtrace) = error.pointer("/details/backtrace").and_then(Value::as_str) {
            lines.push(format!("{:<14}{}", "backtrace", backtrace.trim_end()));
        }
    }
    if let Some(progress) = task.get("progress") {
        let [stage, text, fraction] = ["stage", "text", "fraction"].map(|field| self::text(progress, field));
        lines.push(format!("{:<14}{stage} {fraction} {text}", "progress"));
    }
    if let Some(workflow) = task.get("workflow") {
        let [id, template, step] = ["id", "template", "step"].map(|field| text(workflow, field));
        lines.push(format!("{:<14}{step} of workflow {id} ({template})", "step"));
    }
    if let Some(waits) = task.get("waits") {
        lines.extend(waiting(waits));
    }
    for attempt in task.get("attempts").and_then(Value::as_array).into_iter().flatten() {
        let mut line = format!(
            "{:<14}{} of epoch {}: {} by {} on {} from {} to {}, {} fuel, {} bytes at most",
            "attempt",
            text(attempt, "number"),
            text(attempt, "epoch"),
            text(attempt, "end"),
            text(attempt, "handler"),
            text(attempt, "worker"),
            text(attempt, "started_at"),
            text(attempt, "ended_at"),
            text(attempt, "fuel"),
            text(attempt, "peak_memory"),
        );
        if let Some(error) = attempt.get("error").filter(|error| !error.is_null()) {
            line.push_str(&format!(": {}", text(error, "message")));
        }
        lines.push(line);
    }
    lines.iter().map(|line| beneath_its_field(line)).collect::<Vec<_>>().join("\n")
}

/// A field whose text has several lines: those after the first are indented, so that none of them looks like a field.
pub(super) fn beneath_its_field(text: &str) -> String {
    text.replace('\n', "\n              ")
}

/// What a suspended task waits for.
fn waiting(waits: &Value) -> Vec<String> {
    let children = waits.get("children").map(|children| {
        let [ended, total, well] = ["ended", "total", "succeeded"].map(|field| text(children, field));
        format!("{ended} of {total} children have ended, {well} of them well")
    });
    let fields = ["since", "until", "stale_at", "reason", "metadata"];
    let said = fields.into_iter().map(|field| (field, text(waits, field))).filter(|(_, text)| !text.is_empty());
    let line = |what: &str, text: &str| format!("{:<14}{text}", format!("{what} "));
    children.iter().map(|text| line("waits for", text)).chain(said.map(|(field, text)| line(field, &text))).collect()
}

/// The result of a task that ended well; else its error, and a status that says so.
pub(super) fn result(task: &Value, printer: &mut Printer) -> Result<ExitStatus> {
    if text(task, "state") == "succeeded" {
        printer.json(task.get("result").unwrap_or(&Value::Null))?;
        return Ok(ExitStatus::Success);
    }
    let error = task.get("error").cloned().unwrap_or_default();
    printer.note(format_args!(
        "task {} is {} ({}): {}",
        text(task, "id"),
        text(task, "state"),
        text(task, "reason"),
        text(&error, "message")
    ));
    Ok(ExitStatus::Failure)
}
