//! Events: what is kept of them, who reads them as a stream, and how they come to receivers outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bulkhead_core::{Event, EventFilter, Timestamp, WebhookName};
use serde::Serialize;
use tokio::sync::{broadcast, watch};

use crate::{BoxFuture, StoreError};

/// The most webhooks that a store keeps.
pub const MAX_WEBHOOKS: usize = 100;

/// The part of the store that tells. Events that are kept have a number; it is given once they are durable, so whoever
/// has read up to a number has missed nothing before it.
pub trait EventStore: Send + Sync + 'static {
    /// Listens from here on to what happens on this host; kept events are read with [`EventStore::events`].
    fn listen(&self) -> Listener;

    /// What is known of the kept events, without listening to the others.
    fn watch_events(&self) -> watch::Receiver<EventsSeen>;

    /// Kept events after the one of this number, in their order, at most so many.
    fn events(&self, after: i64, count: usize) -> BoxFuture<'_, Result<EventPage, StoreError>>;

    /// Keeps events for readers of the stream from here on, for so long at least; gives the number of the latest.
    fn keep_stream(&self, time: Duration) -> BoxFuture<'_, Result<i64, StoreError>>;

    /// Adds a webhook; it is sent what happens from here on.
    fn add_webhook(&self, webhook: NewWebhook) -> BoxFuture<'_, Result<WebhookFate, StoreError>>;

    /// Removes a webhook with all that is on its way to it; false where there is none.
    fn remove_webhook<'a>(&'a self, name: &'a WebhookName) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// Every webhook, by name.
    fn webhooks(&self) -> BoxFuture<'_, Result<Vec<Webhook>, StoreError>>;

    /// How much is on its way to a webhook; `None` where there is none of that name.
    fn backlog<'a>(&'a self, name: &'a WebhookName) -> BoxFuture<'a, Result<Option<Backlog>, StoreError>>;

    /// Deliveries that were given up, after the event of this number, at most so many.
    fn parked<'a>(
        &'a self,
        name: &'a WebhookName,
        after: i64,
        count: usize,
    ) -> BoxFuture<'a, Result<Vec<ParkedDelivery>, StoreError>>;

    /// Tries deliveries again that were given up: those of these events, or all; how many, or `None` where there is no
    /// such webhook.
    fn retry_parked<'a>(
        &'a self,
        name: &'a WebhookName,
        events: Option<Vec<i64>>,
    ) -> BoxFuture<'a, Result<Option<u64>, StoreError>>;

    /// Deals new events out to webhooks, where this host is the one that sends, and removes what is over.
    fn deal(&self, rules: DealRules) -> BoxFuture<'_, Result<Dealt, StoreError>>;

    /// What is to be sent to a webhook by `now`, at most so much: of each task the first that it has not got.
    fn due<'a>(
        &'a self,
        name: &'a WebhookName,
        now: Timestamp,
        count: usize,
    ) -> BoxFuture<'a, Result<DueDeliveries, StoreError>>;

    /// Writes what became of deliveries.
    fn settle(&self, settlement: Settlement) -> BoxFuture<'_, Result<(), StoreError>>;
}

/// Somebody who listens; the store tells only while there is one.
#[derive(Debug)]
pub struct Listener {
    /// What is not kept, as it happens; who is too slow misses the oldest and is told how many.
    pub live: broadcast::Receiver<LiveEvent>,
    pub(crate) _counted: Counted,
}

/// One more listener, until it is dropped.
#[derive(Debug)]
pub(crate) struct Counted(Arc<AtomicUsize>);

impl Counted {
    pub(crate) fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// An event that is told and not kept.
#[derive(Debug, Clone)]
pub struct LiveEvent {
    /// Kept events up to this number came before it.
    pub after: i64,
    /// The event.
    pub event: Arc<Event>,
}

/// What this host knows of the stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EventsSeen {
    /// The number of the latest event that is kept.
    pub latest: i64,
    /// Grows when webhooks, or what is on its way to them, are changed by hand.
    pub changes: u64,
}

