//! How much of each route waits, over all hosts of a database.

use std::collections::BTreeMap;

use tokio_postgres::types::Type;

use super::cycle::Cycle;
use super::failure::Halt;
use super::slot::RouteId;

/// Rows over which the depth of one route is spread.
const SHARDS: i64 = 16;

/// How much of each route waits, from the tables themselves.
const RECOUNT: &str = "INSERT INTO depths (route, shard, pending) SELECT route, 0, count(*) FROM ( \
    SELECT route FROM ready UNION ALL SELECT route FROM delayed UNION ALL SELECT route FROM parked \
    UNION ALL SELECT route FROM alone) places GROUP BY route";

impl Cycle<'_> {
    /// Reads how much of each route waits, on whichever host it came in.
    pub(super) fn load_depths(&mut self) -> Result<(), Halt> {
        const SELECT: &str = "SELECT route, CAST(sum(pending) AS BIGINT) FROM depths GROUP BY route";
        let mut statement = self.connection.prepare_cached(SELECT)?;
        let rows = statement.query_map([], |row| Ok((RouteId(row.get(0)?), row.get::<i64>(1)?)))?;
        let mut depths: BTreeMap<RouteId, i64> = rows.collect::<crate::sql::Result<_>>()?;
        // What was not written yet, and what this cycle has changed so far.
        if let Some(many) = &self.memory.many_hosts {
            many.unsaved.iter().for_each(|(route, change)| *depths.entry(*route).or_default() += change);
        }
        self.out.counts.iter().for_each(|(route, change)| *depths.entry(*route).or_default() += change);
        let known: Vec<RouteId> = self.memory.routes.iter().map(|(id, _)| id).collect();
        for id in known {
            depths.entry(id).or_default();
        }
        self.memory.pending = 0;
        for (id, pending) in depths {
            if pending == 0 && self.memory.routes.get(id).is_none() {
                continue;
            }
            self.route(id)?;
            if let Some(known) = self.memory.routes.get_mut(id) {
                known.pending = pending;
                self.memory.pending += pending;
            }
            self.out.seen.push(id);
        }
        Ok(())
    }

    /// Writes by how much the depths of routes have changed since it was last written: now and then, since rows that
    /// every transaction changes are slow where old versions cannot be removed.
    pub(super) fn save_counts(&mut self) -> Result<(), Halt> {
        let Some(client) = self.connection.postgres() else { return Ok(()) };
        if self.recounts {
            // What a lost host had not written is not known, so all is counted anew.
            self.connection.execute("DELETE FROM depths", [])?;
            self.connection.execute(RECOUNT, [])?;
            self.out.counts_saved = true;
            return Ok(());
        }
        if !self.looks && self.out.detached.is_empty() {
            return Ok(());
        }
        self.out.counts_saved = true;
        let Some(many) = &self.memory.many_hosts else { return Ok(()) };
        let mut changes = many.unsaved.clone();
        self.out.counts.iter().for_each(|(route, change)| *changes.entry(*route).or_default() += change);
        changes.retain(|_, change| *change != 0);
        if changes.is_empty() {
            return Ok(());
        }
        const UPSERT: &str = "INSERT INTO depths (route, shard, pending) \
            SELECT u.route, ?1, u.pending FROM unnest(?2::bigint[], ?3::bigint[]) AS u (route, pending) \
            ON CONFLICT (route, shard) DO UPDATE SET pending = depths.pending + excluded.pending";
        let (routes, pending): (Vec<i64>, Vec<i64>) =
            changes.into_iter().map(|(route, change)| (route.0, change)).unzip();
        let shard = Box::new(many.host() % SHARDS);
        let (routes, pending) = (Box::new(routes), Box::new(pending));
        let values = vec![(shard as _, Type::INT8), (routes as _, Type::INT8_ARRAY), (pending as _, Type::INT8_ARRAY)];
        Ok(client.later(UPSERT, values)?)
    }
}
