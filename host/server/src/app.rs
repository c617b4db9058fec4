//! What every request can reach.

use std::sync::Arc;

use bulkhead_core::{Kind, Route, State, SubmissionLimits};
use bulkhead_sandbox::Catalogue;
use bulkhead_store::{Store, TaskView};
use bulkhead_webhooks::{WebhookMetrics, WebhookSettings};
use bulkhead_worker::{Metrics, Worker};
use bulkhead_workflow::Shelf;
use tokio::sync::watch;

use crate::event_streams::EventStreams;
use crate::events::StreamSettings;
use crate::queue_metrics::QueueMetrics;

/// How the API behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppSettings {
    /// Bounds of what may be submitted.
    pub limits: SubmissionLimits,
    /// Whether tasks are accepted that no live handler serves.
    pub allow_unknown_kinds: bool,
    /// How streams of events behave.
    pub streams: StreamSettings,
    /// What webhooks may be.
    pub webhooks: WebhookSettings,
}

/// The parts of the host that requests reach.
#[derive(Clone)]
pub struct App {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) templates: Arc<Shelf>,
    pub(crate) worker: Arc<Worker>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) queue_metrics: Arc<QueueMetrics>,
    pub(crate) webhook_metrics: Arc<WebhookMetrics>,
    pub(crate) streams: Arc<EventStreams>,
    pub(crate) settings: AppSettings,
    /// True once the server is to stop; long waits end then.
    pub(crate) stopping: watch::Receiver<bool>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("App").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl App {
    /// Puts the parts together.
    pub fn new(
        store: Arc<dyn Store>,
        catalogue: Arc<Catalogue>,
        templates: Arc<Shelf>,
        worker: Arc<Worker>,
        metrics: Arc<Metrics>,
        settings: AppSettings,
        stopping: watch::Receiver<bool>,
    ) -> Result<Self, prometheus::Error> {
        let queue_metrics = Arc::new(QueueMetrics::new()?);
        let webhook_metrics = Arc::new(WebhookMetrics::new()?);
        let streams = Arc::new(EventStreams::new(settings.streams.max_streams)?);
        Ok(Self {
            store,
            catalogue,
            templates,
            worker,
            metrics,
            queue_metrics,
            webhook_metrics,
            streams,
            settings,
            stopping,
        })
    }

    /// Where the sender of webhooks counts.
    pub fn webhook_metrics(&self) -> Arc<WebhookMetrics> {
        Arc::clone(&self.webhook_metrics)
    }

    /// Says of a ready task that no live handler serves it, where that is so.
    pub(crate) fn mark_unroutable(&self, task: &mut TaskView) {
        let route = Route::new(task.kind.clone(), task.requires.clone());
        if task.state == State::Ready && !self.catalogue.snapshot().serves(&route) {
            task.reason = Some(bulkhead_core::ReadyReason::Unroutable.as_str().to_owned());
        }
    }

    /// The kinds that live handlers serve.
    pub(crate) fn kinds(&self) -> Vec<Kind> {
        let mut kinds: Vec<Kind> = self.catalogue.snapshot().kinds().cloned().collect();
        kinds.sort();
        kinds
    }
}
