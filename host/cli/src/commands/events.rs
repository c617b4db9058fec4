//! `bulkhead events`

use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use super::show;
use crate::arguments::EventsArguments;
use crate::client::Client;
use crate::exit::ExitStatus;
use crate::printer::{Printer, is_broken_pipe};

/// How long a stream that has ended is left alone before it is asked for again.
const AGAIN: Duration = Duration::from_secs(1);

/// Follows the stream for as long as somebody reads; where it breaks off, it goes on after the last event that was kept.
pub(super) fn run(arguments: &EventsArguments, client: &Client, printer: &mut Printer) -> Result<ExitStatus> {
    let mut after = arguments.after.map(|number| number.to_string());
    let mut was_there = false;
    loop {
        let mut query: Vec<(&str, &str)> = Vec::new();
        let EventsArguments { types, kind, task, tenant, .. } = arguments;
        for (name, value) in [("type", types), ("kind", kind), ("task", task), ("tenant", tenant)] {
            query.extend(value.as_deref().map(|value| (name, value)));
        }
        let from = after.clone();
        query.extend(from.as_deref().map(|number| ("after", number)));
        let mut reading = Reading::default();
        let mut unprinted = false;
        let read = client.get_lines("/v1/events", &query, &mut |line| {
            was_there = true;
            if let Some(message) = reading.line(line)
                && let Err(error) = print(&message, printer)
            {
                unprinted = true;
                return Err(error);
            }
            if let Some(id) = reading.id.take() {
                after = Some(id);
            }
            Ok(())
        });
        match read {
            // What was printed could not be: nobody reads, or the disk is full.
            Err(error) if unprinted || is_broken_pipe(&error) => return Err(error),
            // A host that never answered is not waited for.
            Err(error) if !was_there => return Err(error),
            Err(error) => printer.note(format_args!("the stream broke off; it is asked for again: {error:#}")),
            Ok(()) => printer.note("the host has ended the stream; it is asked for again"),
        }
        std::thread::sleep(AGAIN);
    }
}

/// A message of the stream.
struct Message {
    event: String,
    data: String,
}

/// A message that is being read, line by line.
#[derive(Default)]
struct Reading {
    id: Option<String>,
    event: String,
    data: String,
}

impl Reading {
    /// Takes one more line; gives a message that ends with it.
    fn line(&mut self, line: &str) -> Option<Message> {
        if line.is_empty() {
            let message = Message { event: std::mem::take(&mut self.event), data: std::mem::take(&mut self.data) };
            return Some(message).filter(|message| !message.data.is_empty());
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => self.id = Some(value.to_owned()),
            "event" => value.clone_into(&mut self.event),
            "data" => self.data.push_str(value),
            _ => {}
        }
        None
    }
}

fn print(message: &Message, printer: &mut Printer) -> Result<()> {
    let event: Value = serde_json::from_str(&message.data)?;
    if message.event == "missed" {
        printer.note(format_args!("events are missing: {event}"));
        return Ok(());
    }
    printer.row(&event, || {
        let data = event.get("data").cloned().unwrap_or_default();
        let mut parts = vec![show::text(&event, "timestamp"), format!("{:<15}", show::text(&event, "type"))];
        parts.extend(["task", "kind", "attempt", "worker", "reason"].map(|field| show::text(&data, field)));
        parts.retain(|part| !part.is_empty());
        parts.join(" ")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_line_by_line() {
        let mut reading = Reading::default();
        let mut messages = Vec::new();
        for line in ": hello\nid: 7\n\nevent: task.dead\ndata: {\"a\":\ndata: 1}\nid: 8\n\n:\n\n".lines() {
            messages.extend(reading.line(line).map(|message| (message.event, message.data)));
        }
        assert_eq!(messages, [("task.dead".to_owned(), "{\"a\":1}".to_owned())]);
        assert_eq!(reading.id.as_deref(), Some("8"));
    }
}
