//! The rows of webhooks.

use bulkhead_core::{EventFilter, EventTypes, Kind, Timestamp, WebhookName};

use super::super::cycle::Cycle;
use super::super::failure::Halt;
use crate::sql::{Connection, Error, OptionalExtension, Row, params};
use crate::{MAX_WEBHOOKS, NewWebhook, StoredSecret, Webhook, WebhookFate};

const COLUMNS: &str = "name, made_at, url, types, kinds, tenant, secret";

/// Every webhook, by name.
pub(super) fn list(connection: &Connection) -> crate::sql::Result<Vec<Webhook>> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM webhooks ORDER BY name"))?;
    statement.query_map([], read)?.collect()
}

/// Whether there is a webhook of this name.
pub(super) fn is_there(connection: &Connection, name: &WebhookName) -> crate::sql::Result<bool> {
    let select = "SELECT EXISTS (SELECT 1 FROM webhooks WHERE name = ?1)";
    connection.prepare_cached(select)?.query_row(params![name.as_str()], |row| row.get(0))
}

fn read(row: &Row<'_>) -> crate::sql::Result<Webhook> {
    let damaged = |error: bulkhead_core::TextError| Error::Other(format!("a webhook is damaged: {error}"));
    let kinds: String = row.get(4)?;
    let kinds = kinds.split_ascii_whitespace().map(Kind::parse).collect::<Result<_, _>>().map_err(damaged)?;
    let filter = EventFilter { types: EventTypes::of_bits(row.get(3)?), kinds, tenant: row.get(5)?, task: None };
    Ok(Webhook {
        name: WebhookName::parse(row.get::<String>(0)?).map_err(damaged)?,
        made_at: Timestamp::from_millis(row.get(1)?),
        url: row.get(2)?,
        filter,
        secret: StoredSecret::new(row.get::<String>(6)?),
    })
}

impl Cycle<'_> {
    /// What webhooks want to hear of.
    pub(super) fn webhook_filters(&self) -> Result<Vec<EventFilter>, Halt> {
        Ok(list(self.connection)?.into_iter().map(|webhook| webhook.filter).collect())
    }

    pub(super) fn add_webhook(&mut self, new: &NewWebhook) -> Result<WebhookFate, Halt> {
        const INSERT: &str = "INSERT INTO webhooks (name, made_at, url, types, kinds, tenant, secret, dealt) \
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (name) DO NOTHING";
        self.save_events()?;
        self.know_interests()?;
        let NewWebhook { name, url, filter, secret } = new;
        if is_there(self.connection, name)? {
            return Ok(WebhookFate::Taken);
        }
        if list(self.connection)?.len() >= MAX_WEBHOOKS {
            return Ok(WebhookFate::TooMany);
        }
        let kinds: Vec<&str> = filter.kinds.iter().map(Kind::as_str).collect();
        let dealt = self.out.next_event.unwrap_or(self.memory.events.next) - 1;
        let added = self.connection.execute(
            INSERT,
            params![
                name.as_str(),
                self.now.as_millis(),
                url,
                filter.types.bits(),
                kinds.join(" "),
                filter.tenant,
                secret.expose(),
                dealt
            ],
        )?;
        if added == 0 {
            return Ok(WebhookFate::Taken);
        }
        self.webhooks_changed()?;
        let (name, url, filter, secret) = (name.clone(), url.clone(), filter.clone(), secret.clone());
        Ok(WebhookFate::Added(Box::new(Webhook { name, made_at: self.now, url, filter, secret })))
    }

    pub(super) fn remove_webhook(&mut self, name: &WebhookName) -> Result<bool, Halt> {
        let removed = self.connection.execute("DELETE FROM webhooks WHERE name = ?1", params![name.as_str()])?;
        if removed == 0 {
            return Ok(false);
        }
        self.connection.execute("DELETE FROM deliveries WHERE webhook = ?1", params![name.as_str()])?;
        self.webhooks_changed()?;
        Ok(true)
    }

    /// Lets every host look at the webhooks anew.
    pub(super) fn webhooks_changed(&mut self) -> Result<(), Halt> {
        self.connection.execute("UPDATE event_facts SET value = value + 1 WHERE name = 'version'", [])?;
        self.memory.events.forget();
        self.out.events_changed = true;
        Ok(())
    }

    /// Tries deliveries again that were given up; how many, or none where there is no such webhook.
    pub(super) fn retry_parked(&mut self, name: &WebhookName, events: Option<&[i64]>) -> Result<Option<u64>, Halt> {
        const UPDATE: &str = "UPDATE deliveries SET parked_at = NULL, attempts = 0, since = ?2, due = ?2 \
            WHERE webhook = ?1 AND parked_at IS NOT NULL";
        if !is_there(self.connection, name)? {
            return Ok(None);
        }
        let now = self.now.as_millis();
        let retried = match events {
            None => self.connection.execute(UPDATE, params![name.as_str(), now])?,
            Some(events) => {
                let mut statement = self.connection.prepare_cached(&format!("{UPDATE} AND number = ?3"))?;
                let mut retried = 0;
                for number in events {
                    retried += statement.execute(params![name.as_str(), now, number])?;
                }
                retried
            }
        };
        self.webhooks_changed()?;
        Ok(Some(retried as u64))
    }
}

/// From where a webhook's deliveries are dealt.
pub(super) struct Dealing {
    pub(super) webhook: Webhook,
    pub(super) dealt: i64,
}

/// Every webhook with the number up to which events were dealt to it.
pub(super) fn dealings(connection: &Connection) -> crate::sql::Result<Vec<Dealing>> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS}, dealt FROM webhooks ORDER BY name"))?;
    statement.query_map([], |row| Ok(Dealing { webhook: read(row)?, dealt: row.get(7)? }))?.collect()
}

/// The oldest delivery of a webhook that waits.
pub(super) fn oldest(
    connection: &Connection,
    name: &WebhookName,
) -> crate::sql::Result<Option<(Timestamp, Option<String>)>> {
    const SELECT: &str = "SELECT since, error FROM deliveries WHERE webhook = ?1 AND parked_at IS NULL \
        ORDER BY since, number LIMIT 1";
    let mut statement = connection.prepare_cached(SELECT)?;
    let found =
        statement.query_row(params![name.as_str()], |row| Ok((Timestamp::from_millis(row.get(0)?), row.get(1)?)));
    found.optional()
}
