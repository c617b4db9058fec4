//! What `/metrics` says of webhooks.

use prometheus::core::Collector;
use prometheus::{Histogram, HistogramOpts, IntCounterVec, Opts, Registry};

/// Counts of attempts, and how long they took.
#[derive(Debug)]
pub struct WebhookMetrics {
    registry: Registry,
    pub(crate) attempts: IntCounterVec,
    pub(crate) duration: Histogram,
}

/// Seconds: from a receiver next door to the longest time-out that is usual.
const BUCKETS: [f64; 10] = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0];

impl WebhookMetrics {
    /// Metrics at zero.
    pub fn new() -> Result<Self, prometheus::Error> {
        let attempts = IntCounterVec::new(
            Opts::new("webhook_attempts_total", "Attempts to deliver an event to a webhook, by what came of them."),
            &["result"],
        )?;
        let duration = Histogram::with_opts(
            HistogramOpts::new("webhook_attempt_duration_seconds", "How long attempts to deliver an event took.")
                .buckets(BUCKETS.to_vec()),
        )?;
        for result in ["delivered", "failed", "parked"] {
            attempts.with_label_values(&[result]).reset();
        }
        let registry = Registry::new();
        let collectors: [Box<dyn Collector>; 2] = [Box::new(attempts.clone()), Box::new(duration.clone())];
        for collector in collectors {
            registry.register(collector)?;
        }
        Ok(Self { registry, attempts, duration })
    }

    /// What has them.
    pub const fn registry(&self) -> &Registry {
        &self.registry
    }
}
