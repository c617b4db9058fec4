//! The sender of a host: deals events out, and keeps a task for each webhook.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bulkhead_core::{Timestamp, WebhookName};
use bulkhead_store::{DealRules, Dealt, EventsSeen, Store, StoreError, Webhook};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout};

use crate::metrics::WebhookMetrics;
use crate::receiver::Receiver;
use crate::round::Round;
use crate::settings::WebhookSettings;

/// How long a host alone sends once it has dealt; then another may.
const HOLD: Duration = Duration::from_secs(15);

/// How much earlier it stops by itself.
const MARGIN: Duration = Duration::from_secs(3);

/// How often is dealt where nothing happens.
const DEAL_EVERY: Duration = Duration::from_secs(5);

/// How long events gather before they are dealt.
const GATHER: Duration = Duration::from_millis(20);

/// How long what is being sent may take once the host is told to stop.
const LAST: Duration = Duration::from_secs(3);

/// The running sender. Dropping it stops it at once; what was on its way is sent again later.
#[derive(Debug)]
pub struct Sender {
    stop: watch::Sender<bool>,
    running: JoinSet<()>,
}

impl Sender {
    /// Starts to send what the store holds for webhooks.
    pub fn start(store: Arc<dyn Store>, settings: WebhookSettings, metrics: Arc<WebhookMetrics>) -> Self {
        let (stop, stopping) = watch::channel(false);
        let mut running = JoinSet::new();
        running.spawn(Desk::new(store, settings, metrics).run(stopping));
        Self { stop, running }
    }

    /// Begins nothing more, and lets what is being sent come to its end for a short time.
    pub async fn stop(mut self) {
        // Nobody is left to hear it where it has ended by itself.
        let _ = self.stop.send(true);
        let _ = timeout(LAST, self.running.join_next()).await;
    }
}

/// What the sender has at hand.
struct Desk {
    store: Arc<dyn Store>,
    settings: Arc<WebhookSettings>,
    metrics: Arc<WebhookMetrics>,
    rounds: watch::Sender<Round>,
    tasks: BTreeMap<WebhookName, (Webhook, AbortHandle)>,
    running: JoinSet<()>,
}

impl Desk {
    fn new(store: Arc<dyn Store>, settings: WebhookSettings, metrics: Arc<WebhookMetrics>) -> Self {
        let at = Instant::now();
        let (rounds, _) = watch::channel(Round { ours_until: at, now: Timestamp::default(), at, changes: 0 });
        let (tasks, running) = (BTreeMap::new(), JoinSet::new());
        Self { store, settings: Arc::new(settings), metrics, rounds, tasks, running }
    }

    async fn run(mut self, mut stopping: watch::Receiver<bool>) {
        let mut seen = self.store.watch_events();
        loop {
            let latest = *seen.borrow_and_update();
            let more = tokio::select! {
                biased;
                _ = stopping.wait_for(|stopping| *stopping) => break,
                dealt = self.deal(latest) => match dealt {
                    Ok(dealt) => dealt.more,
                    Err(StoreError::Closed) => break,
                    Err(error) => {
                        tracing::warn!(%error, "events wait for the store before they are sent");
                        false
                    }
                },
            };
            while self.running.try_join_next().is_some() {}
            let pause = async {
                if !more {
                    // A store that is gone shows nothing more; then the next deal says so.
                    let _ = timeout(DEAL_EVERY, seen.changed()).await;
                }
                sleep(GATHER).await;
            };
            tokio::select! {
                _ = stopping.wait_for(|stopping| *stopping) => break,
                () = pause => {}
            }
        }
        // Each task ends what it sends, and finds that no round follows.
        drop(self.rounds);
        while self.running.join_next().await.is_some() {}
    }

    /// Deals out what is new, and gives the tasks their round.
    async fn deal(&mut self, seen: EventsSeen) -> Result<Dealt, StoreError> {
        let settings = &self.settings;
        let rules = DealRules {
            hold: HOLD,
            keep_for: settings.keep_events,
            keep_count: settings.max_events,
            keep_parked: settings.keep_parked,
        };
        let asked = Instant::now();
        let dealt = self.store.deal(rules).await?;
        if dealt.sends {
            let webhooks = self.store.webhooks().await?;
            self.keep_tasks(webhooks);
        } else {
            self.keep_tasks(Vec::new());
        }
        let ours_until = if dealt.sends { asked + HOLD - MARGIN } else { asked };
        self.rounds.send_replace(Round { ours_until, now: dealt.now, at: asked, changes: seen.changes });
        Ok(dealt)
    }

    /// Has a task for each of these webhooks, and for no other; one that was made anew gets a new one.
    fn keep_tasks(&mut self, webhooks: Vec<Webhook>) {
        self.tasks.retain(|name, (running, task)| {
            let stays =
                !task.is_finished() && webhooks.iter().any(|webhook| webhook.name == *name && webhook == running);
            if !stays {
                task.abort();
            }
            stays
        });
        for webhook in webhooks {
            if self.tasks.contains_key(&webhook.name) {
                continue;
            }
            let (store, settings) = (Arc::clone(&self.store), Arc::clone(&self.settings));
            let receiver = Receiver { store, settings, metrics: Arc::clone(&self.metrics), webhook: webhook.clone() };
            let task = self.running.spawn(receiver.run(self.rounds.subscribe()));
            self.tasks.insert(webhook.name.clone(), (webhook, task));
        }
    }
}
