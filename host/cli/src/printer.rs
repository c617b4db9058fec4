//! The one mouth of the binary: data to standard output, everything else to standard error.

use std::io::{IsTerminal, Write};

use anyhow::Result;
use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

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
}

impl Printer {
    pub(crate) fn new(format: OutputFormat) -> Self {
        Self { format }
    }

    /// Whether a person reads it.
    pub(crate) fn is_for_people(&self) -> bool {
        self.format == OutputFormat::Table
    }

    /// One line of data.
    pub(crate) fn line(&mut self, text: impl std::fmt::Display) -> Result<()> {
        Ok(writeln!(std::io::stdout().lock(), "{text}")?)
    }

    /// One thing: as people read it, or as JSON.
    pub(crate) fn item(&mut self, item: &impl Serialize, for_people: impl FnOnce() -> String) -> Result<()> {
        match self.format {
            OutputFormat::Table => self.line(for_people()),
            OutputFormat::Json => self.line(serde_json::to_string_pretty(item)?),
            OutputFormat::Ndjson => self.line(serde_json::to_string(item)?),
        }
    }

    /// One of things that come one after the other: a line each, for people or as JSON.
    pub(crate) fn row(&mut self, item: &impl Serialize, for_people: impl FnOnce() -> String) -> Result<()> {
        match self.format {
            OutputFormat::Table => self.line(for_people()),
            OutputFormat::Json | OutputFormat::Ndjson => self.line(serde_json::to_string(item)?),
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
            OutputFormat::Json => self.line(serde_json::to_string_pretty(items)?),
            OutputFormat::Ndjson => items.iter().try_for_each(|item| self.line(serde_json::to_string(item)?)),
        }
    }

    /// A word beside the data.
    pub(crate) fn note(&mut self, text: impl std::fmt::Display) {
        // Nothing can be done for somebody who closed standard error.
        let _ = writeln!(std::io::stderr().lock(), "{text}");
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
        table.add_row(row);
    });
    table.to_string()
}

/// Whether a command ended since nobody reads what it prints; that is no failure.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    })
}
