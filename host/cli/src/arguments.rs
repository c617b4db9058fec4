//! What can be typed.

mod dlq;
mod list;
mod schedule;
mod webhook;
mod workflow;
mod workspace;

use std::net::SocketAddr;
use std::path::PathBuf;

use bulkhead_core::Span;
use clap::{Args, Parser, Subcommand};

pub(crate) use self::dlq::DlqCommand;
pub(crate) use self::list::ListArguments;
pub(crate) use self::schedule::{AddArguments, ScheduleCommand};
pub(crate) use self::webhook::{AddWebhook, EventsArguments, WebhookCommand};
pub(crate) use self::workflow::{Drawing, NewCommand, StartArguments, WorkflowCommand, WorkflowListArguments};
pub(crate) use self::workspace::WorkspaceCommand;
use crate::printer::OutputFormat;

/// Runs other people's task handlers, each task in a fresh WebAssembly sandbox.
#[derive(Debug, Parser)]
#[command(name = "bulkhead", version, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    /// The settings file; by default bulkhead.toml of this folder, where there is one.
    #[arg(long, global = true, value_name = "FILE", env = "BULKHEAD_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// The host to talk to.
    #[arg(long, global = true, value_name = "URL", env = "BULKHEAD_URL", default_value = "http://127.0.0.1:7070")]
    pub(crate) url: String,
    /// The form of what is printed.
    #[arg(long, global = true, value_enum, default_value_t = OutputFormat::Table)]
    pub(crate) output: OutputFormat,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes a folder ready: settings file and handlers folder.
    Init(InitArguments),
    /// Runs the host: claims tasks, runs them, answers on HTTP.
    Run(RunArguments),
    /// Runs one task in this process, without a host or a queue.
    Exec(ExecArguments),
    /// Submits one task, or a file of them.
    Submit(SubmitArguments),
    /// Looks at tasks and changes their course.
    #[command(subcommand)]
    Task(TaskCommand),
    /// Looks at dead letters and retries them.
    #[command(subcommand)]
    Dlq(DlqCommand),
    /// Starts workflows, looks at them and changes their course; checks templates.
    #[command(subcommand)]
    Workflow(WorkflowCommand),
    /// Makes tasks again and again.
    #[command(subcommand)]
    Schedule(ScheduleCommand),
    /// Sends events to receivers outside.
    #[command(subcommand)]
    Webhook(WebhookCommand),
    /// Follows what happens.
    Events(EventsArguments),
    /// Looks at handlers.
    #[command(subcommand)]
    Handler(HandlerCommand),
    /// Looks at workers, and tells them what to do.
    #[command(subcommand)]
    Worker(WorkerCommand),
    /// Fills, lists and fetches the files of tasks.
    #[command(subcommand)]
    Workspace(WorkspaceCommand),
    /// Writes a file to begin from.
    #[command(subcommand)]
    New(NewCommand),
    /// Checks the store, copies it, brings it up to date.
    #[command(subcommand)]
    Db(DbCommand),
    /// Looks at the settings.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Checks whether a host could run here, and says what to do where not.
    Doctor,
}

