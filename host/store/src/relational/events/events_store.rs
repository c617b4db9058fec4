//! What the rest of the host asks about events.

use std::time::Duration;

use bulkhead_core::{Timestamp, WebhookName};

use tokio::sync::watch;

use super::super::failure::reading;
use super::super::request::Request;
use super::super::store::DatabaseStore;
use super::asks::{AskedEvents, EventAsk, EventReply};
use super::{reads, webhooks};
use crate::{
    Backlog, BoxFuture, DealRules, Dealt, DueDeliveries, EventPage, EventStore, EventsSeen, Listener, NewWebhook,
    ParkedDelivery, Settlement, StoreError, Webhook, WebhookFate,
};

impl DatabaseStore {
    async fn ask_events(&self, ask: EventAsk) -> Result<EventReply, StoreError> {
        self.ask(|answer| Request::Events(AskedEvents { ask, answer })).await
    }
}

/// The one answer that fits what was asked.
macro_rules! reply {
    ($reply:expr, $fits:ident) => {
        match $reply.await? {
            EventReply::$fits(answer) => Ok(answer),
            other => Err(StoreError::Database(format!("the store answered something else: {other:?}"))),
        }
    };
}

impl EventStore for DatabaseStore {
    fn listen(&self) -> Listener {
        self.shared.events.listen()
    }

    fn watch_events(&self) -> watch::Receiver<EventsSeen> {
        self.shared.events.watch()
    }

    fn events(&self, after: i64, count: usize) -> BoxFuture<'_, Result<EventPage, StoreError>> {
        Box::pin(
            self.readers.read(move |connection| reads::page(connection, after, count).map_err(|error| reading(&error))),
        )
    }

    fn keep_stream(&self, time: Duration) -> BoxFuture<'_, Result<i64, StoreError>> {
        Box::pin(async move { reply!(self.ask_events(EventAsk::KeepStream(time)), Position) })
    }

    fn add_webhook(&self, webhook: NewWebhook) -> BoxFuture<'_, Result<WebhookFate, StoreError>> {
        Box::pin(async move { reply!(self.ask_events(EventAsk::Add(webhook)), Added) })
    }

    fn remove_webhook<'a>(&'a self, name: &'a WebhookName) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move { reply!(self.ask_events(EventAsk::Remove(name.clone())), Removed) })
    }

    fn webhooks(&self) -> BoxFuture<'_, Result<Vec<Webhook>, StoreError>> {
        Box::pin(self.readers.read(|connection| webhooks::list(connection).map_err(|error| reading(&error))))
    }

    fn backlog<'a>(&'a self, name: &'a WebhookName) -> BoxFuture<'a, Result<Option<Backlog>, StoreError>> {
        let name = name.clone();
        Box::pin(
            self.readers.read(move |connection| reads::backlog(connection, &name).map_err(|error| reading(&error))),
        )
    }

    fn parked<'a>(
        &'a self,
        name: &'a WebhookName,
        after: i64,
        count: usize,
    ) -> BoxFuture<'a, Result<Vec<ParkedDelivery>, StoreError>> {
        let name = name.clone();
        Box::pin(
            self.readers.read(move |connection| {
                reads::parked(connection, &name, after, count).map_err(|error| reading(&error))
            }),
        )
    }

    fn retry_parked<'a>(
        &'a self,
        name: &'a WebhookName,
        events: Option<Vec<i64>>,
    ) -> BoxFuture<'a, Result<Option<u64>, StoreError>> {
        Box::pin(async move { reply!(self.ask_events(EventAsk::Retry(name.clone(), events)), Retried) })
    }

    fn deal(&self, rules: DealRules) -> BoxFuture<'_, Result<Dealt, StoreError>> {
        Box::pin(async move { reply!(self.ask_events(EventAsk::Deal(rules)), Dealt) })
    }

    fn due<'a>(
        &'a self,
        name: &'a WebhookName,
        now: Timestamp,
        count: usize,
    ) -> BoxFuture<'a, Result<DueDeliveries, StoreError>> {
        let name = name.clone();
        Box::pin(
            self.readers
                .read(move |connection| reads::due(connection, &name, now, count).map_err(|error| reading(&error))),
        )
    }

    fn settle(&self, settlement: Settlement) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move { self.ask_events(EventAsk::Settle(settlement)).await.map(drop) })
    }
}
