//! What `/metrics` says of language models.

use std::time::Duration;

use bulkhead_core::HandlerName;
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry, exponential_buckets};

/// Requests to backends, how long they took, and the tokens they used.
#[derive(Debug, Clone)]
pub struct LlmMetrics {
    tokens: IntCounterVec,
    calls: IntCounterVec,
    latency: HistogramVec,
}

impl LlmMetrics {
    /// Metrics at zero that nobody reads yet.
    pub fn new() -> Result<Self, prometheus::Error> {
        let tokens = IntCounterVec::new(
            Opts::new("llm_tokens_total", "Tokens of language models, of questions and of answers."),
            &["handler", "backend", "direction"],
        )?;
        let calls = IntCounterVec::new(
            Opts::new("llm_calls_total", "Requests to language models, by what came of them."),
            &["backend", "outcome"],
        )?;
        // 10 ms to 11 minutes.
        let buckets = exponential_buckets(10e-3, 4.0, 9)?;
        let latency = HistogramVec::new(
            HistogramOpts::new("llm_latency_seconds", "How long requests to language models took.").buckets(buckets),
            &["backend"],
        )?;
        Ok(Self { tokens, calls, latency })
    }

    /// Metrics at zero that a registry has.
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self::new()?;
        registry.register(Box::new(metrics.tokens.clone()))?;
        registry.register(Box::new(metrics.calls.clone()))?;
        registry.register(Box::new(metrics.latency.clone()))?;
        Ok(metrics)
    }

    /// The same, as calls of one handler are counted.
    pub(crate) fn of<'a>(&'a self, handler: &'a HandlerName) -> HandlerMetrics<'a> {
        HandlerMetrics { metrics: self, handler: handler.as_str() }
    }
}

/// The metrics of one handler's calls.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HandlerMetrics<'a> {
    metrics: &'a LlmMetrics,
    handler: &'a str,
}

impl HandlerMetrics<'_> {
    pub(crate) fn used(&self, backend: &str, prompt: u64, completion: u64) {
        let tokens = &self.metrics.tokens;
        tokens.with_label_values(&[self.handler, backend, "prompt"]).inc_by(prompt);
        tokens.with_label_values(&[self.handler, backend, "completion"]).inc_by(completion);
    }

    pub(crate) fn called(&self, backend: &str, outcome: &str) {
        self.metrics.calls.with_label_values(&[backend, outcome]).inc();
    }

    pub(crate) fn took(&self, backend: &str, time: Duration) {
        self.metrics.latency.with_label_values(&[backend]).observe(time.as_secs_f64());
    }
}
