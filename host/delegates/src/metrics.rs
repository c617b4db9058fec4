//! What `/metrics` says of delegates.

use std::sync::Arc;
use std::time::Duration;

use bulkhead_core::DelegateError;
use bulkhead_llm::LlmMetrics;
use bulkhead_sandbox::workspace::{FileCalls, FileResult};
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry, exponential_buckets,
};

/// What the files of workspaces are called among the delegates.
const WORKSPACE: &str = "workspace";

/// Counts and times of calls to delegates.
#[derive(Debug, Clone)]
pub struct DelegateMetrics {
    calls: IntCounterVec,
    duration: HistogramVec,
    pub(crate) llm: LlmMetrics,
    pub(crate) files: Arc<FileMetrics>,
}

/// The same of the files of workspaces, whose calls are short and many: looked up once.
#[derive(Debug)]
pub(crate) struct FileMetrics {
    done: IntCounter,
    denied: IntCounter,
    invalid: IntCounter,
    failed: IntCounter,
    duration: Histogram,
}

impl FileCalls for FileMetrics {
    fn called(&self, result: FileResult, took: Duration) {
        let count = match result {
            FileResult::Done => &self.done,
            FileResult::Denied => &self.denied,
            FileResult::Invalid => &self.invalid,
            FileResult::Failed => &self.failed,
        };
        count.inc();
        self.duration.observe(took.as_secs_f64());
    }
}

impl DelegateMetrics {
    /// Metrics at zero that a registry has.
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let calls = IntCounterVec::new(
            Opts::new("delegate_calls_total", "Calls to delegates, by what came of them."),
            &["delegate", "result"],
        )?;
        // 16 µs to 72 minutes: from a file that is read to a long training run.
        let buckets = exponential_buckets(16e-6, 4.0, 15)?;
        let duration = HistogramVec::new(
            HistogramOpts::new("delegate_duration_seconds", "How long calls to delegates took.").buckets(buckets),
            &["delegate"],
        )?;
        registry.register(Box::new(calls.clone()))?;
        registry.register(Box::new(duration.clone()))?;
        let files = |result| calls.with_label_values(&[WORKSPACE, result]);
        let files = FileMetrics {
            done: files("ok"),
            denied: files("denied"),
            invalid: files("invalid"),
            failed: files("failed"),
            duration: duration.with_label_values(&[WORKSPACE]),
        };
        Ok(Self { llm: LlmMetrics::register(registry)?, files: Arc::new(files), calls, duration })
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
