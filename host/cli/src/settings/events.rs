//! `[events]` and `[webhooks]`.

use std::net::IpAddr;
use std::num::NonZeroU32;

use bulkhead_core::Span;
use bulkhead_server::StreamSettings;
use bulkhead_webhooks::{AddressRules, WebhookSettings};
use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// `[events]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Events {
    /// How long events are kept for readers of the stream once the last has left.
    pub(crate) resume_within: Span,
    /// How long events are kept.
    pub(crate) keep_for: Span,
    /// How many events are kept at most.
    pub(crate) keep_count: u64,
    /// Streams at once.
    pub(crate) max_streams: NonZeroU32,
}

impl Default for Events {
    fn default() -> Self {
        let (webhooks, streams) = (WebhookSettings::default(), StreamSettings::default());
        Self {
            resume_within: Span::from_secs(streams.resume_within.as_secs()),
            keep_for: Span::from_secs(webhooks.keep_events.as_secs()),
            keep_count: webhooks.max_events,
            max_streams: u32::try_from(streams.max_streams).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN),
        }
    }
}

/// `[webhooks]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Webhooks {
    /// Addresses and networks, beside the public ones, that events may be sent to.
    pub(crate) allow: Vec<Network>,
    /// How long one attempt may take.
    pub(crate) timeout: Span,
    /// How long an event is tried again before it is parked.
    pub(crate) retry_for: Span,
    /// How long parked deliveries are kept.
    pub(crate) keep_parked: Span,
    /// Requests to one receiver at once.
    pub(crate) max_in_flight: NonZeroU32,
}

impl Default for Webhooks {
    fn default() -> Self {
        let WebhookSettings { timeout, retry_for, keep_parked, max_in_flight, .. } = WebhookSettings::default();
        Self {
            allow: Vec::new(),
            timeout: Span::from_secs(timeout.as_secs()),
            retry_for: Span::from_secs(retry_for.as_secs()),
            keep_parked: Span::from_secs(keep_parked.as_secs()),
            max_in_flight: u32::try_from(max_in_flight).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN),
        }
    }
}

impl Events {
    /// What streams are told.
    pub(crate) fn streams(&self) -> StreamSettings {
        StreamSettings {
            max_streams: self.max_streams.get() as usize,
            // Shorter than this, a reader that is there could not renew it in time.
            resume_within: self.resume_within.duration().max(std::time::Duration::from_secs(10)),
            ..StreamSettings::default()
        }
    }
}

impl Webhooks {
    /// What the sender is told.
    pub(crate) fn sender(&self, events: &Events) -> WebhookSettings {
        WebhookSettings {
            rules: AddressRules::new(self.allow.iter().map(|network| network.0).collect()),
            timeout: self.timeout.duration(),
            retry_for: self.retry_for.duration(),
            keep_parked: self.keep_parked.duration(),
            max_in_flight: self.max_in_flight.get() as usize,
            keep_events: events.keep_for.duration(),
            max_events: events.keep_count,
        }
    }
}

/// A network, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network(IpNet);

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        network.map(|network| Self(network.trunc())).map_err(|_| {
            serde::de::Error::custom(format!(
                "webhooks.allow takes addresses and networks, such as 10.1.2.3 or 10.0.0.0/8: `{}`",
                text.escape_debug()
            ))
        })
    }
}
