//! What the sender is told.

use std::time::Duration;

use crate::AddressRules;

/// The settings of the sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSettings {
    /// Where anything may be sent.
    pub rules: AddressRules,
    /// How long one attempt may take, from the look for the address to the end of the answer.
    pub timeout: Duration,
    /// How long an event is tried again before it is parked.
    pub retry_for: Duration,
    /// How long parked deliveries are kept.
    pub keep_parked: Duration,
    /// Requests to one receiver at once.
    pub max_in_flight: usize,
    /// How long events are kept.
    pub keep_events: Duration,
    /// How many events are kept at most.
    pub max_events: u64,
}

impl Default for WebhookSettings {
    fn default() -> Self {
        let day = Duration::from_secs(24 * 3600);
        Self {
            rules: AddressRules::default(),
            timeout: Duration::from_secs(15),
            retry_for: day,
            keep_parked: 30 * day,
            max_in_flight: 8,
            keep_events: day,
            max_events: 1_000_000,
        }
    }
}
