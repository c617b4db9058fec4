//! What one reader of the stream is sent, in order: kept events from the store, the others as they happen.
//!
//! Nothing is made ready before the reader takes it, so a slow one holds up nobody. It loses no event that is kept: those
//! wait in the store. Of the others it misses the oldest, and is told how many.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::Event as Message;
use bulkhead_core::{Event, EventFilter, EventTypes};
use bulkhead_store::{EventsSeen, Listener, LiveEvent, Store, StoreError};
use serde_json::json;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until};

use crate::app::App;
use crate::event_streams::OpenStream;
use crate::problem::Problem;

/// Kept events that are read at once.
const PAGE: usize = 256;

/// So many times `resume_within` are asked for, and so many times in it: the store does not write it again before a third of
/// the time asked for has passed, so that a reader that leaves just before it asks again has one whole left.
const KEPT: u32 = 2;
const RENEWALS: u32 = 3;

/// What ends a wait.
enum Woken {
    Over,
    Kept,
    Live(LiveEvent),
    Missed(u64),
    Heartbeat,
    Renewal,
}

/// One reader's feed.
pub(crate) struct Feed {
    store: Arc<dyn Store>,
    seen: watch::Receiver<EventsSeen>,
    /// Where the others come from; none where the reader wants none of them.
    listener: Option<Listener>,
    filter: EventFilter,
    /// The number up to which kept events were read.
    position: i64,
    /// The number that the reader was told last.
    told: i64,
    ready: VecDeque<Message>,
    /// An event that is not kept, and waits for the kept ones before it.
    live: Option<LiveEvent>,
    heartbeat: Interval,
    resume_within: Duration,
    renew_at: Instant,
    stopping: watch::Receiver<bool>,
    stream: OpenStream,
}

impl Feed {
    /// Begins after the event of this number, or with what happens from here on.
    pub(crate) async fn open(
        app: &App,
        filter: EventFilter,
        after: Option<i64>,
        stream: OpenStream,
    ) -> Result<Self, Problem> {
        let settings = app.settings.streams;
        let (seen, durable) = (app.store.watch_events(), EventTypes::durable());
        let keeps = filter.types.iter().any(|event| durable.has(event));
        let listens = filter.types.iter().any(|event| !durable.has(event));
        // Before the position is known, so that nothing falls between.
        let listener = listens.then(|| app.store.listen());
        let latest = if keeps {
            app.store.keep_stream(settings.resume_within * KEPT).await?
        } else {
            app.store.events(i64::MAX, 1).await?.latest
        };
        if let Some(after) = after.filter(|after| *after > latest) {
            let detail =
                format!("there is no event `{after}` yet; the latest is {latest}: leave last-event-id and after out");
            return Err(Problem::Malformed(detail));
        }
        let mut heartbeat = interval_at(Instant::now() + settings.heartbeat, settings.heartbeat);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let position = after.unwrap_or(latest);
        // The first thing said is where the stream begins, so that it can be resumed before anything has happened.
        let ready = VecDeque::from([Message::default().id(position.to_string()).comment("bulkhead events")]);
        Ok(Self {
            store: Arc::clone(&app.store),
            seen,
            listener,
            filter,
            position,
            told: position,
            ready,
            live: None,
            heartbeat,
            resume_within: settings.resume_within,
            renew_at: if keeps { Instant::now() + settings.resume_within / RENEWALS } else { Instant::now() + NEVER },
            stopping: app.stopping.clone(),
            stream,
        })
    }

