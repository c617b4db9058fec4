//! The one mouth of the binary: data to standard output, everything else to standard error.

use std::io::{IsTerminal, Write};

use anyhow::Result;
use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use serde_json::Value;

use crate::terminal;

/// The form of what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// For people.
    Table,
    /// One JSON document.
    Json,
    /// One JSON object a line.
    Ndjson,
}

/// Prints data in the form asked for.
#[derive(Debug)]
pub(crate) struct Printer {
    format: OutputFormat,
    /// What is to be one JSON document together.
    gathered: Option<Vec<Value>>,
}

impl Printer {
    pub(crate) fn new(format: OutputFormat) -> Self {
        Self { format, gathered: None }
    }

    /// Makes one JSON document of the items to come, an array, where several are asked for; [`Printer::finish`] prints it.
    pub(crate) fn gather(&mut self, several: bool) {
        if several && self.format == OutputFormat::Json {
            self.gathered.get_or_insert_default();
        }
    }

    /// Prints what was gathered. Whatever the command ended with, that has happened.
    pub(crate) fn finish(&mut self) -> Result<()> {
        self.gathered.take().map_or(Ok(()), |items| self.json(serde_json::to_string_pretty(&items)?))
    }

    /// Whether a person reads it.
    pub(crate) fn is_for_people(&self) -> bool {
        self.format == OutputFormat::Table
    }

    /// Data for people: a line, or several.
    pub(crate) fn line(&mut self, text: impl std::fmt::Display) -> Result<()> {
        Ok(writeln!(std::io::stdout().lock(), "{}", terminal::text(&text.to_string()))?)
    }

    /// Data as JSON, in the form that it has.
    pub(crate) fn json(&mut self, json: impl std::fmt::Display) -> Result<()> {
        Ok(writeln!(std::io::stdout().lock(), "{}", terminal::json(&json.to_string()))?)
    }

    /// One thing: as people read it, or as JSON.
    pub(crate) fn item(&mut self, item: &impl Serialize, for_people: impl FnOnce() -> String) -> Result<()> {
        match self.format {
            OutputFormat::Table => self.line(for_people()),
            OutputFormat::Json => match &mut self.gathered {
                Some(items) => {
                    items.push(serde_json::to_value(item)?);
                    Ok(())
                }
                None => self.json(serde_json::to_string_pretty(item)?),
            },
            OutputFormat::Ndjson => self.json(serde_json::to_string(item)?),
        }
    }

    /// One of things that come one after the other: a line each, for people or as JSON.
    pub(crate) fn row(&mut self, item: &impl Serialize, for_people: impl FnOnce() -> String) -> Result<()> {
        match self.format {
            OutputFormat::Table => self.line(for_people()),
            OutputFormat::Json | OutputFormat::Ndjson => self.json(serde_json::to_string(item)?),
        }
    }

    /// A list of things: a table with these columns, or JSON.
    pub(crate) fn list<T: Serialize>(
        &mut self,
        items: &[T],
        columns: &[&str],
        row: impl Fn(&T) -> Vec<String>,
    ) -> Result<()> {
        match self.format {
            OutputFormat::Table => {
                let rows = items.iter().map(row);
                self.line(table(columns, rows))
            }
            OutputFormat::Json => self.json(serde_json::to_string_pretty(items)?),
            OutputFormat::Ndjson => items.iter().try_for_each(|item| self.json(serde_json::to_string(item)?)),
        }
    }

    /// A word beside the data.
    pub(crate) fn note(&mut self, text: impl std::fmt::Display) {
        // Nothing can be done for somebody who closed standard error.
        let _ = writeln!(std::io::stderr().lock(), "{}", terminal::text(&text.to_string()));
    }

    /// An error with its causes, each said once.
    pub(crate) fn error(&mut self, error: &anyhow::Error) {
        self.note(format_args!("error: {error}"));
        for cause in error.chain().skip(1) {
            self.note(format_args!("  because: {cause}"));
        }
    }

    /// A line that moves, on terminals only.
    pub(crate) fn progress(&self, length: Option<u64>, message: &'static str) -> indicatif::ProgressBar {
        if !std::io::stderr().is_terminal() {
            return indicatif::ProgressBar::hidden();
        }
        let bar = length.map_or_else(indicatif::ProgressBar::new_spinner, indicatif::ProgressBar::new);
        let template = if length.is_some() { "{msg} {wide_bar} {pos}/{len}" } else { "{spinner} {msg} {elapsed}" };
        if let Ok(style) = indicatif::ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(message);
        bar.enable_steady_tick(std::time::Duration::from_millis(100));
        bar
    }
}

/// A table for people, as wide as the terminal at most.
pub(crate) fn table(columns: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_header(columns);
    rows.for_each(|row| {
        table.add_row(row.iter().map(|cell| terminal::text(cell)));
    });
    table.to_string()
}

/// Whether a command ended since nobody reads what it prints; that is no failure.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gathered(format: OutputFormat, several: bool) -> Option<Vec<Value>> {
        let mut printer = Printer::new(format);
        printer.gather(several);
        (1..3).for_each(|number| printer.item(&number, || number.to_string()).expect("it is printed"));
        let gathered = printer.gathered.clone();
        printer.finish().expect("it is printed");
        gathered
    }

    #[test]
    fn several_things_are_one_document_in_json_and_lines_in_the_other_forms() {
        assert_eq!(gathered(OutputFormat::Json, true), Some(vec![1.into(), 2.into()]));
        assert_eq!(gathered(OutputFormat::Json, false), None);
        assert_eq!(gathered(OutputFormat::Ndjson, true), None);
        assert_eq!(gathered(OutputFormat::Table, true), None);
    }
}
