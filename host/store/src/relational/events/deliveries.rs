//! Dealing events out to webhooks, and writing what became of each.

use std::time::Duration;

use bulkhead_core::Timestamp;

use super::super::cycle::Cycle;
use super::super::failure::Halt;
use super::super::many_hosts::ManyHosts;
use super::webhooks::{Dealing, dealings};
use crate::sql::{ToSql, params};
use crate::{DealRules, Dealt, DeliveryFate, Settlement};

/// Events looked at for one webhook in one cycle, and old ones removed: some milliseconds of work.
const DEALT: i64 = 2_000;

/// How long after the last look old events are looked for again.
const PRUNE_EVERY: Duration = Duration::from_secs(10);

impl Cycle<'_> {
    /// Deals new events out, where this host is the one that sends; removes events that are over.
    pub(super) fn deal(&mut self, rules: &DealRules) -> Result<Dealt, Halt> {
        self.save_events()?;
        if self.is_shared() {
            self.number_events()?;
        }
        self.know_interests()?;
        let webhooks = dealings(self.connection)?;
        let nothing = Dealt { sends: false, more: false, now: self.now };
        if webhooks.is_empty() && !self.has_events()? {
            return Ok(nothing);
        }
        if !self.is_sender(rules.hold)? {
            return Ok(nothing);
        }
        let latest = self.out.next_event.unwrap_or(self.memory.events.next) - 1;
        let mut more = self.memory.events.unnumbered;
        for dealing in &webhooks {
            more |= self.deal_to(dealing, latest)?;
        }
        if self.memory.events.prune_at <= self.now {
            let dealt = webhooks.iter().map(|dealing| dealing.dealt).min().unwrap_or(latest);
            more |= self.prune_events(rules, dealt, latest)?;
        }
        Ok(Dealt { sends: true, more, now: self.now })
    }

    fn has_events(&self) -> Result<bool, Halt> {
        let select = "SELECT EXISTS (SELECT 1 FROM events)";
        Ok(self.connection.prepare_cached(select)?.query_row([], |row| row.get(0))?)
    }

    /// Whether this host sends, and no other for as long as it holds that.
    fn is_sender(&mut self, hold: Duration) -> Result<bool, Halt> {
        let Some(host) = self.memory.many_hosts.as_ref().map(ManyHosts::host) else { return Ok(true) };
        let update = "UPDATE event_sender SET host = ?1, until = ?2 WHERE host = ?1 OR until < ?3";
        let (until, now) = (self.now.after(hold).as_millis(), self.now.as_millis());
        Ok(self.connection.execute(update, [host, until, now])? > 0)
    }

    /// Deals one webhook the next events that it wants; whether there are more.
    fn deal_to(&mut self, dealing: &Dealing, latest: i64) -> Result<bool, Halt> {
        let Dealing { webhook, dealt } = dealing;
        let upto = latest.min(dealt.saturating_add(DEALT));
        if upto <= *dealt {
            return Ok(false);
        }
        let filter = &webhook.filter;
        let mut insert = "INSERT INTO deliveries (webhook, number, task, since, due, attempts) \
            SELECT CAST(?1 AS TEXT), number, task, CAST(?2 AS BIGINT), CAST(?2 AS BIGINT), 0 FROM events \
            WHERE number > ?3 AND number <= ?4 AND (CAST(?5 AS BIGINT) >> CAST(type AS INTEGER)) & 1 = 1"
            .to_owned();
        let (name, now, types) = (webhook.name.as_str(), self.now.as_millis(), filter.types.bits());
        let kinds: Vec<&str> = filter.kinds.iter().map(bulkhead_core::Kind::as_str).collect();
        let mut values: Vec<&dyn ToSql> = vec![&name, &now, dealt, &upto, &types];
        if !kinds.is_empty() {
            let places: Vec<String> = (0..kinds.len()).map(|place| format!("?{}", values.len() + 1 + place)).collect();
            insert.push_str(&format!(" AND kind IN ({})", places.join(", ")));
            values.extend(kinds.iter().map(|kind| kind as &dyn ToSql));
        }
        if let Some(tenant) = &filter.tenant {
            insert.push_str(&format!(" AND tenant = ?{}", values.len() + 1));
            values.push(tenant);
        }
        insert.push_str(" ON CONFLICT (webhook, number) DO NOTHING");
        self.connection.execute(&insert, &*values)?;
        self.connection.execute("UPDATE webhooks SET dealt = ?2 WHERE name = ?1", params![name, upto])?;
        Ok(upto < latest)
    }

    /// Removes events that are too old or too many and on their way to nobody, and deliveries that were given up long
    /// ago; whether there may be more.
    fn prune_events(&mut self, rules: &DealRules, dealt: i64, latest: i64) -> Result<bool, Halt> {
        const DELETE: &str = "DELETE FROM events WHERE key IN (SELECT e.key FROM events e \
            WHERE e.number <= ?1 AND (e.number <= ?2 OR e.at < ?3) \
            AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.number = e.number) ORDER BY e.number LIMIT ?4) \
            RETURNING number";
        let parked_before = self.now.before(rules.keep_parked).as_millis();
        self.connection.execute("DELETE FROM deliveries WHERE parked_at < ?1", [parked_before])?;
        let too_many = latest.saturating_sub(i64::try_from(rules.keep_count).unwrap_or(i64::MAX));
        let too_old = self.now.before(rules.keep_for).as_millis();
        let removed: Vec<i64> = {
            let mut statement = self.connection.prepare_cached(DELETE)?;
            let rows = statement.query_map([dealt, too_many, too_old, DEALT], |row| row.get(0))?;
            rows.collect::<crate::sql::Result<_>>()?
        };
        let more = removed.len() as i64 == DEALT;
        if let Some(last) = removed.into_iter().max() {
            let update = "UPDATE event_facts SET value = ?1 WHERE name = 'unbroken' AND value < ?1";
            self.connection.execute(update, [last + 1])?;
        }
        self.memory.events.prune_at = if more { self.now } else { self.now.after(PRUNE_EVERY) };
        Ok(more)
    }

    /// Writes what became of deliveries.
    pub(super) fn settle_deliveries(&mut self, settlement: &Settlement) -> Result<(), Halt> {
        const DELIVERED: &str = "DELETE FROM deliveries WHERE webhook = ?1 AND number = ?2";
        const AGAIN: &str = "UPDATE deliveries SET attempts = attempts + 1, due = ?3, error = ?4 \
            WHERE webhook = ?1 AND number = ?2";
        const PARK: &str = "UPDATE deliveries SET attempts = attempts + 1, parked_at = ?3, error = ?4 \
            WHERE webhook = ?1 AND number = ?2";
        const GIVE_UP: &str = "UPDATE deliveries SET parked_at = ?2, error = coalesce(error, ?4) \
            WHERE webhook = ?1 AND parked_at IS NULL AND since <= ?3";
        let Settlement { webhook, settled, give_up } = settlement;
        let webhook = webhook.as_str();
        for (number, fate) in settled {
            let (update, at, error) = match fate {
                DeliveryFate::Delivered => {
                    self.connection.execute(DELIVERED, params![webhook, number])?;
                    continue;
                }
                DeliveryFate::Again(at, error) => (AGAIN, *at, error),
                DeliveryFate::Parked(error) => (PARK, self.now, error),
            };
            self.connection.execute(update, params![webhook, number, Timestamp::as_millis(at), error])?;
        }
        if let Some((since, error)) = give_up {
            let (now, since) = (self.now.as_millis(), since.as_millis());
            self.connection.execute(GIVE_UP, params![webhook, now, since, error])?;
        }
        Ok(())
    }
}
