//! Putting tasks into the queue and taking them out: the four tables in which a task waits.

use std::collections::VecDeque;

use bulkhead_core::Timestamp;

use crate::TaskSeq;
use crate::sql::params;

use super::cycle::Cycle;
use super::failure::Halt;
use super::memory::{Lone, earlier};
use super::ready_index::{Entry, LANE_BUFFER};
use super::slot::{Flags, Rank, RouteId, Slot};
use super::tables::{DELAYED, READY};

/// Where a task that is ready waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waits {
    /// Due, beside others.
    Ready,
    /// Not due yet.
    Delayed,
    /// For another catalogue.
    Parked,
    /// Due, to run alone.
    Alone,
}

impl Cycle<'_> {
    /// Puts a task where it belongs by its due time.
    pub(super) fn place(&mut self, slot: Slot) -> Result<(), Halt> {
        let waits = match slot {
            _ if slot.due > self.now => Waits::Delayed,
            _ if slot.flags.has(Flags::ALONE) => Waits::Alone,
            _ => Waits::Ready,
        };
        self.place_as(slot, waits)
    }

    /// Puts a task into the queue, and counts it; or aside, where it is to be paused.
    pub(super) fn place_as(&mut self, slot: Slot, waits: Waits) -> Result<(), Halt> {
        if self.held_back(slot, waits)? {
            return Ok(());
        }
        self.count(slot.route, 1)?;
        self.write(slot, waits)
    }

    /// Writes a task that is counted already.
    fn write(&mut self, slot: Slot, waits: Waits) -> Result<(), Halt> {
        let Slot { seq, due, route, rank, flags } = slot;
        match waits {
            Waits::Ready => {
                self.insert(&READY, params![route, rank, due.as_millis(), seq.0, flags])?;
                self.memory.ready.insert(route, rank, Entry { due, seq, flags });
                if let Some(many) = &mut self.memory.many_hosts
                    && many.floors.get(&(route, rank)).is_some_and(|floor| *floor >= (due, seq))
                {
                    many.floors.remove(&(route, rank));
                }
            }
            Waits::Delayed => {
                self.insert(&DELAYED, params![due.as_millis(), seq.0, route, rank, flags])?;
                self.memory.next_delayed = earlier(self.memory.next_delayed, due);
            }
            Waits::Parked => {
                self.connection
                    .prepare_cached("INSERT INTO parked (route, seq, rank, flags) VALUES (?1, ?2, ?3, ?4)")?
                    .execute(params![route, seq.0, rank, flags])?;
            }
            Waits::Alone => {
                self.connection
                    .prepare_cached("INSERT INTO alone (seq, route, rank, due) VALUES (?1, ?2, ?3, ?4)")?
                    .execute(params![seq.0, route, rank, due.as_millis()])?;
                self.memory.alone.insert(Lone { rank, due, seq, route });
            }
        }
        Ok(())
    }

    /// Takes a task out of the queue, and counts that.
    pub(super) fn displace(&mut self, slot: Slot, waits: Waits) -> Result<(), Halt> {
        let Slot { seq, due, route, rank, .. } = slot;
        self.count(route, -1)?;
        match waits {
            Waits::Ready => {
                let delete = "DELETE FROM ready WHERE route = ?1 AND rank = ?2 AND due = ?3 AND seq = ?4";
                self.first(self.connection.execute(delete, params![route, rank, due.as_millis(), seq.0])?)?;
                if self.memory.ready.remove(route, rank, due, seq) {
                    self.refill(route, rank)?;
                }
            }
            Waits::Delayed => {
                let delete = "DELETE FROM delayed WHERE due = ?1 AND seq = ?2";
                self.first(self.connection.execute(delete, params![due.as_millis(), seq.0])?)?;
            }
            Waits::Parked => {
                let delete = "DELETE FROM parked WHERE route = ?1 AND seq = ?2";
                self.first(self.connection.execute(delete, params![route, seq.0])?)?;
            }
            Waits::Alone => {
                self.first(self.connection.execute("DELETE FROM alone WHERE seq = ?1", [seq.0])?)?;
                self.memory.alone.remove(&Lone { rank, due, seq, route });
            }
        }
        Ok(())
    }

    /// Reads the first tasks of a lane into memory.
    pub(super) fn refill(&mut self, route: RouteId, rank: Rank) -> Result<(), Halt> {
        const SELECT: &str =
            "SELECT due, seq, flags FROM ready WHERE route = ?1 AND rank = ?2 ORDER BY due, seq LIMIT ?3";
        let mut statement = self.connection.prepare_cached(SELECT)?;
        let mut rows = statement.query(params![route, rank, LANE_BUFFER as i64])?;
        let mut entries = VecDeque::with_capacity(LANE_BUFFER);
        while let Some(row) = rows.next()? {
            entries.push_back(Entry {
                due: Timestamp::from_millis(row.get(0)?),
                seq: TaskSeq(row.get(1)?),
                flags: Flags(row.get(2)?),
            });
        }
        let whole = entries.len() < LANE_BUFFER;
        self.memory.ready.refill(route, rank, entries, whole);
        Ok(())
    }

    /// Moves delayed tasks that are due now to where they can be claimed, at most a batch at a time.
    pub(super) fn promote(&mut self) -> Result<(), Halt> {
        /// Bounds how long a cycle can take; the next one follows at once.
        const BATCH: i64 = 5_000;
        const SELECT: &str =
            "SELECT due, seq, route, rank, flags FROM delayed WHERE due <= ?1 ORDER BY due, seq LIMIT ?2";
        if self.memory.next_delayed.is_none_or(|next| next > self.now) {
            return Ok(());
        }
        /// The same where other hosts do so, too.
        const TAKE: &str = "DELETE FROM delayed WHERE (due, seq) IN (SELECT due, seq FROM delayed WHERE due <= ?1 \
            ORDER BY due, seq LIMIT ?2 FOR UPDATE SKIP LOCKED) RETURNING due, seq, route, rank, flags";
        let slots = {
            let mut statement = self.connection.prepare_cached(if self.is_shared() { TAKE } else { SELECT })?;
            let slots = statement.query_map(params![self.now.as_millis(), BATCH], |row| {
                Ok(Slot {
                    due: Timestamp::from_millis(row.get(0)?),
                    seq: TaskSeq(row.get(1)?),
                    route: RouteId(row.get(2)?),
                    rank: Rank(row.get(3)?),
                    flags: Flags(row.get(4)?),
                })
            })?;
            slots.collect::<crate::sql::Result<Vec<_>>>()?
        };
        if let Some(last) = slots.last().filter(|_| !self.is_shared()) {
            self.connection
                .prepare_cached("DELETE FROM delayed WHERE (due, seq) <= (?1, ?2)")?
                .execute(params![last.due.as_millis(), last.seq.0])?;
        }
        for slot in slots {
            let waits = if slot.flags.has(Flags::ALONE) { Waits::Alone } else { Waits::Ready };
            // Not one more, but the route's oldest due task may be another.
            self.count(slot.route, 0)?;
            self.write(slot, waits)?;
        }
        self.memory.next_delayed = self.next_of("SELECT min(due) FROM delayed")?;
        Ok(())
    }

    /// Makes parked tasks of routes with a new catalogue due, at most a batch at a time.
    pub(super) fn unpark(&mut self) -> Result<(), Halt> {
        const BATCH: usize = 5_000;
        const SELECT: &str = "SELECT p.seq, p.rank, p.flags, coalesce(h.due, t.due) FROM parked p JOIN tasks t ON t.seq = p.seq \
             LEFT JOIN history h ON h.seq = p.seq WHERE p.route = ?1 AND p.seq > ?2 ORDER BY p.seq LIMIT ?3";
        if self.memory.new_catalogue {
            self.connection.prepare_cached("UPDATE paused SET parked = FALSE WHERE parked")?.execute([])?;
            self.memory.new_catalogue = false;
        }
        let mut queue = self.memory.unparking.clone();
        let mut left = BATCH;
        while left > 0
            && let Some((route, after)) = queue.pop_front()
        {
            let slots = {
                let mut statement = self.connection.prepare_cached(SELECT)?;
                let slots = statement.query_map(params![route, after.0, left as u64], |row| {
                    Ok(Slot {
                        seq: TaskSeq(row.get(0)?),
                        rank: Rank(row.get(1)?),
                        flags: Flags(row.get(2)?),
                        due: Timestamp::from_millis(row.get(3)?),
                        route,
                    })
                })?;
                slots.collect::<crate::sql::Result<Vec<_>>>()?
            };
            let Some(last) = slots.last().copied() else { continue };
            left -= slots.len();
            for slot in slots {
                self.unpark_one(slot)?;
            }
            if left == 0 {
                // What is parked again meanwhile has a new place before this one, and is left alone.
                queue.push_front((route, last.seq));
            }
        }
        self.memory.unparking = queue;
        Ok(())
    }

    /// Makes a parked task due.
    pub(super) fn unpark_one(&mut self, slot: Slot) -> Result<(), Halt> {
        self.displace(slot, Waits::Parked)?;
        self.connection.prepare_cached("UPDATE history SET reason = NULL WHERE seq = ?1")?.execute([slot.seq.0])?;
        self.place(slot)
    }

    /// The one moment that a query gives.
    pub(super) fn next_of(&self, select: &str) -> Result<Option<Timestamp>, Halt> {
        let next: Option<i64> = self.connection.prepare_cached(select)?.query_row([], |row| row.get(0))?;
        Ok(next.map(Timestamp::from_millis))
    }
}
