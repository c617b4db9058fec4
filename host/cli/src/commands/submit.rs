//! `bulkhead submit`

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bulkhead_core::{JsonText, MAX_JSON_DEPTH};
use serde_json::{Map, Value, json};

use super::{read_payload, show};
use crate::arguments::SubmitArguments;
use crate::client::Client;
use crate::exit::ExitStatus;
use crate::printer::Printer;

/// Lines of one request; a fraction of what a host takes, so that the progress line moves.
const LINES_AT_ONCE: usize = 1_000;

/// The longest that one request waits.
const WAIT_AT_ONCE: Duration = Duration::from_secs(30);

pub(super) fn run(arguments: SubmitArguments, client: &Client, printer: &mut Printer) -> Result<ExitStatus> {
    match &arguments.file {
        Some(file) => submit_file(file, client, printer),
        None => submit_one(&arguments, client, printer),
    }
}

fn submit_one(arguments: &SubmitArguments, client: &Client, printer: &mut Printer) -> Result<ExitStatus> {
    let payload = read_payload(arguments.payload.as_deref().unwrap_or("null"))?;
    let payload = JsonText::parse(payload.trim(), usize::MAX)
        .with_context(|| format!("the payload is refused (JSON, nested at most {MAX_JSON_DEPTH} deep)"))?;
    let mut fields = Map::new();
    let mut set = |name: &str, value: Option<Value>| value.map(|value| fields.insert(name.to_owned(), value));
    set("kind", arguments.kind.as_ref().map(|kind| json!(kind)));
    set("id", arguments.id.as_ref().map(|id| json!(id)));
    set("key", arguments.key.as_ref().map(|key| json!(key)));
    set("priority", arguments.priority.map(|priority| json!(priority)));
    set("delay", arguments.delay.map(|delay| json!(delay)));
    set("requires", (!arguments.requires.is_empty()).then(|| json!(arguments.requires)));
    // The payload goes as it was typed, byte for byte.
    let fields = serde_json::to_string(&fields)?;
    let body = format!("{},\"payload\":{payload}}}", fields.trim_end_matches('}'));
    let accepted = client.post("/v1/tasks", &[], "application/json", body.as_bytes())?.accepted()?;
    let id = accepted.get("id").and_then(Value::as_str).context("the host gave no id")?;
    let Some(limit) = arguments.wait else {
        printer.item(&accepted, || id.to_owned())?;
        return Ok(ExitStatus::Success);
    };
    let task = wait(id, limit.duration(), client, printer)?;
    show::result(&task, printer)
}

/// Waits for a task to end.
fn wait(id: &str, limit: Duration, client: &Client, printer: &mut Printer) -> Result<Value> {
    let bar = printer.progress(None, "waiting for the task to end");
    let deadline = Instant::now() + limit;
    loop {
        let left = deadline.saturating_duration_since(Instant::now()).min(WAIT_AT_ONCE);
        let wait = format!("{}ms", left.as_millis());
        let task = client.get(&format!("/v1/tasks/{id}"), &[("wait", &wait)])?.accepted()?;
        if show::has_ended(&task) {
            bar.finish_and_clear();
            return Ok(task);
        }
        if Instant::now() >= deadline {
            bar.finish_and_clear();
            let state = task.get("state").and_then(Value::as_str).unwrap_or("?");
            bail!("task {id} has not ended: it is {state}; look again with `bulkhead task show {id}`");
        }
    }
}

fn submit_file(file: &Path, client: &Client, printer: &mut Printer) -> Result<ExitStatus> {
    let input: Box<dyn Read> = if file == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(file).with_context(|| format!("cannot read `{}`", file.display()))?)
    };
    let lines: Vec<String> = BufReader::new(input)
        .lines()
        .collect::<std::io::Result<_>>()
        .with_context(|| format!("cannot read `{}`", file.display()))?;
    let bar = printer.progress(Some(lines.len() as u64), "submitting");
    let (mut accepted, mut duplicates) = (0, 0);
    for (index, chunk) in lines.chunks(LINES_AT_ONCE).enumerate() {
        let first = index * LINES_AT_ONCE;
        let body = chunk.join("\n");
        if body.trim().is_empty() {
            continue;
        }
        let answer = client.post("/v1/tasks", &[], "application/x-ndjson", body.as_bytes())?;
        // The host counts lines from the start of the chunk.
        let line = answer.body.get("line").and_then(Value::as_u64);
        let answer = answer.accepted().with_context(|| match line {
            Some(line) => format!(
                "line {} of the file is refused; the {first} lines before it were accepted, nothing from line {} on",
                first as u64 + line,
                first + 1
            ),
            None => format!("the first {first} lines were accepted, the rest was not"),
        })?;
        accepted += answer.get("accepted").and_then(Value::as_u64).unwrap_or(0);
        duplicates += answer.get("duplicates").and_then(Value::as_array).map_or(0, Vec::len);
        bar.inc(chunk.len() as u64);
    }
    bar.finish_and_clear();
    let summary = json!({ "accepted": accepted, "duplicates": duplicates });
    printer.item(&summary, || format!("{accepted} tasks accepted, {duplicates} were there already"))?;
    Ok(ExitStatus::Success)
}