#[derive(Debug, Args)]
pub(crate) struct InitArguments {
    /// The folder.
    #[arg(default_value = ".")]
    pub(crate) folder: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// The address to answer on; port 0 takes a free one [server.listen].
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
    /// The store [store.url].
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<String>,
    /// The handlers folder [handlers.dir].
    #[arg(long, value_name = "DIR")]
    pub(crate) handlers: Option<PathBuf>,
    /// Writes the address to this file once the host answers.
    #[arg(long, value_name = "FILE")]
    pub(crate) ready_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ExecArguments {
    /// A handler's .wasm file, or the name of one in the handlers folder.
    pub(crate) handler: String,
    /// The payload: JSON, @FILE, or - for standard input.
    #[arg(long, default_value = "null")]
    pub(crate) payload: String,
    /// The folder that the handler sees as /workspace, to read and to write.
    #[arg(long, value_name = "DIR")]
    pub(crate) workspace: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct SubmitArguments {
    /// The kind of task.
    #[arg(required_unless_present = "file", conflicts_with = "file")]
    pub(crate) kind: Option<String>,
    /// The payload: JSON, @FILE, or - for standard input.
    #[arg(long, conflicts_with = "file")]
    pub(crate) payload: Option<String>,
    /// Submits every line of this NDJSON file; - is standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// The task's own id.
    #[arg(long, conflicts_with = "file")]
    pub(crate) id: Option<String>,
    /// Idempotency key.
    #[arg(long, conflicts_with = "file")]
    pub(crate) key: Option<String>,
    /// The task whose workspace it uses; by default its own.
    #[arg(long, conflicts_with = "file", value_name = "ID")]
    pub(crate) workspace: Option<String>,
    /// -20 to 20, higher first.
    #[arg(long, conflicts_with = "file", allow_hyphen_values = true)]
    pub(crate) priority: Option<i64>,
    /// Not before so long from now.
    #[arg(long, conflicts_with = "file")]
    pub(crate) delay: Option<Span>,
    /// Tags that a handler must provide, with commas between.
    #[arg(long, value_delimiter = ',', conflicts_with = "file")]
    pub(crate) requires: Vec<String>,
    /// Waits until the task has ended, at most so long, and prints its result; of a file, until all have, and prints how.
    #[arg(long, num_args = 0..=1, default_missing_value = "1h", require_equals = true)]
    pub(crate) wait: Option<Span>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TaskCommand {
    /// Lists tasks, newest first.
    List {
        /// States, with commas between.
        #[arg(long, default_value = "")]
        state: String,
        #[command(flatten)]
        list: ListArguments,
    },
    /// Shows one task with its attempts.
    Show {
        /// The task.
        id: String,
    },
    /// Writes what a task's runs logged.
    Logs {
        /// The task.
        id: String,
    },
    /// Writes a task's audit trail.
    Audit {
        /// The task.
        id: String,
    },
    /// Cancels tasks.
    Cancel {
        /// The tasks.
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// Holds tasks back: those named, all of a kind, or all there are.
    Pause {
        #[command(flatten)]
        which: Which,
    },
    /// Lets paused tasks go on, or answers one that waits for an answer.
    Resume {
        #[command(flatten)]
        which: Which,
        /// The answer: JSON, @FILE, or - for standard input.
        #[arg(long, conflicts_with_all = ["kind", "all"])]
        payload: Option<String>,
    },
    /// Makes dead tasks ready again.
    Retry {
        /// The tasks.
        #[arg(required = true)]
        ids: Vec<String>,
    },
}

/// Tasks by name, or a part of the queue.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The tasks.
    #[arg(required_unless_present_any = ["kind", "all"])]
    pub(crate) ids: Vec<String>,
    /// Every task of this kind, until it is resumed.
    #[arg(long, conflicts_with = "ids")]
    pub(crate) kind: Option<String>,
    /// The whole queue, until it is resumed.
    #[arg(long, conflicts_with_all = ["ids", "kind"])]
    pub(crate) all: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum HandlerCommand {
    /// Lists the handlers of the host, with the reason where one is kept out.
    List,
    /// Shows each option that holds for a handler, and who said so.
    Inspect {
        /// The handler's name.
        name: String,
    },
    /// Checks handler files, without a host.
    Check {
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum WorkerCommand {
    /// Lists the workers of the host.
    List,
    /// Lets a worker claim nothing more until it is resumed; what it holds goes on.
    Pause {
        /// The worker.
        name: String,
    },
    /// Lets a paused worker claim again.
    Resume {
        /// The worker.
        name: String,
    },
    /// Lets a worker end what it runs and give back what it has not begun, as on SIGTERM; its host stays up.
    Drain {
        /// The worker.
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum DbCommand {
    /// Brings the store's schema up to date, while no host has it open; a host does the same when it starts.
    Migrate,
    /// Looks whether the store is whole; a host may run meanwhile.
    Check,
    /// Copies the store as it stands into a new file; a host may run meanwhile.
    Backup {
        /// The new file.
        to: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Checks the settings.
    Check,
    /// Shows every setting, and where it comes from.
    Show,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        super::Arguments::command().debug_assert();
    }
}
