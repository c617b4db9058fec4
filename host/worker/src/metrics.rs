//! The worker's metrics; names and units as the reference has them.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use bulkhead_core::{HandlerName, RunEnd};
use prometheus::{
    Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    exponential_buckets,
};

/// Everything that a worker counts and times.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    handler_duration: HistogramVec,
    handler_fail: IntCounterVec,
    handler_fuel: IntCounterVec,
    handler_active: IntGaugeVec,
    task_latency: HistogramVec,
    worker_slots: IntGaugeVec,
    /// From looking for tasks until they are claimed.
    pub(crate) claim_duration: Histogram,
    /// Ended runs in one commit.
    pub(crate) commit_batch_size: Histogram,
    /// From handing a batch to the store until it is durable.
    pub(crate) commit_duration: Histogram,
    /// Times that a worker lost its leases.
    pub(crate) lease_lost: IntCounter,
    /// How late a heartbeat was confirmed.
    pub(crate) heartbeat_lateness: Histogram,
    per_handler: RwLock<HashMap<HandlerName, Arc<HandlerMetrics>>>,
}

/// The metrics of one handler, looked up once.
#[derive(Debug)]
pub(crate) struct HandlerMetrics {
    succeeded: Histogram,
    others: HistogramVec,
    fail: IntCounterVec,
    fuel: IntCounter,
    /// Runs in flight.
    pub(crate) active: IntGauge,
    name: HandlerName,
}

impl Metrics {
    /// Registers every metric in a registry of its own.
    pub fn new() -> Result<Arc<Self>, prometheus::Error> {
        let registry = Registry::new();
        // 10 µs to 84 s: a no-op run takes 10 µs, the default timeout is 60 s.
        let run_buckets = exponential_buckets(10e-6, 4.0, 12)?;
        // 100 µs to 105 s.
        let wait_buckets = exponential_buckets(100e-6, 4.0, 11)?;
        let histogram = |name: &str, help: &str, buckets: &[f64]| {
            let histogram = Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets.to_vec()))?;
            registry.register(Box::new(histogram.clone()))?;
            Ok::<_, prometheus::Error>(histogram)
        };
        let histograms = |name: &str, help: &str, buckets: &[f64], labels: &[&str]| {
            let histograms = HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets.to_vec()), labels)?;
            registry.register(Box::new(histograms.clone()))?;
            Ok::<_, prometheus::Error>(histograms)
        };
        let counters = |name: &str, help: &str, labels: &[&str]| {
            let counters = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(counters.clone()))?;
            Ok::<_, prometheus::Error>(counters)
        };
        let gauges = |name: &str, help: &str, labels: &[&str]| {
            let gauges = IntGaugeVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(gauges.clone()))?;
            Ok::<_, prometheus::Error>(gauges)
        };
        let lease_lost = IntCounter::new("lease_lost_total", "Times that this worker lost its leases.")?;
        registry.register(Box::new(lease_lost.clone()))?;
        let started = Gauge::new("worker_start_time_seconds", "When this worker began, in seconds since 1970.")?;
        registry.register(Box::new(started.clone()))?;
        started.set(crate::now().as_millis() as f64 / 1e3);
        Ok(Arc::new(Self {
            handler_duration: histograms(
                "handler_duration_seconds",
                "Wall clock of one run in the sandbox.",
                &run_buckets,
                &["handler", "status"],
            )?,
            handler_fail: counters("handler_fail_total", "Runs that did not end well.", &["handler", "reason"])?,
            handler_fuel: counters("handler_fuel_total", "Fuel used.", &["handler"])?,
            handler_active: gauges("handler_active", "Runs in flight.", &["handler"])?,
            task_latency: histograms(
                "task_latency_seconds",
                "From due to ended, by the store's clock and this worker's.",
                &wait_buckets,
                &["kind"],
            )?,
            worker_slots: gauges("worker_slots", "Sandboxes that may be in flight, by state.", &["state"])?,
            claim_duration: histogram(
                "claim_duration_seconds",
                "From looking for a batch of tasks until they are claimed durably.",
                &wait_buckets,
            )?,
            commit_batch_size: histogram(
                "commit_batch_size",
                "Ended runs in one commit.",
                &exponential_buckets(1.0, 2.0, 12)?,
            )?,
            commit_duration: histogram(
                "commit_duration_seconds",
                "From handing a batch to the store until it is durable.",
                &wait_buckets,
            )?,
            heartbeat_lateness: histogram(
                "heartbeat_lateness_seconds",
                "How long after it was due a heartbeat was confirmed.",
                &[0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 2.0, 5.0, 10.0],
            )?,
            lease_lost,
            per_handler: RwLock::default(),
            registry,
        }))
    }

    /// The registry that `/metrics` gathers from.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The metrics of one handler.
    pub(crate) fn handler(&self, name: &HandlerName) -> Arc<HandlerMetrics> {
        if let Some(found) = self.per_handler.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Arc::clone(found);
        }
        let label = [name.as_str()];
        let made = Arc::new(HandlerMetrics {
            succeeded: self.handler_duration.with_label_values(&[name.as_str(), "succeeded"]),
            others: self.handler_duration.clone(),
            fail: self.handler_fail.clone(),
            fuel: self.handler_fuel.with_label_values(&label),
            active: self.handler_active.with_label_values(&label),
            name: name.clone(),
        });
        let mut all = self.per_handler.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(name.clone()).or_insert(made))
    }

    /// From due to ended, for one kind.
    pub(crate) fn task_latency(&self, kind: &str) -> Histogram {
        self.task_latency.with_label_values(&[kind])
    }

    /// Shows how many slots are free and used.
    pub(crate) fn show_slots(&self, used: usize, all: usize) {
        let gauge = |state: &str, value: usize| {
            self.worker_slots.with_label_values(&[state]).set(i64::try_from(value).unwrap_or(i64::MAX));
        };
        gauge("used", used.min(all));
        gauge("free", all.saturating_sub(used));
    }
}

impl HandlerMetrics {
    /// Counts one run.
    pub(crate) fn count(&self, end: &RunEnd, seconds: f64, fuel: u64) {
        self.fuel.inc_by(fuel);
        if matches!(end, RunEnd::Completed(_) | RunEnd::Decided(_) | RunEnd::Batched(_)) {
            self.succeeded.observe(seconds);
            return;
        }
        self.others.with_label_values(&[self.name.as_str(), end.name()]).observe(seconds);
        let reason = match end {
            RunEnd::Completed(_)
            | RunEnd::Decided(_)
            | RunEnd::Batched(_)
            | RunEnd::Skipped
            | RunEnd::Checkpointed(_)
            | RunEnd::Spawned(_)
            | RunEnd::Suspended(_)
            | RunEnd::Declined(_)
            | RunEnd::Interrupted(_) => return,
            RunEnd::LimitReached(limit) => format!("limit:{}", limit.as_str()),
            RunEnd::Failed(failure) => {
                if failure.retryable {
                    "retryable".to_owned()
                } else {
                    "permanent".to_owned()
                }
            }
            RunEnd::Trapped { .. } | RunEnd::OutOfFuel | RunEnd::TimedOut | RunEnd::Invalid(_) | RunEnd::Cancelled => {
                end.name().to_owned()
            }
        };
        self.fail.with_label_values(&[self.name.as_str(), &reason]).inc();
    }
}
