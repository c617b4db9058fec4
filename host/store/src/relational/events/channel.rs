//! Telling those who listen on this host, once what happened is durable.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bulkhead_core::{Event, EventData, EventFacts, EventType, Timestamp};
use tokio::sync::{broadcast, watch};

use super::super::memory::Memory;
use super::super::outcome::Outcome;
use crate::events::Counted;
use crate::{Claimed, EventsSeen, Listener, LiveEvent};

/// Events that a slow listener may be behind; then it misses the oldest. Somewhat more than the largest batch of tasks.
const BUFFERED: usize = 16_384;

/// The way from the store's thread to those who listen.
#[derive(Debug)]
pub(in crate::relational) struct Channel {
    live: broadcast::Sender<LiveEvent>,
    seen: watch::Sender<EventsSeen>,
    listeners: Arc<AtomicUsize>,
}

impl Default for Channel {
    fn default() -> Self {
        Self {
            live: broadcast::Sender::new(BUFFERED),
            seen: watch::Sender::new(EventsSeen::default()),
            listeners: Arc::default(),
        }
    }
}

impl Channel {
    pub(super) fn listen(&self) -> Listener {
        let _counted = Counted::new(&self.listeners);
        Listener { live: self.live.subscribe(), _counted }
    }

    pub(super) fn watch(&self) -> watch::Receiver<EventsSeen> {
        self.seen.subscribe()
    }

    /// Whether anybody listens.
    pub(super) fn is_heard(&self) -> bool {
        self.listeners.load(Ordering::Relaxed) > 0
    }

    fn show(&self, latest: Option<i64>, changed: bool) {
        self.seen.send_if_modified(|seen| {
            let before = *seen;
            seen.latest = latest.map_or(seen.latest, |latest| latest.max(seen.latest));
            seen.changes += u64::from(changed);
            *seen != before
        });
    }

    fn send(&self, event: LiveEvent) {
        // Nobody may be left to hear it.
        let _ = self.live.send(event);
    }
}

/// Tells what a cycle has done, after its commit.
pub(in crate::relational) fn tell(memory: &mut Memory, outcome: &mut Outcome, now: Timestamp) {
    if let Some(next) = outcome.next_event {
        memory.events.next = next;
    }
    let (after, channel) = (memory.events.next - 1, &memory.shared.events);
    let live = std::mem::take(&mut outcome.live);
    if channel.is_heard() {
        live.into_iter().for_each(|event| channel.send(event));
        for claim in &outcome.claims {
            let worker = memory.workers.get(&claim.lease.worker).map(|attached| attached.name.to_string());
            for task in &claim.tasks {
                channel.send(LiveEvent { after, event: Arc::new(claimed(task, worker.clone(), now)) });
            }
        }
    }
    // Last, so that who sees the number of a kept event has been sent whatever came before it.
    channel.show(outcome.next_event.map(|next| next - 1), outcome.events_changed);
}

fn claimed(task: &Claimed, worker: Option<String>, timestamp: Timestamp) -> Event {
    let history = task.history.as_deref();
    let (epoch, attempts, stage) = history.map_or((1, 0, 0), |kept| (kept.epoch, kept.attempts, kept.stage));
    let facts = EventFacts { epoch, attempt: attempts + 1, stage, worker, ..EventFacts::default() };
    let tenant = task.extras.as_ref().and_then(|extras| extras.tenant.clone());
    let data = EventData { task: task.id.clone(), kind: task.route.kind.clone(), tenant, facts };
    Event { event_type: EventType::Claimed, timestamp, data }
}
