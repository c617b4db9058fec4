//! `bulkhead schedule`

use bulkhead_core::Span;
use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum ScheduleCommand {
    /// Adds a schedule; one that is there already, written the same, stays as it is.
    Add(Box<AddArguments>),
    /// Lists schedules by name.
    List,
    /// Shows one schedule.
    Show {
        /// The schedule.
        name: String,
    },
    /// Makes no more tasks until it is resumed.
    Pause {
        /// The schedules.
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Makes tasks again; ticks of the pause are not made up for.
    Resume {
        /// The schedules.
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Removes schedules; tasks that they made go on.
    Remove {
        /// The schedules.
        #[arg(required = true)]
        names: Vec<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct AddArguments {
    /// What it is called.
    pub(crate) name: String,
    /// The kind of its tasks.
    pub(crate) kind: String,
    /// A pattern of five or six fields, such as '30 2 * * MON-FRI'.
    #[arg(long, value_name = "PATTERN", required_unless_present = "every", conflicts_with = "every")]
    pub(crate) cron: Option<String>,
    /// The zone of the pattern, such as Europe/Berlin; UTC unless given.
    #[arg(long, value_name = "ZONE", conflicts_with = "every")]
    pub(crate) time_zone: Option<String>,
    /// The distance of two ticks, from 1s on.
    #[arg(long, value_name = "TIME")]
    pub(crate) every: Option<Span>,
    /// The payload of its tasks: JSON, @FILE, or - for standard input.
    #[arg(long)]
    pub(crate) payload: Option<String>,
    /// Tags that a handler must provide, with commas between.
    #[arg(long, value_delimiter = ',')]
    pub(crate) requires: Vec<String>,
    /// -20 to 20, higher first.
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) priority: Option<i64>,
    /// What becomes of ticks that were missed.
    #[arg(long, value_parser = ["skip", "one", "all"], default_value = "skip")]
    pub(crate) missed: String,
    /// What becomes of a tick while the task of an earlier one has not ended.
    #[arg(long, value_parser = ["skip", "queue", "replace"], default_value = "skip")]
    pub(crate) overlap: String,
    /// Makes no tasks before it is resumed.
    #[arg(long)]
    pub(crate) paused: bool,
    /// Replaces one of this name that is written otherwise.
    #[arg(long)]
    pub(crate) replace: bool,
}
