//! `bulkhead webhook` and `bulkhead events`

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum WebhookCommand {
    /// Adds a webhook and prints its signing secret, once, where the host makes it.
    Add(AddWebhook),
    /// Lists webhooks, with what is on its way to each.
    List,
    /// Shows one webhook.
    Show {
        /// The webhook.
        name: String,
    },
    /// Removes webhooks, with what is on its way to them.
    Remove {
        /// The webhooks.
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Lists deliveries that were given up.
    Parked {
        /// The webhook.
        name: String,
        /// Only those after the event of this number.
        #[arg(long, default_value_t = 0)]
        after: i64,
        /// At most so many.
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// Tries deliveries again that were given up: those of these events, or all.
    Retry {
        /// The webhook.
        name: String,
        /// The numbers of the events.
        events: Vec<i64>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct AddWebhook {
    /// What it is called.
    pub(crate) name: String,
    /// Where events are sent.
    #[arg(value_name = "URL")]
    pub(crate) receiver: String,
    /// Only these types, with commas between, such as task.dead.
    #[arg(long = "event", value_name = "TYPE", value_delimiter = ',')]
    pub(crate) events: Vec<String>,
    /// Only tasks of these kinds, with commas between.
    #[arg(long = "kind", value_name = "KIND", value_delimiter = ',')]
    pub(crate) kinds: Vec<String>,
    /// Only tasks of this tenant.
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// Where the host finds the signing secret: env:NAME or file:PATH; unless given, the host makes one.
    #[arg(long, value_name = "PLACE")]
    pub(crate) secret: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct EventsArguments {
    /// Only these types, with commas between, such as task.dead,task.succeeded.
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) types: Option<String>,
    /// Only tasks of these kinds, with commas between.
    #[arg(long)]
    pub(crate) kind: Option<String>,
    /// Only this task.
    #[arg(long, value_name = "ID")]
    pub(crate) task: Option<String>,
    /// Only tasks of this tenant.
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// Begins after the event of this number; 0: with the first that is kept.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) after: Option<i64>,
}
