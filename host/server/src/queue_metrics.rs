//! What `/metrics` says of queue, catalogue and process.

use bulkhead_sandbox::Catalogue;
use bulkhead_store::Store;
use prometheus::core::Collector;
use prometheus::process_collector::ProcessCollector;
use prometheus::{GaugeVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

/// The label of kinds that no live handler serves; their names come from callers and are not bounded.
const OTHER: &str = "other";

/// What is read off the queue and the catalogue at each scrape.
#[derive(Debug)]
pub(crate) struct QueueMetrics {
    pub(crate) registry: Registry,
    pending: IntGaugeVec,
    oldest: GaugeVec,
    unroutable: IntGauge,
    load_errors: IntCounterVec,
    dead: IntCounterVec,
    settled: IntCounterVec,
}

impl QueueMetrics {
    pub(crate) fn new() -> Result<Self, prometheus::Error> {
        let pending = IntGaugeVec::new(Opts::new("queue_pending", "Tasks that wait, due or not."), &["kind"])?;
        let oldest =
            GaugeVec::new(Opts::new("queue_oldest_seconds", "How long the oldest due task has been due."), &["kind"])?;
        let unroutable = IntGauge::new("queue_unroutable", "Tasks that wait and that no live handler serves.")?;
        let load_errors = IntCounterVec::new(
            Opts::new("handler_load_errors_total", "Handler files that could not be loaded."),
            &["handler"],
        )?;
        let dead =
            IntCounterVec::new(Opts::new("queue_dead_total", "Tasks that became dead letters."), &["kind", "reason"])?;
        let settled = Opts::new("workflow_settled_total", "Workflows in which nothing more happens by itself.");
        let settled = IntCounterVec::new(settled, &["state"])?;
        let registry = Registry::new();
        let collectors: [Box<dyn Collector>; 7] = [
            Box::new(dead.clone()),
            Box::new(settled.clone()),
            Box::new(pending.clone()),
            Box::new(oldest.clone()),
            Box::new(unroutable.clone()),
            Box::new(load_errors.clone()),
            Box::new(ProcessCollector::for_self()),
        ];
        for collector in collectors {
            registry.register(collector)?;
        }
        Ok(Self { registry, pending, oldest, unroutable, load_errors, dead, settled })
    }

    pub(crate) fn update(&self, catalogue: &Catalogue, store: &dyn Store) {
        let snapshot = catalogue.snapshot();
        let now = bulkhead_worker::now().as_millis();
        self.pending.reset();
        self.oldest.reset();
        let mut unroutable = 0;
        for kind in snapshot.kinds() {
            self.pending.with_label_values(&[kind.as_str()]).set(0);
        }
        for depth in store.depths() {
            let pending = i64::try_from(depth.pending).unwrap_or(i64::MAX);
            let known = !snapshot.serving(&depth.route.kind).is_empty();
            let kind = [if known { depth.route.kind.as_str() } else { OTHER }];
            self.pending.with_label_values(&kind).add(pending);
            if !snapshot.serves(&depth.route) {
                unroutable += pending;
            }
            if let Some(due) = depth.oldest_due {
                let gauge = self.oldest.with_label_values(&kind);
                gauge.set(gauge.get().max((now - due.as_millis()).max(0) as f64 / 1e3));
            }
        }
        self.unroutable.set(unroutable);
        self.dead.reset();
        for death in store.deaths() {
            let known = !snapshot.serving(&death.kind).is_empty();
            let kind = if known { death.kind.as_str() } else { OTHER };
            self.dead.with_label_values(&[kind, death.reason.as_str()]).inc_by(death.count);
        }
        self.settled.reset();
        for (state, count) in store.settled() {
            self.settled.with_label_values(&[state.as_str()]).inc_by(count);
        }
        self.load_errors.reset();
        for (handler, errors) in catalogue.load_errors() {
            self.load_errors.with_label_values(&[handler.as_str()]).inc_by(errors);
        }
    }
}
