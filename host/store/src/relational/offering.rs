//! Offering tasks here that every handler of another host has declined.
//!
//! The host whose handlers have all declined a task parks it, and knows nothing of handlers elsewhere. So each host looks
//! through what others have parked, once, and makes due what a handler here has not declined yet. Each time that such a
//! task is parked again, one more version has declined it, so it ends there.

use std::time::Duration;

use bulkhead_core::{Digest, Timestamp};

use crate::TaskSeq;
use crate::history::digests;
use crate::sql::params;

use super::cycle::Cycle;
use super::failure::Halt;
use super::slot::{Flags, Rank, RouteId, Slot};

/// Parked tasks that are looked at in one cycle.
const LOOKED_AT: usize = 1_000;

/// A transaction that parks a task is over within this.
const COMMITTED: Duration = Duration::from_secs(10);

impl Cycle<'_> {
    /// Makes due what other hosts have parked and a handler here has not declined.
    pub(super) fn offer_here(&mut self) -> Result<(), Halt> {
        const SELECT: &str = "SELECT p.route, p.seq, p.rank, p.flags, coalesce(h.due, t.due), h.declined, p.parked_at \
            FROM parked p JOIN tasks t ON t.seq = p.seq LEFT JOIN history h ON h.seq = p.seq \
            WHERE (p.parked_at, p.seq) > (?1, ?2) ORDER BY p.parked_at, p.seq LIMIT ?3";
        let Some(many) = &self.memory.many_hosts else { return Ok(()) };
        let before = many.parked_seen;
        let mut seen = before;
        let parked: Vec<(Slot, Vec<Digest>, Timestamp)> = {
            let mut statement = self.connection.prepare_cached(SELECT)?;
            let rows = statement.query_map(params![before.0.as_millis(), before.1.0, LOOKED_AT as u64], |row| {
                let slot = Slot {
                    route: RouteId(row.get(0)?),
                    seq: TaskSeq(row.get(1)?),
                    rank: Rank(row.get(2)?),
                    flags: Flags(row.get(3)?),
                    due: Timestamp::from_millis(row.get(4)?),
                };
                let declined = row.get::<Option<Vec<u8>>>(5)?.unwrap_or_default();
                Ok((slot, digests(&declined), Timestamp::from_millis(row.get(6)?)))
            })?;
            rows.collect::<crate::sql::Result<_>>()?
        };
        let whole = parked.len() < LOOKED_AT;
        for (slot, declined, at) in parked {
            seen = (at, slot.seq);
            if self.is_served_beside(slot.route, &declined)? {
                self.unpark_one(slot)?;
            }
        }
        // What was parked a moment ago may become visible after what was parked since.
        let settled = (self.now.before(COMMITTED), TaskSeq(i64::MIN));
        self.out.parked_seen = Some(if whole { settled.max(before) } else { seen });
        Ok(())
    }

    /// Whether a worker of this host has a handler for a route beside those that declined its task.
    pub(super) fn is_served_beside(&mut self, route: RouteId, declined: &[Digest]) -> Result<bool, Halt> {
        let route = self.route(route)?;
        let mut here = self.memory.workers.values().filter_map(|attached| attached.routes.as_ref());
        Ok(here.any(|served| (served.has_another)(&route, declined)))
    }
}
