//! Writing the events that are kept, and giving them their numbers.

use std::sync::Arc;

use bulkhead_core::{Event, EventData};
use tokio_postgres::types::Type;

use super::super::cycle::Cycle;
use super::super::failure::Halt;
use super::super::ids;
use super::notes::Noted;
use crate::LiveEvent;
use crate::postgres::Client;
use crate::sql::{OptionalExtension, params};

/// Events that are given numbers in one cycle; the next follows.
const NUMBERED: i64 = 10_000;

impl Cycle<'_> {
    /// Writes what was noted and is kept, and makes ready what is told; in the order in which it happened.
    pub(in crate::relational) fn save_events(&mut self) -> Result<(), Halt> {
        let noted = std::mem::take(&mut self.out.events);
        self.memory.events.run = None;
        let shared = self.connection.postgres();
        if let Some(client) = shared {
            let kept: Vec<&Noted> = noted.iter().filter(|noted| noted.event.is_durable()).collect();
            if !kept.is_empty() {
                self.keep_events(client, &kept)?;
            }
            let look = self.looks && !self.memory.events.is_idle(self.now);
            if !kept.is_empty() || look || self.memory.events.unnumbered {
                self.number_events()?;
            }
        }
        let first = self.out.next_event.unwrap_or(self.memory.events.next);
        let mut next = first;
        for noted in noted {
            if !noted.event.is_durable() {
                self.make_live(noted, next - 1)?;
            } else if shared.is_none() && self.keep_event(&noted, next)? {
                next += 1;
            }
        }
        if next > first {
            self.set_fact("next", next)?;
            self.out.next_event = Some(next);
        }
        Ok(())
    }

    /// Keeps an event under its number; false where its task is gone.
    fn keep_event(&mut self, noted: &Noted, number: i64) -> Result<bool, Halt> {
        const INSERT: &str = "INSERT INTO events (number, at, type, task, kind, tenant, data) \
            SELECT ?1, ?2, ?3, id, ?4, tenant, ?5 FROM tasks WHERE seq = ?6";
        let kind = self.route(noted.route)?.kind.clone();
        let kept = self.connection.execute(
            INSERT,
            params![number, self.now.as_millis(), noted.event.number(), kind.as_str(), facts(noted), noted.seq.0],
        )?;
        Ok(kept > 0)
    }

    /// Keeps events in one statement; they get their numbers after that.
    fn keep_events(&mut self, client: &Client, kept: &[&Noted]) -> Result<(), Halt> {
        const INSERT: &str = "INSERT INTO events (at, type, task, kind, tenant, data) \
            SELECT CAST(?1 AS BIGINT), u.type, t.id, u.kind, t.tenant, u.data \
            FROM unnest(?2::bigint[], ?3::bigint[], ?4::text[], ?5::text[]) \
                WITH ORDINALITY AS u (seq, type, kind, data, place) \
            JOIN tasks t ON t.seq = u.seq ORDER BY u.place";
        let (mut seqs, mut types, mut kinds, mut data) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for noted in kept {
            seqs.push(noted.seq.0);
            types.push(noted.event.number());
            kinds.push(self.route(noted.route)?.kind.as_str().to_owned());
            data.push(facts(noted));
        }
        let values = vec![
            (Box::new(self.now.as_millis()) as _, Type::INT8),
            (Box::new(seqs) as _, Type::INT8_ARRAY),
            (Box::new(types) as _, Type::INT8_ARRAY),
            (Box::new(kinds) as _, Type::TEXT_ARRAY),
            (Box::new(data) as _, Type::TEXT_ARRAY),
        ];
        Ok(client.later(INSERT, values)?)
    }

    /// Gives numbers to the events that have none, unless another host is doing so.
    ///
    /// Who holds the row of the next number gives numbers, until its transaction ends: so they become visible in their
    /// order, whatever the order in which hosts commit. Keys of one task's events grow, since what makes the later one
    /// has seen the earlier.
    pub(super) fn number_events(&mut self) -> Result<(), Halt> {
        const NEXT: &str = "SELECT value FROM event_facts WHERE name = 'next' FOR UPDATE SKIP LOCKED";
        const NUMBER: &str = "UPDATE events SET number = n.number FROM (SELECT key, CAST(?1 AS BIGINT) - 1 + row_number() OVER \
            (ORDER BY key) AS number FROM (SELECT key FROM events WHERE number IS NULL ORDER BY key LIMIT ?2) u) n \
            WHERE events.key = n.key";
        let next: Option<i64> = self.connection.prepare_cached(NEXT)?.query_row([], |row| row.get(0)).optional()?;
        self.memory.events.unnumbered = next.is_none();
        let Some(next) = next else { return Ok(()) };
        let numbered = self.connection.execute(NUMBER, [next, NUMBERED])?;
        let numbered = i64::try_from(numbered).unwrap_or(i64::MAX);
        if numbered > 0 {
            self.set_fact("next", next + numbered)?;
        }
        self.memory.events.unnumbered = numbered == NUMBERED;
        self.out.next_event = Some(next + numbered);
        Ok(())
    }

    /// Makes an event ready that is told and not kept.
    fn make_live(&mut self, noted: Noted, after: i64) -> Result<(), Halt> {
        let named = match noted.named {
            Some(named) => Some(named),
            None => {
                let mut statement = self.connection.prepare_cached("SELECT id, tenant FROM tasks WHERE seq = ?1")?;
                let found = statement.query_row([noted.seq.0], |row| Ok((ids::read(row.get_ref(0)?), row.get(1)?)));
                found.optional()?
            }
        };
        let Some((task, tenant)) = named else { return Ok(()) };
        let kind = self.route(noted.route)?.kind.clone();
        let data = EventData { task, kind, tenant, facts: noted.facts };
        let event = Event { event_type: noted.event, timestamp: self.now, data };
        self.out.live.push(LiveEvent { after, event: Arc::new(event) });
        Ok(())
    }

    /// Writes what holds of the stream.
    pub(super) fn set_fact(&self, name: &str, value: i64) -> Result<(), Halt> {
        let update = "UPDATE event_facts SET value = ?2 WHERE name = ?1";
        self.connection.execute(update, params![name, value])?;
        Ok(())
    }
}

/// What is kept of an event beside its task.
fn facts(noted: &Noted) -> String {
    serde_json::to_string(&noted.facts).unwrap_or_else(|_| "{}".to_owned())
}
