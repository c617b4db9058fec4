//! What `/metrics` says of delegates.

use bulkhead_core::DelegateError;
use bulkhead_llm::LlmMetrics;
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry, exponential_buckets};

/// Counts and times of calls to delegates.
#[derive(Debug, Clone)]
pub struct DelegateMetrics {
    calls: IntCounterVec,
    duration: HistogramVec,
    pub(crate) llm: LlmMetrics,
}

impl DelegateMetrics {
    /// Metrics at zero that a registry has.
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let calls = IntCounterVec::new(
            Opts::new("delegate_calls_total", "Calls to delegates, by what came of them."),
            &["delegate", "result"],
        )?;
        // 1 ms to 70 minutes: from a refusal to a long training run.
        let buckets = exponential_buckets(1e-3, 4.0, 12)?;
        let duration = HistogramVec::new(
            HistogramOpts::new("delegate_duration_seconds", "How long calls to delegates took.").buckets(buckets),
            &["delegate"],
        )?;
        registry.register(Box::new(calls.clone()))?;
        registry.register(Box::new(duration.clone()))?;
        Ok(Self { calls, duration, llm: LlmMetrics::register(registry)? })
    }

    /// Metrics at zero that nobody reads.
    pub(crate) fn unread() -> Result<Self, prometheus::Error> {
        Self::register(&Registry::new())
    }

    pub(crate) fn count(&self, delegate: &str, result: Option<Result<(), &DelegateError>>, seconds: f64) {
        let result = match result {
            Some(Ok(())) => "ok",
            Some(Err(error)) => error.name(),
            None => "cancelled",
        };
        self.calls.with_label_values(&[delegate, result]).inc();
        self.duration.with_label_values(&[delegate]).observe(seconds);
    }
}
