//! Reading events, and what is on its way to webhooks.

use bulkhead_core::{Event, EventData, EventFacts, EventType, Kind, Timestamp, WebhookName};

use super::super::ids;
use super::webhooks;
use crate::sql::{Connection, Error, Row, params};
use crate::{Backlog, DueDeliveries, DueDelivery, EventPage, KeptEvent, ParkedDelivery};

const EVENT: &str = "e.number, e.at, e.type, e.task, e.kind, e.tenant, e.data";

fn read(row: &Row<'_>) -> crate::sql::Result<KeptEvent> {
    let damaged = |what: &str| Error::Other(format!("an event is damaged: {what}"));
    let kind = Kind::parse(row.get::<String>(4)?).map_err(|error| damaged(&error.to_string()))?;
    let facts: EventFacts =
        serde_json::from_str(row.get_ref(6)?.as_str()?).map_err(|error| damaged(&error.to_string()))?;
    let event = Event {
        event_type: EventType::of_number(row.get(2)?).ok_or_else(|| damaged("its type is not known"))?,
        timestamp: Timestamp::from_millis(row.get(1)?),
        data: EventData { task: ids::read(row.get_ref(3)?), kind, tenant: row.get(5)?, facts },
    };
    Ok(KeptEvent { number: row.get(0)?, event })
}

/// Kept events after a number.
pub(super) fn page(connection: &Connection, after: i64, count: usize) -> crate::sql::Result<EventPage> {
    let select = format!("SELECT {EVENT} FROM events e WHERE e.number > ?1 ORDER BY e.number LIMIT ?2");
    let mut statement = connection.prepare_cached(&select)?;
    let items = statement.query_map(params![after, count as u64], read)?.collect::<crate::sql::Result<_>>()?;
    let fact = |name: &str| -> crate::sql::Result<i64> {
        let select = "SELECT value FROM event_facts WHERE name = ?1";
        connection.prepare_cached(select)?.query_row(params![name], |row| row.get(0))
    };
    Ok(EventPage { items, unbroken: fact("unbroken")?, latest: fact("next")? - 1 })
}

/// What is to be sent to a webhook.
pub(super) fn due(
    connection: &Connection,
    name: &WebhookName,
    now: Timestamp,
    count: usize,
) -> crate::sql::Result<DueDeliveries> {
    const NEXT: &str = "SELECT min(due) FROM deliveries WHERE webhook = ?1 AND parked_at IS NULL AND due > ?2";
    let select = format!(
        "SELECT {EVENT}, d.attempts, d.since FROM deliveries d JOIN events e ON e.number = d.number \
         WHERE d.webhook = ?1 AND d.parked_at IS NULL AND d.due <= ?2 \
         AND NOT EXISTS (SELECT 1 FROM deliveries p WHERE p.webhook = d.webhook AND p.task = d.task \
             AND p.number < d.number AND p.parked_at IS NULL) ORDER BY d.due, d.number LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&select)?;
    let items = statement.query_map(params![name.as_str(), now.as_millis(), count as u64], |row| {
        let KeptEvent { number, event } = read(row)?;
        let (attempts, since) = (row.get(7)?, Timestamp::from_millis(row.get(8)?));
        Ok(DueDelivery { number, attempts, since, event })
    })?;
    let items = items.collect::<crate::sql::Result<_>>()?;
    let next_at: Option<i64> =
        connection.prepare_cached(NEXT)?.query_row(params![name.as_str(), now.as_millis()], |row| row.get(0))?;
    Ok(DueDeliveries { items, next_at: next_at.map(Timestamp::from_millis) })
}

/// How much is on its way to a webhook.
pub(super) fn backlog(connection: &Connection, name: &WebhookName) -> crate::sql::Result<Option<Backlog>> {
    if !webhooks::is_there(connection, name)? {
        return Ok(None);
    }
    let count = |which: &str| -> crate::sql::Result<u64> {
        let select = format!("SELECT count(*) FROM deliveries WHERE webhook = ?1 AND parked_at {which}");
        connection.prepare_cached(&select)?.query_row(params![name.as_str()], |row| row.get(0))
    };
    let (oldest, error) = webhooks::oldest(connection, name)?.unzip();
    let (pending, parked) = (count("IS NULL")?, count("IS NOT NULL")?);
    Ok(Some(Backlog { pending, oldest, parked, error: error.flatten() }))
}

/// Deliveries that were given up.
pub(super) fn parked(
    connection: &Connection,
    name: &WebhookName,
    after: i64,
    count: usize,
) -> crate::sql::Result<Vec<ParkedDelivery>> {
    let select = format!(
        "SELECT {EVENT}, d.parked_at, d.attempts, d.error FROM deliveries d JOIN events e ON e.number = d.number \
         WHERE d.webhook = ?1 AND d.number > ?2 AND d.parked_at IS NOT NULL ORDER BY d.number LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&select)?;
    let rows = statement.query_map(params![name.as_str(), after, count as u64], |row| {
        let KeptEvent { number, event } = read(row)?;
        let parked_at = Timestamp::from_millis(row.get(7)?);
        Ok(ParkedDelivery { number, parked_at, attempts: row.get(8)?, error: row.get(9)?, event })
    })?;
    rows.collect()
}
