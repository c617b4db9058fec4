//! `bulkhead dlq`

use std::num::NonZeroU32;

use bulkhead_core::Span;
use clap::Subcommand;

use super::ListArguments;

#[derive(Debug, Subcommand)]
pub(crate) enum DlqCommand {
    /// Lists dead letters, newest first.
    List {
        /// Only those that died of this.
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        list: ListArguments,
    },
    /// Shows one dead letter with its attempts.
    Show {
        /// The task.
        id: String,
    },
    /// Writes every dead letter that matches, whole, a line of JSON each.
    Export {
        /// Only those of this kind.
        #[arg(long)]
        kind: Option<String>,
        /// Only those that died of this.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Removes dead letters for good.
    Purge {
        /// Those that died so long ago, or longer; 0s for all.
        #[arg(long, value_name = "AGE")]
        older_than: Span,
        /// Only those of this kind.
        #[arg(long)]
        kind: Option<String>,
        /// Only those that died of this.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Closes dead letters by hand.
    Resolve {
        /// The tasks.
        #[arg(required = true)]
        ids: Vec<String>,
        /// The result that they have from then on: JSON, @FILE, or - for standard input.
        #[arg(long, default_value = "null")]
        result: String,
    },
    /// Makes dead letters ready again: those named, or all that match.
    Retry {
        /// The tasks.
        #[arg(required_unless_present_any = ["all", "kind", "reason"])]
        ids: Vec<String>,
        /// All dead letters.
        #[arg(long, conflicts_with = "ids")]
        all: bool,
        /// All of this kind.
        #[arg(long, conflicts_with = "ids")]
        kind: Option<String>,
        /// All that died of this.
        #[arg(long, conflicts_with = "ids")]
        reason: Option<String>,
        /// At most so many a second.
        #[arg(long, conflicts_with = "ids")]
        rate: Option<NonZeroU32>,
    },
}
