//! What `/metrics` says of language models.

use prometheus::{IntCounterVec, Opts, Registry};

/// Counts of requests to backends, and of the tokens they used.
///
/// The outcome of a request is `ok`, `cancelled` (by the attempt's deadline too), `no_key`, `unreachable`, `timed_out`,
/// `rate_limited` (429), `server_error` (5xx), `refused` (any other status), `broken`, `reported` (an error in the
/// answer), `malformed` or `too_long`.
#[derive(Debug, Clone)]
pub struct LlmMetrics {
    tokens: IntCounterVec,
    calls: IntCounterVec,
}

impl LlmMetrics {
    /// Metrics at zero that nobody reads yet.
    pub fn new() -> Result<Self, prometheus::Error> {
        let tokens = IntCounterVec::new(
            Opts::new("bulkhead_llm_tokens_total", "Tokens of language models, of questions and of answers."),
            &["backend", "direction"],
        )?;
        let calls = IntCounterVec::new(
            Opts::new("bulkhead_llm_calls_total", "Requests to language models, by what came of them."),
            &["backend", "outcome"],
        )?;
        Ok(Self { tokens, calls })
    }

    /// Metrics at zero that a registry has.
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self::new()?;
        registry.register(Box::new(metrics.tokens.clone()))?;
        registry.register(Box::new(metrics.calls.clone()))?;
        Ok(metrics)
    }

    pub(crate) fn used(&self, backend: &str, prompt: u64, completion: u64) {
        self.tokens.with_label_values(&[backend, "prompt"]).inc_by(prompt);
        self.tokens.with_label_values(&[backend, "completion"]).inc_by(completion);
    }

    pub(crate) fn called(&self, backend: &str, outcome: &str) {
        self.calls.with_label_values(&[backend, outcome]).inc();
    }
}
