//! `bulkhead workflow` and `bulkhead new`

use std::path::PathBuf;

use bulkhead_core::Span;
use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(crate) enum WorkflowCommand {
    /// Checks template files, without a host.
    Check {
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Which of their environments is meant [workflow.environment].
        #[arg(long)]
        environment: Option<String>,
    },
    /// Starts a workflow.
    Start(Box<StartArguments>),
    /// Shows a workflow with its steps, and where its time went.
    Show {
        /// The workflow.
        id: String,
    },
    /// Lists workflows, newest first.
    List(WorkflowListArguments),
    /// Cancels every step of workflows that has not ended.
    Cancel {
        /// The workflows.
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// Holds back every step of workflows that has not ended; what runs goes on.
    Pause {
        /// The workflows.
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// Lets paused workflows go on.
    Resume {
        /// The workflows.
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// Draws a workflow as it stands, or a template.
    Graph {
        /// A template's file, a workflow's id, or the name of a template of the host.
        what: String,
        /// The language of the drawing.
        #[arg(long, value_enum, default_value_t = Drawing::Mermaid)]
        format: Drawing,
    },
    /// Lists the templates of the host, and the files that are none.
    Templates,
    /// Prints the format of templates as a JSON Schema.
    Schema,
}

/// The language of a drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Drawing {
    Mermaid,
    Dot,
    Json,
}

impl Drawing {
    /// The name that a host knows it by.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Mermaid => "mermaid",
            Self::Dot => "dot",
            Self::Json => "json",
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct StartArguments {
    /// The template: NAME, NAMESPACE/NAME or NAMESPACE/NAME@VERSION; without a version, the newest.
    pub(crate) template: String,
    /// The input: JSON, @FILE, or - for standard input; {} unless given.
    #[arg(long)]
    pub(crate) input: Option<String>,
    /// Idempotency key.
    #[arg(long)]
    pub(crate) key: Option<String>,
    /// The workflow's own id.
    #[arg(long)]
    pub(crate) id: Option<String>,
    /// -20 to 20, higher first; of steps that have none of their own.
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) priority: Option<i64>,
    /// No step begins before so long from now.
    #[arg(long)]
    pub(crate) delay: Option<Span>,
    /// For filters and limits.
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// A label for filters; may be given again.
    #[arg(long = "tag", value_name = "NAME=VALUE", value_parser = super::list::tag)]
    pub(crate) tags: Vec<(String, String)>,
    /// Waits until nothing more happens in it by itself, at most so long, and prints the results of its last steps.
    #[arg(long, num_args = 0..=1, default_missing_value = "1h", require_equals = true)]
    pub(crate) wait: Option<Span>,
}

#[derive(Debug, Args)]
pub(crate) struct WorkflowListArguments {
    /// States, with commas between.
    #[arg(long)]
    pub(crate) state: Option<String>,
    /// Only of templates of this name.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Only of templates of this namespace.
    #[arg(long)]
    pub(crate) namespace: Option<String>,
    /// Only of this tenant.
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = 100)]
    pub(crate) limit: usize,
    /// Where the page before ended.
    #[arg(long)]
    pub(crate) cursor: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NewCommand {
    /// Writes a template into the folder of templates.
    Workflow {
        /// The template's name, and its file's.
        name: String,
    },
}
