//! One attempt to deliver one event.

use std::time::Instant;

use bulkhead_store::{DeliveryFate, DueDelivery};
use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT};

use crate::endpoint::Endpoint;
use crate::metrics::WebhookMetrics;
use crate::retry::{Failed, after_failure};
use crate::round::Round;
use crate::secret::Key;
use crate::settings::WebhookSettings;
use crate::signature::sign;
use crate::transport::post;

/// What every delivery of a batch shares.
pub(crate) struct Batch<'a> {
    pub(crate) settings: &'a WebhookSettings,
    pub(crate) metrics: &'a WebhookMetrics,
    /// Where to, and signed with what; or why neither can be had.
    pub(crate) way: Result<(Endpoint, Vec<Key>), String>,
    pub(crate) round: Round,
}

impl Batch<'_> {
    /// Sends one event; `None` where this host may send no more.
    pub(crate) async fn deliver(&self, delivery: DueDelivery) -> Option<(i64, DeliveryFate)> {
        if !self.round.is_ours() {
            return None;
        }
        let began = Instant::now();
        let sent = match &self.way {
            Ok((endpoint, keys)) => self.send(endpoint, keys, &delivery).await,
            Err(why) => Err(Failed { error: why.clone(), retry_after: None }),
        };
        self.metrics.duration.observe(began.elapsed().as_secs_f64());
        let fate = match sent {
            Ok(()) => DeliveryFate::Delivered,
            Err(failed) => {
                let before = (delivery.attempts, delivery.since);
                after_failure(failed, before, self.round.now(), self.settings.retry_for, fastrand::f64())
            }
        };
        let result = match fate {
            DeliveryFate::Delivered => "delivered",
            DeliveryFate::Again(..) => "failed",
            DeliveryFate::Parked(_) => "parked",
        };
        self.metrics.attempts.with_label_values(&[result]).inc();
        Some((delivery.number, fate))
    }

    async fn send(&self, endpoint: &Endpoint, keys: &[Key], delivery: &DueDelivery) -> Result<(), Failed> {
        let broken = |error: String| Failed { error, retry_after: None };
        let body = serde_json::to_vec(&delivery.event).map_err(|error| broken(error.to_string()))?;
        // The same each time it is sent, and of another event another, even where a store begins to count anew.
        let id = format!("evt_{}_{}", delivery.number, delivery.event.timestamp.as_millis());
        let seconds = self.round.now().as_millis().div_euclid(1_000);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("bulkhead/", env!("CARGO_PKG_VERSION"))));
        let signature = sign(keys, &id, seconds, &body);
        for (name, value) in
            [("webhook-id", id), ("webhook-timestamp", seconds.to_string()), ("webhook-signature", signature)]
        {
            let value = HeaderValue::from_str(&value).map_err(|error| broken(error.to_string()))?;
            headers.insert(name, value);
        }
        post(endpoint, &self.settings.rules, headers, Bytes::from(body), self.settings.timeout).await
    }
}
