//! How workflows are shown.

use bulkhead_core::Timestamp;
use serde_json::Value;

use super::super::show::{beneath_its_field, text};
use crate::printer::table;

/// The steps of a workflow.
pub(super) fn steps(workflow: &Value) -> &[Value] {
    items(workflow, "steps")
}

fn items<'a>(of: &'a Value, field: &str) -> &'a [Value] {
    of.get(field).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// `namespace/name@version`.
pub(super) fn template(of: &Value) -> String {
    format!("{}/{}@{}", text(of, "namespace"), text(of, "name"), text(of, "version"))
}

/// A workflow with its steps, for people.
pub(super) fn whole(workflow: &Value) -> String {
    let mut lines: Vec<(&str, String)> = vec![("id", text(workflow, "id")), ("template", template(workflow))];
    lines.push(("state", state(workflow)));
    lines.extend(["tenant", "tags", "created_at", "due_by", "settled_at"].map(|field| (field, text(workflow, field))));
    lines.push(("input", text(workflow, "input")));
    let shown = lines.into_iter().filter(|(_, text)| !text.is_empty());
    let fields: Vec<String> = shown.map(|(field, text)| beneath_its_field(&format!("{field:<14}{text}"))).collect();
    let mut parts = vec![fields.join("\n")];
    let columns = ["STEP", "STATE", "REASON", "ATTEMPT", "STARTED", "TOOK", "TASK"];
    parts.push(table(&columns, steps(workflow).iter().map(row)));
    let path = items(workflow, "critical_path");
    if !path.is_empty() {
        let steps = path.iter().map(|part| format!("{} {}", text(part, "step"), millis(part, "took_ms")));
        parts.push(format!("critical path: {}", steps.collect::<Vec<_>>().join(" → ")));
    }
    let slowest = items(workflow, "slowest_attempts");
    if !slowest.is_empty() {
        let rows = slowest.iter().map(|attempt| {
            let [step, number, epoch, end, worker] =
                ["step", "attempt", "epoch", "end", "worker"].map(|field| text(attempt, field));
            vec![step, format!("{number} of epoch {epoch}"), millis(attempt, "ran_ms"), end, worker]
        });
        parts.push(table(&["SLOWEST ATTEMPTS", "ATTEMPT", "RAN", "END", "WORKER"], rows));
    }
    if steps(workflow).iter().any(|step| text(step, "state") == "dead") {
        parts.push(failures(workflow));
    }
    parts.join("\n\n")
}

/// How it stands, with what is not ordinary about it.
fn state(workflow: &Value) -> String {
    let is = |field: &str| workflow.get(field).and_then(Value::as_bool) == Some(true);
    let mut state = text(workflow, "state");
    if is("terminated") {
        state.push_str(", ended early by a step");
    }
    if is("overdue") {
        state.push_str(", took longer than its lifecycle allows");
    }
    state
}

fn row(step: &Value) -> Vec<String> {
    let mut row: Vec<String> =
        ["name", "state", "reason", "attempt", "started_at"].iter().map(|field| text(step, field)).collect();
    row.push(took(step).unwrap_or_default());
    row.push(text(step, "task"));
    row
}

/// From the beginning of the first attempt to the end.
fn took(step: &Value) -> Option<String> {
    let moment = |field: &str| Timestamp::parse(&text(step, field)).ok();
    let (started, ended) = (moment("started_at")?, moment("ended_at")?);
    Some(in_words(u64::try_from(ended.as_millis() - started.as_millis()).unwrap_or(0)))
}

fn millis(of: &Value, field: &str) -> String {
    in_words(of.get(field).and_then(Value::as_u64).unwrap_or(0))
}

/// A duration as short as it may be.
fn in_words(millis: u64) -> String {
    match millis {
        0..=999 => format!("{millis}ms"),
        1_000..=59_999 => format!("{}.{}s", millis / 1_000, millis % 1_000 / 100),
        _ => {
            let seconds = millis / 1_000;
            let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
            if hours == 0 { format!("{minutes}m {seconds}s") } else { format!("{hours}h {minutes}m") }
        }
    }
}

/// The code of the error of a step of whose tasks too many ended badly.
const TASKS_FAILED: &str = "tasks_failed";

/// Each dead step with its error, and how to go on from the first of them.
fn failures(workflow: &Value) -> String {
    let dead: Vec<&Value> = steps(workflow).iter().filter(|step| text(step, "state") == "dead").collect();
    let of_error = |step: &Value, field: &str| step.get("error").map(|error| text(error, field)).unwrap_or_default();
    let line = |step: &&Value| {
        let message = beneath_its_field(&of_error(step, "message"));
        format!("step {} is dead ({}): {message}", text(step, "name"), text(step, "reason"))
    };
    let mut lines: Vec<String> = dead.iter().map(line).collect();
    lines.extend(dead.first().map(|step| {
        let task = text(step, "task");
        if of_error(step, "code") == TASKS_FAILED {
            format!(
                "next: `bulkhead task list --parent {task} --state dead` names its tasks; `bulkhead dlq retry` or \
                 `bulkhead dlq resolve` them, then `bulkhead dlq retry {task}`"
            )
        } else {
            format!(
                "next: mend the cause, then `bulkhead dlq retry {task}`; or go on without it: \
                 `bulkhead dlq resolve {task} --result JSON`"
            )
        }
    }));
    lines.join("\n")
}

/// How a workflow ended that did not end well, or why it does not go on.
pub(super) fn verdict(workflow: &Value) -> String {
    let verdict = format!("workflow {} is {}", text(workflow, "id"), state(workflow));
    let failures = failures(workflow);
    if failures.is_empty() { verdict } else { format!("{verdict}\n{failures}") }
}

#[cfg(test)]
mod tests {
    use super::in_words;

    #[test]
    fn durations_are_told_as_people_tell_them() {
        let told = [0, 999, 1_050, 59_999, 61_000, 3_600_000, 90_000_000].map(in_words);
        assert_eq!(told, ["0ms", "999ms", "1.0s", "59.9s", "1m 1s", "1h 0m", "25h 0m"]);
    }
}
