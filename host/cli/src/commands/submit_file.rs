//! `bulkhead submit --file`

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use bulkhead_core::Span;
use serde_json::{Value, json};

use super::show;
use super::wait::ended;
use crate::client::Client;
use crate::exit::ExitStatus;
use crate::printer::Printer;

/// Lines of one request, as many as a host takes: a file of no more is accepted whole or not at all.
const LINES_AT_ONCE: usize = 10_000;

/// Bytes of one request; what a host takes, less what a last line may have.
const BYTES_AT_ONCE: usize = 60 << 20;

/// Submits every line of the file; waits for all of them where it is asked to.
pub(super) fn run(file: &Path, wait: Option<Span>, client: &Client, printer: &mut Printer) -> Result<ExitStatus> {
    let lines = read(file)?;
    let (ids, duplicates) = submit_all(&lines, client, printer)?;
    let Some(limit) = wait else {
        let accepted = ids.len() - duplicates;
        let summary = json!({ "accepted": accepted, "duplicates": duplicates });
        printer.item(&summary, || format!("{accepted} tasks accepted, {duplicates} were there already"))?;
        return Ok(ExitStatus::Success);
    };
    let bar = printer.progress(Some(ids.len() as u64), "waiting");
    let deadline = Instant::now() + limit.duration();
    let mut ends: BTreeMap<String, u64> = BTreeMap::new();
    for id in &ids {
        let task = ended(id, deadline, client)?;
        let end = [show::text(&task, "state"), show::text(&task, "reason")].join(" ");
        *ends.entry(end.trim_end().to_owned()).or_default() += 1;
        bar.inc(1);
    }
    bar.finish_and_clear();
    let all_well = ends.keys().all(|end| end == "succeeded");
    printer.item(&json!({ "tasks": ids.len(), "ends": ends }), || {
        let ends: Vec<String> = ends.iter().map(|(end, count)| format!("{count:>8}  {end}")).collect();
        format!("{:>8}  tasks\n{}", ids.len(), ends.join("\n"))
    })?;
    Ok(if all_well { ExitStatus::Success } else { ExitStatus::Failure })
}

fn read(file: &Path) -> Result<Vec<String>> {
    let failed = || format!("cannot read `{}`", file.display());
    let input: Box<dyn Read> = if file == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(file).with_context(failed)?)
    };
    BufReader::new(input).lines().collect::<std::io::Result<_>>().with_context(failed)
}

/// Submits them in as few requests as there can be; gives their ids and how many were there already.
fn submit_all(lines: &[String], client: &Client, printer: &mut Printer) -> Result<(Vec<String>, usize)> {
    let bar = printer.progress(Some(lines.len() as u64), "submitting");
    let (mut ids, mut duplicates, mut first) = (Vec::with_capacity(lines.len()), 0, 0);
    while first < lines.len() {
        let chunk = &lines[first..first + chunk_length(&lines[first..])];
        let body = chunk.join("\n");
        if !body.trim().is_empty() {
            let answer = client.post_patiently("/v1/tasks", "application/x-ndjson", body.as_bytes(), printer)?;
            // The host counts lines from the start of the request.
            let line = answer.body.get("line").and_then(Value::as_u64);
            let answer = answer.accepted().with_context(|| refused(first, line))?;
            let accepted = answer.get("ids").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            ids.extend(accepted.iter().filter_map(Value::as_str).map(str::to_owned));
            duplicates += answer.get("duplicates").and_then(Value::as_array).map_or(0, Vec::len);
        }
        first += chunk.len();
        bar.set_position(first as u64);
    }
    bar.finish_and_clear();
    Ok((ids, duplicates))
}

/// How many of these lines go into one request.
fn chunk_length(lines: &[String]) -> usize {
    let mut bytes = 0;
    let fitting = lines.iter().take(LINES_AT_ONCE).take_while(|line| {
        bytes += line.len() + 1;
        bytes <= BYTES_AT_ONCE
    });
    fitting.count().max(1)
}

fn refused(first: usize, line: Option<u64>) -> String {
    let before = match first {
        0 => "nothing of the file was accepted".to_owned(),
        _ => format!("the {first} lines before were accepted, nothing from line {} on", first + 1),
    };
    match line {
        Some(line) => format!("line {} of the file is refused; {before}", first as u64 + line),
        None => before,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_at_most_so_many_lines_and_bytes_and_at_least_one_line() {
        assert_eq!(chunk_length(&vec!["x".to_owned(); 10_001]), 10_000);
        assert_eq!(chunk_length(&["x".repeat(40 << 20), "x".repeat(40 << 20)]), 1);
        assert_eq!(chunk_length(&["x".repeat(70 << 20)]), 1);
        assert_eq!(chunk_length(&["a".to_owned(), "b".to_owned()]), 2);
    }

    #[test]
    fn a_refusal_says_what_was_accepted() {
        assert_eq!(refused(0, Some(7)), "line 7 of the file is refused; nothing of the file was accepted");
        assert!(refused(10_000, Some(7)).starts_with("line 10007 of the file is refused; the 10000 lines before"));
    }
}
