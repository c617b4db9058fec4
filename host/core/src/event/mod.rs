//! What the host tells of tasks to those who want to hear of it.

mod event_filter;
mod event_type;
mod webhook;

use serde::{Deserialize, Serialize};

use crate::{JsonText, Kind, TaskId, Timestamp};

pub use event_filter::EventFilter;
pub use event_type::{EventType, EventTypes};
pub use webhook::{WebhookName, WebhookSubmission};

/// Something that happened to a task, and is durable; in JSON it has the form of Standard Webhooks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// What happened.
    #[serde(rename = "type")]
    pub event_type: EventType,
    /// When, by the store's clock.
    pub timestamp: Timestamp,
    /// To which task, and how.
    pub data: EventData,
}

/// The task of an event, and what is known of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EventData {
    /// The task's public name.
    pub task: TaskId,
    /// Its kind.
    pub kind: Kind,
    /// Its tenant, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// What is known of it.
    #[serde(flatten)]
    pub facts: EventFacts,
}

/// What is known of an event beside its task.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EventFacts {
    /// The task's life; 1 until it is requeued.
    pub epoch: u32,
    /// The attempt; 0 before the first.
    pub attempt: u32,
    /// Stages done so far.
    pub stage: u32,
    /// The worker that ran it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
    /// The handler.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handler: Option<String>,
    /// The handler's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Why it came to this, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// More: of an audit its code and details, of progress how far, of a spawn how many children.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<JsonText>,
}
