//! Reading into memory what the file knows.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::Instant;

use bulkhead_core::Timestamp;

use crate::TaskSeq;
use crate::sql::{Connection, OptionalExtension, params};

use super::cycle::Cycle;
use super::failure::Halt;
use super::interned::read_route;
use super::memory::{Lone, Memory};
use super::place::{Place, locate};
use super::ready_index::{Entry, LANE_BUFFER};
use super::slot::{Flags, Rank, RouteId};

/// Tasks that are read ahead where several hosts claim, of all lanes together, and of each at least.
pub(super) const LOADED: usize = 4_096;
pub(super) const LOADED_LEAST: usize = 4;

/// At most one part in so many of the time is spent on reading lanes anew.
const LANES_SHARE: u32 = 50;

/// Routes that hold tasks, and how many: one pass over the narrow tables, about a tenth of a microsecond a task, and
/// nothing to be kept up while tasks come and go.
pub(super) fn load_routes(connection: &Connection, memory: &mut Memory) -> crate::sql::Result<()> {
    const SELECT: &str = "SELECT r.id, r.kind, r.requires, w.pending FROM ( \
            SELECT route, CAST(sum(pending) AS BIGINT) AS pending FROM ( \
                SELECT route, count(*) AS pending FROM ready GROUP BY route \
                UNION ALL SELECT route, count(*) FROM delayed GROUP BY route \
                UNION ALL SELECT route, count(*) FROM parked GROUP BY route \
                UNION ALL SELECT route, count(*) FROM alone GROUP BY route \
            ) places GROUP BY route \
        ) w JOIN routes r ON r.id = w.route";
    let mut statement = connection.prepare_cached(SELECT)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let id = RouteId(row.get(0)?);
        let route = read_route(row.get(1)?, row.get_ref(2)?.as_str()?)?;
        memory.routes.remember(id, route.into());
        if let Some(known) = memory.routes.get_mut(id) {
            known.pending = row.get(3)?;
            memory.pending += known.pending;
        }
    }
    Ok(())
}

/// The number of the newest task.
pub(super) fn latest(connection: &Connection) -> crate::sql::Result<TaskSeq> {
    let latest: Option<i64> =
        connection.prepare_cached("SELECT max(seq) FROM tasks")?.query_row([], |row| row.get(0))?;
    Ok(TaskSeq(latest.unwrap_or(0)))
}

