//! What the store's thread is asked about events.

use std::time::Duration;

use bulkhead_core::WebhookName;

use super::super::cycle::Cycle;
use super::super::failure::Halt;
use super::super::request::Answer;
use crate::{DealRules, Dealt, NewWebhook, Settlement, WebhookFate};

/// Something asked, and where the answer goes.
#[derive(Debug)]
pub(in crate::relational) struct AskedEvents {
    pub(super) ask: EventAsk,
    pub(in crate::relational) answer: Answer<EventReply>,
}

/// What is asked.
#[derive(Debug)]
pub(super) enum EventAsk {
    KeepStream(Duration),
    Add(NewWebhook),
    Remove(WebhookName),
    Retry(WebhookName, Option<Vec<i64>>),
    Deal(DealRules),
    Settle(Settlement),
}

/// What was done.
#[derive(Debug)]
pub(in crate::relational) enum EventReply {
    Position(i64),
    Added(WebhookFate),
    Removed(bool),
    Retried(Option<u64>),
    Dealt(Dealt),
    Done,
}

impl Cycle<'_> {
    /// Does what is asked about events; last in a cycle, since it may have to wait for what hosts share.
    pub(in crate::relational) fn do_events(&mut self, asked: &[AskedEvents]) -> Result<(), Halt> {
        for AskedEvents { ask, .. } in asked {
            let reply = match ask {
                EventAsk::KeepStream(time) => EventReply::Position(self.keep_stream(*time)?),
                EventAsk::Add(webhook) => EventReply::Added(self.add_webhook(webhook)?),
                EventAsk::Remove(name) => EventReply::Removed(self.remove_webhook(name)?),
                EventAsk::Retry(name, events) => EventReply::Retried(self.retry_parked(name, events.as_deref())?),
                EventAsk::Deal(rules) => EventReply::Dealt(self.deal(rules)?),
                EventAsk::Settle(settlement) => {
                    self.settle_deliveries(settlement)?;
                    EventReply::Done
                }
            };
            self.out.event_replies.push(reply);
        }
        Ok(())
    }

    /// Keeps events for readers from here on; the number of the latest.
    ///
    /// Where none were kept for a while, one number is passed over: who read up to the one before it has missed something.
    fn keep_stream(&mut self, time: Duration) -> Result<i64, Halt> {
        self.save_events()?;
        self.know_interests()?;
        let until = self.now.after(time);
        let kept_until = self.memory.events.stream_until();
        if kept_until <= self.now {
            let update = "UPDATE event_facts SET value = value + 1 WHERE name = 'next' RETURNING value";
            let next: i64 = self.connection.prepare_cached(update)?.query_row([], |row| row.get(0))?;
            self.set_fact("unbroken", next)?;
            self.out.next_event = Some(next);
        }
        // Not at each reader's every word: a third of the time may pass before it is written again.
        if kept_until < until.before(time / 3) {
            self.set_fact("stream_until", until.as_millis())?;
            self.memory.events.keep_stream_until(until);
        }
        Ok(self.out.next_event.unwrap_or(self.memory.events.next) - 1)
    }
}
