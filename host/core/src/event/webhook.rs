//! Somebody outside who is sent events.

use serde::{Deserialize, Serialize};

use crate::{EventFilter, EventType, EventTypes, Kind, TextError, is_label};

crate::text::text_type! {
    /// The name of a webhook.
    WebhookName, "webhook name", "1 to 64 of a–z 0–9 _ -", |text| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte))
    }
}

/// The most kinds that one webhook may name.
const MAX_KINDS: usize = 100;

/// A webhook as somebody asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSubmission {
    /// What it is called.
    pub name: WebhookName,
    /// Where events are sent.
    pub url: String,
    /// The types of events; every durable one where it is absent.
    #[serde(default)]
    pub events: Option<Vec<EventType>>,
    /// The kinds of tasks; all where it is empty.
    #[serde(default)]
    pub kinds: Vec<Kind>,
    /// Only tasks of this tenant.
    #[serde(default)]
    pub tenant: Option<String>,
    /// Where the signing secret is, `env:NAME` or `file:PATH`; the host makes one where it is absent.
    #[serde(default)]
    pub secret: Option<String>,
}

impl WebhookSubmission {
    /// Which events it wants, or what it asks for that cannot be.
    pub fn filter(&self) -> Result<EventFilter, TextError> {
        let types = match &self.events {
            None => EventTypes::durable(),
            Some(events) => {
                if let Some(event) = events.iter().find(|event| !event.is_durable()) {
                    return Err(refused("events", KEPT, event.as_str()));
                }
                events.iter().copied().collect()
            }
        };
        if types.is_empty() {
            return Err(refused("events", "more than none; leave it out for every event that is kept", ""));
        }
        if self.kinds.len() > MAX_KINDS {
            return Err(refused("kinds", "at most 100 kinds", &self.kinds.len().to_string()));
        }
        if self.tenant.as_deref().is_some_and(|tenant| !is_label(tenant)) {
            return Err(refused("tenant", "1 to 256 bytes without control characters", ""));
        }
        Ok(EventFilter { types, kinds: self.kinds.clone(), tenant: self.tenant.clone(), task: None })
    }
}

/// What can be delivered.
const KEPT: &str = "events that are kept: task. and one of succeeded dead cancelled suspended resolved, \
    or workflow. and one of succeeded failed blocked cancelled event";

fn refused(what: &'static str, rule: &'static str, value: &str) -> TextError {
    TextError { what, rule, value: value.to_owned() }
}