impl Cycle<'_> {
    /// Fills the index of what can be claimed, and the times at which something falls due.
    pub(super) fn load_index(&mut self) -> Result<(), Halt> {
        if self.is_shared() {
            self.load_depths()?;
            self.load_lanes()?;
        } else {
            self.load_whole_lanes()?;
        }
        let mut statement = self.connection.prepare_cached("SELECT rank, due, seq, route FROM alone")?;
        let lone = statement.query_map([], |row| {
            Ok(Lone {
                rank: Rank(row.get(0)?),
                due: Timestamp::from_millis(row.get(1)?),
                seq: TaskSeq(row.get(2)?),
                route: RouteId(row.get(3)?),
            })
        })?;
        self.memory.alone = lone.collect::<crate::sql::Result<_>>()?;
        for lone in self.memory.alone.clone() {
            self.route(lone.route)?;
        }
        self.memory.next_delayed = self.next_of("SELECT min(due) FROM delayed")?;
        self.memory.next_expiry = self.next_of("SELECT min(expires_at) FROM expiring")?;
        self.memory.next_wake = self.next_of(super::waiting::NEXT_WAKE)?;
        self.load_paused()?;
        self.load_agenda()?;
        self.memory.stale = false;
        Ok(())
    }

    /// Reads the first tasks of every lane, one lane after the other.
    fn load_whole_lanes(&mut self) -> Result<(), Halt> {
        const NEXT_LANE: &str =
            "SELECT route, rank FROM ready WHERE (route, rank) > (?1, ?2) ORDER BY route, rank LIMIT 1";
        self.memory.ready.clear();
        let mut lane = (RouteId(i64::MIN), Rank::FIRST);
        loop {
            let next = self
                .connection
                .prepare_cached(NEXT_LANE)?
                .query_row(params![lane.0, lane.1], |row| Ok((RouteId(row.get(0)?), Rank(row.get(1)?))))
                .optional()?;
            let Some(next) = next else { break };
            lane = next;
            self.route(lane.0)?;
            self.refill(lane.0, lane.1)?;
        }
        Ok(())
    }

    /// Reads the first tasks of every lane in one statement; the fewer of each, the more lanes there are.
    ///
    /// Where old versions of rows cannot be removed, that takes long, and is done the more seldom.
    fn load_lanes(&mut self) -> Result<(), Halt> {
        let since = Instant::now();
        if self.memory.many_hosts.as_ref().and_then(|many| many.lanes_at).is_some_and(|at| at > since)
            && !self.memory.stale
        {
            return Ok(());
        }
        const SELECT: &str = "WITH RECURSIVE lanes AS ( \
                (SELECT route, rank FROM ready ORDER BY route, rank LIMIT 1) \
                UNION ALL SELECT n.route, n.rank FROM lanes l CROSS JOIN LATERAL (SELECT route, rank FROM ready \
                    WHERE (route, rank) > (l.route, l.rank) ORDER BY route, rank LIMIT 1) n ON TRUE \
            ) SELECT l.route, l.rank, r.due, r.seq, r.flags FROM lanes l CROSS JOIN LATERAL (SELECT due, seq, flags \
                FROM ready WHERE route = l.route AND rank = l.rank ORDER BY due, seq LIMIT ?1) r ON TRUE";
        let most = (LOADED / self.memory.ready.lanes().max(1)).clamp(LOADED_LEAST, LANE_BUFFER);
        let mut lanes: BTreeMap<(RouteId, Rank), VecDeque<Entry>> = BTreeMap::new();
        let mut statement = self.connection.prepare_cached(SELECT)?;
        let mut rows = statement.query([most as u64])?;
        while let Some(row) = rows.next()? {
            let (due, seq) = (Timestamp::from_millis(row.get(2)?), TaskSeq(row.get(3)?));
            let lane = lanes.entry((RouteId(row.get(0)?), Rank(row.get(1)?))).or_default();
            lane.push_back(Entry { due, seq, flags: Flags(row.get(4)?) });
        }
        self.memory.ready.clear();
        for ((route, rank), mut entries) in lanes {
            self.route(route)?;
            entries.make_contiguous().sort_unstable();
            let whole = entries.len() < most;
            self.memory.ready.refill(route, rank, entries, whole);
        }
        if let Some(many) = &mut self.memory.many_hosts {
            many.floors.clear();
            let (now, took) = (Instant::now(), since.elapsed());
            (many.lanes_at, many.lanes_soonest) = (Some(now + took * LANES_SHARE), Some(now + took));
        }
        Ok(())
    }

    /// Ends, once, the leases that an earlier holder of the file left: each of their tasks that runs has lost its worker.
    pub(super) fn recover(&mut self) -> Result<(), Halt> {
        // Before the first task ends or comes back: parents are told, and what is to be paused is.
        self.load_paused()?;
        let cancels: Vec<(i64, i64)> = {
            let mut statement = self.connection.prepare_cached("SELECT seq, cancelled_at FROM cancels")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<crate::sql::Result<_>>()?
        };
        self.memory.cancelled =
            cancels.into_iter().map(|(seq, at)| (TaskSeq(seq), Timestamp::from_millis(at))).collect();
        let leases: Vec<(i64, i64, Vec<u8>)> = {
            let mut statement = self
                .connection
                .prepare_cached("SELECT worker, claimed_at, tasks FROM leases ORDER BY claimed_at DESC, id DESC")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            rows.collect::<crate::sql::Result<_>>()?
        };
        // A lease is kept until its last task is done, so a task may be in several: it runs under the latest.
        let mut known = HashSet::new();
        let mut runs: Vec<(i64, i64, Vec<TaskSeq>)> = Vec::with_capacity(leases.len());
        for (worker, claimed_at, tasks) in leases {
            let tasks = tasks.as_chunks::<8>().0.iter().map(|seq| TaskSeq(i64::from_le_bytes(*seq)));
            runs.push((worker, claimed_at, tasks.filter(|seq| known.insert(*seq)).collect()));
        }
        // What was claimed first: where its end is its parent's, the others are cancelled before they are lost.
        for (worker, claimed_at, tasks) in runs.into_iter().rev() {
            for seq in tasks {
                // Most are elsewhere by now.
                let Some((slot, Place::Running)) = locate(self.connection, seq)? else { continue };
                match self.guarded(|cycle| cycle.lose(slot, worker, claimed_at)) {
                    Ok(()) => {}
                    Err(halt @ (Halt::Trouble(_) | Halt::Raced)) => return Err(halt),
                    Err(refusal) => tracing::error!(task = seq.0, ?refusal, "a task cannot be recovered"),
                }
            }
        }
        self.connection.execute("DELETE FROM leases", [])?;
        self.connection.execute("DELETE FROM cancels", [])?;
        self.memory.cancelled.clear();
        Ok(())
    }
}
