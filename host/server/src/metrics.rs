//! `/metrics`: the worker's metrics, and those of queue, catalogue and process.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use prometheus::core::Collector;
use prometheus::process_collector::ProcessCollector;
use prometheus::{Encoder, GaugeVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder};

use crate::app::App;

/// The label of kinds that no live handler serves; their names come from callers and are not bounded.
const OTHER: &str = "other";

/// What is read off the queue and the catalogue at each scrape.
#[derive(Debug)]
pub(crate) struct QueueMetrics {
    registry: Registry,
    pending: IntGaugeVec,
    oldest: GaugeVec,
    unroutable: IntGauge,
    load_errors: IntCounterVec,
    dead: IntCounterVec,
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
        let registry = Registry::new();
        let collectors: [Box<dyn Collector>; 6] = [
            Box::new(dead.clone()),
            Box::new(pending.clone()),
            Box::new(oldest.clone()),
            Box::new(unroutable.clone()),
            Box::new(load_errors.clone()),
            Box::new(ProcessCollector::for_self()),
        ];
        for collector in collectors {
            registry.register(collector)?;
        }
        Ok(Self { registry, pending, oldest, unroutable, load_errors, dead })
    }

    fn update(&self, app: &App) {
        let snapshot = app.catalogue.snapshot();
        let now = bulkhead_worker::now().as_millis();
        self.pending.reset();
        self.oldest.reset();
        let mut unroutable = 0;
        for kind in snapshot.kinds() {
            self.pending.with_label_values(&[kind.as_str()]).set(0);
        }
        for depth in app.store.depths() {
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
        for death in app.store.deaths() {
            let known = !snapshot.serving(&death.kind).is_empty();
            let kind = if known { death.kind.as_str() } else { OTHER };
            self.dead.with_label_values(&[kind, death.reason.as_str()]).inc_by(death.count);
        }
        self.load_errors.reset();
        for (handler, errors) in app.catalogue.load_errors() {
            self.load_errors.with_label_values(&[handler.as_str()]).inc_by(errors);
        }
    }
}

/// `GET /metrics`, in the text format of Prometheus.
pub(crate) async fn metrics(State(app): State<App>) -> Response {
    // Also brings the slots up to date.
    let _ = app.worker.status();
    app.queue_metrics.update(&app);
    let mut families = app.metrics.registry().gather();
    families.extend(app.queue_metrics.registry.gather());
    let mut text = Vec::new();
    if let Err(error) = TextEncoder::new().encode(&families, &mut text) {
        tracing::error!(%error, "the metrics could not be written");
    }
    ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response()
}
