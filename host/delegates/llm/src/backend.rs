//! A backend and how it fares.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bulkhead_core::{Breaker, BreakerRules, BreakerState};
use bulkhead_outbound::Trust;
use reqwest::Client;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;
use url::Url;

use crate::address::under;
use crate::choose::Standing;
use crate::client;
use crate::key::{Key, KeySource};
use crate::{BackendSettings, KeyError, LlmError};

/// A backend of the operator's.
#[derive(Debug)]
pub(crate) struct Backend {
    name: String,
    settings: BackendSettings,
    base: Url,
    key: KeySource,
    client: Client,
    slots: Semaphore,
    rules: BreakerRules,
    since: Instant,
    health: Mutex<Health>,
}

#[derive(Debug, Default)]
struct Health {
    breaker: Breaker,
    /// Until when it asked to be left alone, counted as the breaker counts.
    alone_until: Duration,
}

impl Backend {
    /// A backend from its settings, with its key and its authorities.
    pub(crate) fn new(
        name: &str,
        settings: &BackendSettings,
        rules: BreakerRules,
        system: &Trust,
    ) -> Result<Self, LlmError> {
        let base = settings.url.parse().map_err(|rule| LlmError::Setting {
            name: format!("llm.backends.{name}.url"),
            rule: format!("cannot be used: {rule}"),
        })?;
        let key = settings.key.as_ref().map_or(Ok(KeySource::None), crate::KeyPlace::open);
        let key = key.map_err(|source| LlmError::Key { backend: name.to_owned(), source })?;
        let client = client::build(name, settings, base.scheme() == "https", system)?;
        let slots = usize::try_from(settings.concurrency.get()).unwrap_or(Semaphore::MAX_PERMITS);
        Ok(Self {
            name: name.to_owned(),
            settings: settings.clone(),
            base,
            key,
            client,
            slots: Semaphore::new(slots.min(Semaphore::MAX_PERMITS)),
            rules,
            since: Instant::now(),
            health: Mutex::default(),
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) const fn settings(&self) -> &BackendSettings {
        &self.settings
    }

    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// The address of something that it offers.
    pub(crate) fn address(&self, segments: &[&str]) -> Url {
        under(&self.base, segments)
    }

    /// Its key as it is now.
    pub(crate) async fn key(&self) -> Result<Option<Key>, KeyError> {
        self.key.key().await
    }

    /// How it is to all candidates.
    pub(crate) fn standing(&self) -> Standing {
        let now = self.since.elapsed();
        let mut health = self.health();
        if health.breaker.is_open(now) {
            // While it is open the answer changes nothing in the breaker.
            return match health.breaker.ask(now) {
                BreakerState::Open(rest) => Standing::Rests(rest),
                BreakerState::Closed | BreakerState::Trying => Standing::Free,
            };
        }
        let alone = health.alone_until.saturating_sub(now);
        drop(health);
        match (alone.is_zero(), self.slots.available_permits()) {
            (false, _) => Standing::Waits(alone),
            (true, 0) => Standing::Busy,
            (true, _) => Standing::Free,
        }
    }

    /// A slot, if one is free.
    pub(crate) fn try_slot(&self) -> Option<SemaphorePermit<'_>> {
        self.slots.try_acquire().ok()
    }

    /// A slot when one is free; safe to drop, which gives up the place in the queue.
    pub(crate) async fn slot(&self) -> Option<SemaphorePermit<'_>> {
        self.slots.acquire().await.ok()
    }

    /// Whether a request may go out now; who waited for a slot has not seen what became of the one before.
    pub(crate) fn ask(&self) -> BreakerState {
        let now = self.since.elapsed();
        let mut health = self.health();
        let alone = health.alone_until.saturating_sub(now);
        if alone.is_zero() { health.breaker.ask(now) } else { BreakerState::Open(alone) }
    }

    pub(crate) fn succeeded(&self) {
        self.health().breaker.succeeded();
    }

    pub(crate) fn failed(&self) {
        self.health().breaker.failed(self.rules, self.since.elapsed());
    }

    pub(crate) fn abandoned(&self) {
        self.health().breaker.abandoned();
    }

    /// It asked to be left alone for so long.
    pub(crate) fn leave_alone(&self, wait: Duration) {
        let until = self.since.elapsed() + wait;
        let mut health = self.health();
        health.alone_until = health.alone_until.max(until);
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
