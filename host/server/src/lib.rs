//! The HTTP API, health and metrics.
//!
//! [`bind`] takes an address, [`serve`] answers on it until told to stop. Every route is in [`routes`]; the HTTP status
//! of everything that can go wrong is chosen in [`problem`] and nowhere else.

mod app;
mod bulk;
mod changes;
mod dead_letters;
mod death_counts;
mod event_feed;
mod event_streams;
mod events;
mod handlers;
mod health;
mod host_check;
mod items;
mod kind_label;
mod listen;
mod metrics;
mod page_limit;
mod parameters;
mod path_part;
mod problem;
mod prompt;
mod query;
mod queue;
mod queue_metrics;
mod queue_reading;
mod routes;
mod schedules;
mod submit;
mod tasks;
mod templates;
mod waiting;
mod webhooks;
mod workers;
mod workflows;
mod workspace_hosts;
mod workspaces;

pub use app::{App, AppSettings};
pub use events::StreamSettings;
pub use listen::{BindError, bind, check_address, serve};
/// For fuzzing, which asks the API without a socket.
#[doc(hidden)]
pub use routes::routes;