/// A kept event.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptEvent {
    /// Its place in the stream.
    pub number: i64,
    /// The event.
    pub event: Event,
}

/// A part of the stream.
#[derive(Debug, Clone, PartialEq)]
pub struct EventPage {
    /// The events, in order.
    pub items: Vec<KeptEvent>,
    /// From this number on nothing is missing; what is before was removed, or never kept.
    pub unbroken: i64,
    /// The number of the latest event there is.
    pub latest: i64,
}

/// A webhook to be added.
#[derive(Debug, Clone)]
pub struct NewWebhook {
    /// What it is called.
    pub name: WebhookName,
    /// Where events are sent.
    pub url: String,
    /// Which.
    pub filter: EventFilter,
    /// The signing secret, or where it is.
    pub secret: StoredSecret,
}

/// A signing secret as it is stored: itself, `env:NAME` or `file:PATH`. Printed, it is masked.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredSecret(String);

impl StoredSecret {
    /// Wraps it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text; not to be shown.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Where it is, where it is not stored itself.
    pub fn place(&self) -> Option<&str> {
        Some(self.0.as_str()).filter(|text| text.starts_with("env:") || text.starts_with("file:"))
    }
}

impl std::fmt::Debug for StoredSecret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.place().unwrap_or("***"))
    }
}

/// What became of adding a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookFate {
    /// It is there.
    Added(Box<Webhook>),
    /// One of this name was there.
    Taken,
    /// There are as many as a store keeps.
    TooMany,
}

/// A webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// What it is called.
    pub name: WebhookName,
    /// When it was added.
    pub made_at: Timestamp,
    /// Where events are sent.
    pub url: String,
    /// Which.
    pub filter: EventFilter,
    /// The signing secret, or where it is.
    pub secret: StoredSecret,
}

/// How much is on its way to a webhook.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Backlog {
    /// Deliveries that wait, tried or not.
    pub pending: u64,
    /// When the oldest of them began to.
    pub oldest: Option<Timestamp>,
    /// Deliveries that were given up.
    pub parked: u64,
    /// What the receiver, or the way to it, said last of those that wait.
    pub error: Option<String>,
}

/// A delivery that was given up.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ParkedDelivery {
    /// The event's number.
    pub number: i64,
    /// When it was given up.
    pub parked_at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// What was said last.
    pub error: Option<String>,
    /// The event.
    pub event: Event,
}

/// How long what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DealRules {
    /// How long this host alone sends, unless it deals again.
    pub hold: Duration,
    /// How long events are kept.
    pub keep_for: Duration,
    /// How many events are kept at most.
    pub keep_count: u64,
    /// How long deliveries are kept that were given up.
    pub keep_parked: Duration,
}

/// What came of dealing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dealt {
    /// Whether this host is the one that sends.
    pub sends: bool,
    /// Whether there is more to be dealt at once.
    pub more: bool,
    /// The store's time.
    pub now: Timestamp,
}

/// What is to be sent to a webhook.
#[derive(Debug, Clone, PartialEq)]
pub struct DueDeliveries {
    /// What is due.
    pub items: Vec<DueDelivery>,
    /// When something more will be, as far as is known.
    pub next_at: Option<Timestamp>,
}

/// One event that is to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct DueDelivery {
    /// The event's number.
    pub number: i64,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was dealt out.
    pub since: Timestamp,
    /// The event.
    pub event: Event,
}

/// What became of deliveries to one webhook.
#[derive(Debug, Clone, PartialEq)]
pub struct Settlement {
    /// The webhook.
    pub webhook: WebhookName,
    /// Each by the event's number.
    pub settled: Vec<(i64, DeliveryFate)>,
    /// Everything that waits since this moment or longer is given up, with these words.
    pub give_up: Option<(Timestamp, String)>,
}

/// What became of one delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryFate {
    /// The receiver has it.
    Delivered,
    /// It is tried again at this moment.
    Again(Timestamp, String),
    /// It was given up.
    Parked(String),
}
