//! What of events is subscribed, as far as the store's thread knows.

use std::sync::Arc;

use bulkhead_core::{EventFilter, EventType, HandlerVersion, Kind, Timestamp};

use super::super::cycle::Cycle;
use super::super::failure::Halt;
use crate::TaskSeq;
use crate::sql::Row;

/// The columns that say what is subscribed.
pub(in crate::relational) const INTERESTS: &str = "(SELECT value FROM event_facts WHERE name = 'version'), \
    (SELECT value FROM event_facts WHERE name = 'stream_until'), (SELECT value FROM event_facts WHERE name = 'next')";

/// What is subscribed; all of it can be read back from the database.
#[derive(Debug, Default)]
pub(in crate::relational) struct Desk {
    /// Whether the rest is what the database says; where other hosts have it, too, that is asked in each cycle.
    known: bool,
    /// The version of the webhooks that `filters` are of.
    version: Option<i64>,
    filters: Vec<EventFilter>,
    stream_until: Timestamp,
    /// The number of the next event, after the last commit.
    pub(super) next: i64,
    /// Events are kept that have no number yet, since another host was giving numbers.
    pub(super) unnumbered: bool,
    /// When old events are removed.
    pub(super) prune_at: Timestamp,
    /// The run whose end is being written.
    pub(super) run: Option<RunOf>,
}

/// Who ran a task.
#[derive(Debug)]
pub(super) struct RunOf {
    pub(super) seq: TaskSeq,
    pub(super) worker: Arc<str>,
    pub(super) handler: Option<Arc<HandlerVersion>>,
}

/// What the database says of what is subscribed.
#[derive(Debug, Clone, Copy)]
pub(in crate::relational) struct Interests {
    version: i64,
    stream_until: Timestamp,
    next: i64,
}

impl Interests {
    /// From the columns of [`INTERESTS`].
    pub(in crate::relational) fn read(row: &Row<'_>, first: usize) -> crate::sql::Result<Self> {
        let stream_until = Timestamp::from_millis(row.get(first + 1)?);
        Ok(Self { version: row.get(first)?, stream_until, next: row.get(first + 2)? })
    }
}

impl Desk {
    /// Forgets what was learnt in a transaction that was rolled back.
    pub(in crate::relational) fn forget(&mut self) {
        (self.known, self.version) = (false, None);
    }

    /// Asks again in this cycle: other hosts may have changed it.
    pub(in crate::relational) fn doubt(&mut self) {
        self.known = false;
    }

    /// Whether nobody is known to have subscribed to anything.
    pub(super) fn is_idle(&self, now: Timestamp) -> bool {
        self.filters.is_empty() && !self.keeps_stream(now)
    }

    /// Whether that is what the database says.
    pub(super) fn is_surely_idle(&self, now: Timestamp) -> bool {
        self.known && self.is_idle(now)
    }

    /// Whether events are kept for readers of the stream.
    pub(super) fn keeps_stream(&self, now: Timestamp) -> bool {
        self.stream_until > now
    }

    /// Whether a webhook may want such an event.
    pub(super) fn may_deliver(&self, event: EventType, kind: &Kind) -> bool {
        self.filters.iter().any(|filter| filter.may_want(event, kind))
    }

    pub(super) const fn stream_until(&self) -> Timestamp {
        self.stream_until
    }

    pub(super) fn keep_stream_until(&mut self, moment: Timestamp) {
        self.stream_until = moment;
    }
}

impl Cycle<'_> {
    /// Makes sure that it is known what is subscribed.
    pub(super) fn know_interests(&mut self) -> Result<(), Halt> {
        if self.memory.events.known {
            return Ok(());
        }
        let select = format!("SELECT {INTERESTS}");
        let interests = self.connection.prepare_cached(&select)?.query_row([], |row| Interests::read(row, 0))?;
        self.hear_interests(interests)
    }

    /// Hears what is subscribed.
    pub(in crate::relational) fn hear_interests(&mut self, interests: Interests) -> Result<(), Halt> {
        let Interests { version, stream_until, next } = interests;
        self.out.next_event = Some(next);
        self.memory.events.stream_until = stream_until;
        if self.memory.events.version != Some(version) {
            self.memory.events.filters = self.webhook_filters()?;
            self.memory.events.version = Some(version);
            self.out.events_changed = true;
        }
        self.memory.events.known = true;
        Ok(())
    }
}