    /// The next message; none once the host stops or the store is closed.
    pub(crate) async fn next(&mut self) -> Option<Message> {
        loop {
            if *self.stopping.borrow() {
                return None;
            }
            if let Some(message) = self.ready.pop_front() {
                return Some(message);
            }
            match self.fill().await {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    // It comes back with the number it has, and finds the store working or learns that it is not.
                    tracing::warn!(%error, "a stream of events ends, since the store cannot be read");
                    return None;
                }
            }
        }
    }

    /// Makes something ready, or waits until there may be something; false where nothing more will come.
    async fn fill(&mut self) -> Result<bool, StoreError> {
        // Looked at before the others, of which those that came before it are sent earlier.
        let latest = self.seen.borrow_and_update().latest;
        if let (None, Some(listener)) = (&self.live, &mut self.listener) {
            match listener.live.try_recv() {
                Ok(live) => self.live = Some(live),
                Err(TryRecvError::Lagged(count)) => {
                    self.miss(count);
                    return Ok(true);
                }
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Closed) => return Ok(false),
            }
        }
        let upto = self.live.as_ref().map_or(latest, |live| live.after);
        if self.position < upto {
            self.read(upto).await?;
            return Ok(true);
        }
        if let Some(live) = self.live.take() {
            if !live.event.event_type.is_durable() && self.filter.wants(&live.event) {
                self.ready.push_back(message(&live.event));
            }
            return Ok(true);
        }
        self.wait().await
    }

    async fn wait(&mut self) -> Result<bool, StoreError> {
        let live = async {
            match &mut self.listener {
                Some(listener) => listener.live.recv().await,
                None => std::future::pending().await,
            }
        };
        let woken = tokio::select! {
            _ = self.stopping.wait_for(|stopping| *stopping) => Woken::Over,
            changed = self.seen.changed() => changed.map_or(Woken::Over, |()| Woken::Kept),
            live = live => match live {
                Ok(live) => Woken::Live(live),
                Err(RecvError::Lagged(count)) => Woken::Missed(count),
                Err(RecvError::Closed) => Woken::Over,
            },
            _ = self.heartbeat.tick() => Woken::Heartbeat,
            () = sleep_until(self.renew_at) => Woken::Renewal,
        };
        match woken {
            Woken::Over => return Ok(false),
            Woken::Kept => {}
            Woken::Live(live) => self.live = Some(live),
            Woken::Missed(count) => self.miss(count),
            Woken::Heartbeat => self.beat(),
            Woken::Renewal => {
                self.store.keep_stream(self.resume_within * KEPT).await?;
                self.renew_at = Instant::now() + self.resume_within / RENEWALS;
            }
        }
        Ok(true)
    }

    /// Says that the stream lives, and how far it has come.
    fn beat(&mut self) {
        let mut message = Message::default().comment("");
        // What was read and not wanted counts, too: the reader need not have it read again.
        if self.position > self.told {
            self.told = self.position;
            message = message.id(self.position.to_string());
        }
        self.ready.push_back(message);
    }

    /// Reads kept events up to the one of this number, at most a page of them.
    async fn read(&mut self, upto: i64) -> Result<(), StoreError> {
        let page = self.store.events(self.position, PAGE).await?;
        if page.unbroken > self.position + 1 {
            // Who asks for all that are kept, from 0, misses nothing.
            if self.position > 0 {
                let detail = json!({ "from": self.position + 1, "to": page.unbroken - 1 });
                let missed = Message::default().event("missed").id((page.unbroken - 1).to_string());
                self.ready.push_back(missed.data(detail.to_string()));
                self.told = page.unbroken - 1;
            }
            self.position = page.unbroken - 1;
        }
        let whole = page.items.len() < PAGE;
        for kept in page.items {
            if kept.number > upto {
                break;
            }
            self.position = kept.number;
            if self.filter.wants(&kept.event) {
                self.told = kept.number;
                self.ready.push_back(message(&kept.event).id(kept.number.to_string()));
            }
        }
        if whole {
            self.position = self.position.max(upto.min(page.latest));
        }
        Ok(())
    }

    /// Tells the reader that it was too slow.
    fn miss(&mut self, count: u64) {
        self.stream.missed(count);
        let data = json!({ "events": count }).to_string();
        self.ready.push_back(Message::default().event("missed").data(data));
    }
}

/// Longer than any stream lives.
const NEVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

fn message(event: &Event) -> Message {
    let data = serde_json::to_string(event).unwrap_or_default();
    Message::default().event(event.event_type.as_str()).data(data)
}
