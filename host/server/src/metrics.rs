//! `/metrics`: the worker's metrics, and those of queue, catalogue and process.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use prometheus::{Encoder, TextEncoder};

use crate::app::App;
use crate::queue_reading::QueueReading;

/// `GET /metrics`, in the text format of Prometheus.
pub(crate) async fn metrics(State(app): State<App>) -> Response {
    // Also brings the slots up to date.
    let _ = app.worker.status();
    let mut families = app.metrics.registry().gather();
    families.extend(app.queue_metrics.gather(|| QueueReading::take(&app.catalogue, app.store.as_ref())));
    families.extend(app.webhook_metrics.registry().gather());
    families.extend(app.streams.registry.gather());
    let mut text = Vec::new();
    if let Err(error) = TextEncoder::new().encode(&families, &mut text) {
        tracing::error!(%error, "the metrics could not be written");
    }
    ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response()
}
