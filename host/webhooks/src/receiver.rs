//! The task of one webhook: looks for what is due, sends it, writes what became of it.

use std::sync::Arc;
use std::time::Duration;

use bulkhead_store::{DeliveryFate, DueDelivery, Settlement, Store, StoreError, Webhook};
use futures::StreamExt;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::delivery::Batch;
use crate::endpoint::Endpoint;
use crate::metrics::WebhookMetrics;
use crate::retry::brake;
use crate::round::Round;
use crate::secret::keys;
use crate::settings::WebhookSettings;

/// Deliveries fetched at once.
const BATCH: usize = 64;

/// How long nothing is looked for where nobody says that there is something.
const LOOK: Duration = Duration::from_secs(60);

/// How long a webhook rests at least after a batch of which nothing was taken, or that the store could not read or write.
const REST: Duration = Duration::from_secs(1);

/// What the task needs.
#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) settings: Arc<WebhookSettings>,
    pub(crate) metrics: Arc<WebhookMetrics>,
    pub(crate) webhook: Webhook,
}

impl Receiver {
    /// Runs until nobody gives rounds any more. Dropped at any moment, an event that was sent may be sent again.
    pub(crate) async fn run(self, mut rounds: watch::Receiver<Round>) {
        let mut failures = 0;
        loop {
            let round = *rounds.borrow_and_update();
            let next = match self.turn(round, &mut failures).await {
                Ok(next) => next,
                Err(StoreError::Closed) => return,
                Err(error) => {
                    tracing::warn!(webhook = %self.webhook.name, %error, "deliveries wait for the store");
                    failures += 1;
                    Some(Instant::now() + REST)
                }
            };
            if !wait(&mut rounds, round, next, failures > 0).await {
                return;
            }
        }
    }

    /// Sends what is due now; gives when to look again, at once where that is the past.
    async fn turn(&self, round: Round, failures: &mut u32) -> Result<Option<Instant>, StoreError> {
        if !round.is_ours() {
            return Ok(None);
        }
        let name = &self.webhook.name;
        let count = if *failures > 0 { 1 } else { BATCH };
        let due = self.store.due(name, round.now(), count).await?;
        if due.items.is_empty() {
            return Ok(due.next_at.map(|moment| Instant::now() + round.until(moment)));
        }
        let (taken, refused) = self.send(round, due.items).await?;
        *failures = match (taken, refused) {
            (0, Some(_)) => *failures + 1,
            (0, None) => *failures,
            _ => 0,
        };
        Ok(Some(Instant::now() + if *failures > 0 { brake(*failures) } else { Duration::ZERO }))
    }

    /// How many were taken, and what was said last where one was not.
    async fn send(&self, round: Round, items: Vec<DueDelivery>) -> Result<(usize, Option<String>), StoreError> {
        let batch = Batch { settings: &self.settings, metrics: &self.metrics, way: self.way().await, round };
        let batch = &batch;
        let sent = futures::stream::iter(items).map(|item| batch.deliver(item));
        let mut sent = sent.buffer_unordered(self.settings.max_in_flight.max(1)).ready_chunks(BATCH);
        let (mut taken, mut refused) = (0, None);
        while let Some(chunk) = sent.next().await {
            let settled: Vec<(i64, DeliveryFate)> = chunk.into_iter().flatten().collect();
            for (number, fate) in &settled {
                match fate {
                    DeliveryFate::Delivered => taken += 1,
                    DeliveryFate::Again(_, error) | DeliveryFate::Parked(error) => {
                        let webhook = &self.webhook.name;
                        tracing::warn!(%webhook, event = number, error, "an event could not be delivered");
                        refused = Some(error.clone());
                    }
                }
            }
            if !settled.is_empty() {
                let webhook = self.webhook.name.clone();
                self.store.settle(Settlement { webhook, settled, give_up: None }).await?;
            }
        }
        if let (0, Some(error)) = (taken, &refused) {
            // Who takes nothing at all has had its day for whatever waits longer than that.
            let give_up = Some((round.now().before(self.settings.retry_for), error.clone()));
            let webhook = self.webhook.name.clone();
            self.store.settle(Settlement { webhook, settled: Vec::new(), give_up }).await?;
        }
        Ok((taken, refused))
    }

    /// Where to send, and the keys; read anew for each batch, so that a secret in a file can be changed.
    async fn way(&self) -> Result<(Endpoint, Vec<crate::secret::Key>), String> {
        let endpoint = Endpoint::parse(&self.webhook.url, &self.settings.rules).map_err(|error| error.to_string())?;
        let secret = self.webhook.secret.clone();
        let read = tokio::task::spawn_blocking(move || keys(&secret)).await.map_err(|error| error.to_string())?;
        Ok((endpoint, read.map_err(|error| error.to_string())?))
    }
}

/// Waits for the moment, or for a round that changes something; false where there will be none.
///
/// A webhook that fails is not woken by new events before a short rest is over, only by somebody's hand.
async fn wait(rounds: &mut watch::Receiver<Round>, before: Round, next: Option<Instant>, fails: bool) -> bool {
    let now = Instant::now();
    let next = next.unwrap_or(now + LOOK).min(now + LOOK);
    if next <= now {
        return rounds.has_changed().is_ok();
    }
    let changed = tokio::select! {
        () = sleep_until(next) => return true,
        changed = rounds.changed() => changed.is_ok(),
    };
    let by_hand = changed && rounds.borrow().changes != before.changes;
    if changed && fails && !by_hand {
        sleep_until((now + REST).min(next)).await;
    }
    changed
}
