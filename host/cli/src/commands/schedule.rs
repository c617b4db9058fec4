//! `bulkhead schedule`

use anyhow::{Context, Result};
use bulkhead_core::{JsonText, MAX_JSON_DEPTH, Span};
use serde::Serialize;
use serde_json::Value;

use super::{read_payload, show};
use crate::arguments::{AddArguments, ScheduleCommand};
use crate::client::{Answer, Client, part};
use crate::exit::ExitStatus;
use crate::printer::Printer;

/// What a host is asked to add. The payload goes as it was typed, byte for byte.
#[derive(Debug, Serialize)]
struct NewSchedule<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cron: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    every: Option<Span>,
    task: Task<'a>,
    missed: &'a str,
    overlap: &'a str,
    paused: bool,
}

#[derive(Debug, Serialize)]
struct Task<'a> {
    kind: &'a str,
    payload: JsonText,
    requires: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<i64>,
}

pub(super) fn run(command: ScheduleCommand, client: &Client, printer: &mut Printer) -> Result<ExitStatus> {
    match command {
        ScheduleCommand::Add(arguments) => add(&arguments, client, printer),
        ScheduleCommand::List => list(client, printer),
        ScheduleCommand::Show { name } => {
            let schedule = client.get(&path(&name), &[])?.accepted()?;
            printer.item(&schedule, || whole(&schedule))?;
            Ok(ExitStatus::Success)
        }
        ScheduleCommand::Pause { names } => each(&names, printer, |path| post(client, &format!("{path}/pause"))),
        ScheduleCommand::Resume { names } => each(&names, printer, |path| post(client, &format!("{path}/resume"))),
        ScheduleCommand::Remove { names } => each(&names, printer, |path| client.delete(path)),
    }
}

fn path(name: &str) -> String {
    format!("/v1/schedules/{}", part(name))
}

fn post(client: &Client, path: &str) -> Result<Answer> {
    client.post(path, &[], "application/json", b"")
}

fn add(arguments: &AddArguments, client: &Client, printer: &mut Printer) -> Result<ExitStatus> {
    let payload = read_payload(arguments.payload.as_deref().unwrap_or("null"))?;
    let payload = JsonText::parse(payload.trim(), usize::MAX)
        .with_context(|| format!("the payload is refused (JSON, nested at most {MAX_JSON_DEPTH} deep)"))?;
    let AddArguments { kind, requires, priority, .. } = arguments;
    let schedule = NewSchedule {
        name: &arguments.name,
        cron: arguments.cron.as_deref(),
        time_zone: arguments.time_zone.as_deref(),
        every: arguments.every,
        task: Task { kind, payload, requires, priority: *priority },
        missed: &arguments.missed,
        overlap: &arguments.overlap,
        paused: arguments.paused,
    };
    let body = serde_json::to_vec(&schedule)?;
    let query: &[(&str, &str)] = if arguments.replace { &[("replace", "true")] } else { &[] };
    let added = client.post("/v1/schedules", query, "application/json", &body)?.accepted()?;
    printer.item(&added, || summary(&added))?;
    Ok(ExitStatus::Success)
}

fn list(client: &Client, printer: &mut Printer) -> Result<ExitStatus> {
    let answer = client.get("/v1/schedules", &[])?.accepted()?;
    let empty = Vec::new();
    let items = answer.get("items").and_then(Value::as_array).unwrap_or(&empty);
    printer.list(items, &["NAME", "WHEN", "KIND", "NEXT", "LAST", "BECAME", "RUNNING"], |item| {
        let last = item.get("last").cloned().unwrap_or_default();
        vec![
            show::text(item, "name"),
            when(item),
            show::text(item, "kind"),
            next(item),
            show::text(&last, "tick"),
            became(&last),
            show::text(item, "running"),
        ]
    })?;
    Ok(ExitStatus::Success)
}

/// Asks the same of each schedule; one that is refused does not keep the others from it.
fn each(names: &[String], printer: &mut Printer, ask: impl Fn(&str) -> Result<Answer>) -> Result<ExitStatus> {
    printer.gather(names.len() > 1);
    let mut status = ExitStatus::Success;
    for name in names {
        match ask(&path(name))?.accepted() {
            Ok(answer) => printer.item(&answer, || summary(&answer))?,
            Err(error) => {
                printer.error(&error);
                status = ExitStatus::Failure;
            }
        }
    }
    Ok(status)
}

/// One line about a schedule that was just changed.
fn summary(schedule: &Value) -> String {
    let name = show::text(schedule, "name");
    match schedule.get("next_tick") {
        None => format!("{name} removed"),
        Some(Value::Null) => format!("{name} {}", next(schedule)),
        Some(_) => format!("{name} ticks next at {}", next(schedule)),
    }
}

/// When it ticks, in the words it was written in.
fn when(schedule: &Value) -> String {
    let [cron, zone, every] = ["cron", "time_zone", "every"].map(|field| show::text(schedule, field));
    match (cron.is_empty(), zone.is_empty()) {
        (true, _) => format!("every {every}"),
        (false, true) => cron,
        (false, false) => format!("{cron} {zone}"),
    }
}

/// Its next tick, or why there is none.
fn next(schedule: &Value) -> String {
    match schedule.get("paused").and_then(Value::as_bool) {
        Some(true) => "paused".to_owned(),
        _ => show::text(schedule, "next_tick"),
    }
}

/// What became of a tick.
fn became(last: &Value) -> String {
    let [became, reason, task] = ["became", "reason", "task"].map(|field| show::text(last, field));
    match became.as_str() {
        "skipped" => format!("skipped: {reason}"),
        "task" => task,
        _ => became,
    }
}

/// A schedule, for people.
fn whole(schedule: &Value) -> String {
    let task = schedule.get("task").cloned().unwrap_or_default();
    let mut lines = vec![("name", show::text(schedule, "name")), ("when", when(schedule))];
    let of_task = ["kind", "requires", "priority", "payload", "tenant"];
    lines.extend(of_task.map(|field| (field, show::text(&task, field))));
    lines.extend(["missed", "overlap", "made_at"].map(|field| (field, show::text(schedule, field))));
    lines.push(("next_tick", next(schedule)));
    lines.push(("waiting", show::text(schedule, "waiting")));
    if let Some(last) = schedule.get("last").filter(|last| !last.is_null()) {
        lines.push(("last_tick", show::text(last, "tick")));
        lines.push(("became", became(last)));
    }
    lines.push(("running", show::text(schedule, "running")));
    let shown = lines.into_iter().filter(|(_, text)| !text.is_empty());
    shown.map(|(field, text)| format!("{field:<14}{text}")).collect::<Vec<_>>().join("\n")
}
