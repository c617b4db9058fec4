//! The durable queue.
//!
//! [`Store`] is what the rest of the host knows of it; [`sqlite`] is the embedded engine. Every call takes a batch, so
//! that one transaction, or one statement on a server, serves many tasks. A worker does not poll: it attaches a
//! [`WorkLine`], says how many tasks it can take, and is sent them as they fall due, each batch under one [`LeaseId`].
//!
//! The store writes what [`bulkhead_core::decide`] decided; it decides nothing itself. Times that matter are the
//! store's own; callers give durations.

mod commit;
mod ending;
mod error;
mod events;
mod history;
mod homes;
mod lease;
mod plan;
pub mod postgres;
mod query;
mod queue_depth;
mod relational;
mod schedule;
mod schedule_row;
mod sql;
pub mod sqlite;
mod store;
mod submitted;
mod told;
mod work;
mod workflow;

pub use commit::{Commit, CommitFate};
pub use error::StoreError;
pub use events::{
    Backlog, DealRules, Dealt, DeliveryFate, DueDeliveries, DueDelivery, EventPage, EventStore, EventsSeen, KeptEvent,
    Listener, LiveEvent, MAX_WEBHOOKS, NewWebhook, ParkedDelivery, Settlement, StoredSecret, Webhook, WebhookFate,
};
pub use history::Spawned;
pub use homes::{HOME_GONE_AFTER, HomeView, Homes, ReleaseFate};
pub use lease::{LEASE_CONFIRMED_FOR, LEASE_DURATION, LEASE_RENEW_EVERY, LeaseId, WorkerId};
pub use query::{ChildrenView, Page, Selection, TaskFilter, TaskView, WaitView, WorkflowRef};
pub use queue_depth::{DeadCount, RouteDepth};
pub use relational::{Clock, DatabaseStore, QueueSettings, SystemClock};
pub use schedule::{LastTick, MAX_SCHEDULES, ScheduleChange, ScheduleFate, ScheduleView, TickFate};
pub use store::{BoxFuture, Held, Store, UpstreamPart};
pub use submitted::{BatchRefusal, Change, Fate, Resolution, Submitted};
pub use told::{Audit, AuditView, LogLine, LogPage, ProgressNote, RunLog, Told};
pub use work::{Claimed, Delivery, HasAnother, History, ServedRoutes, TaskSeq, WorkLine, WorkSender};
pub use workflow::{
    Begun, SlowAttempt, StepView, WorkflowChange, WorkflowFate, WorkflowFilter, WorkflowPage, WorkflowRefusal,
    WorkflowSelection, WorkflowStore, WorkflowView,
};
