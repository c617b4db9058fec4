//! Tasks and kinds that an operator holds back.

use bulkhead_core::Kind;

use crate::sql::{OptionalExtension, params};
use crate::{Fate, Held, TaskSeq};

use super::cycle::Cycle;
use super::failure::Halt;
use super::place::Place;
use super::placing::Waits;
use super::slot::Slot;

/// Stands for all kinds in `paused_kinds`; no kind is called so.
const ALL_KINDS: &str = "";

impl Cycle<'_> {
    /// Holds a task back that waits in the queue, or, where it runs, as soon as it comes back to the queue.
    pub(super) fn pause(&mut self, slot: Slot, place: Place) -> Result<Fate, Halt> {
        match place {
            Place::Waiting(waits) => {
                self.displace(slot, waits)?;
                self.put_aside(slot, waits == Waits::Parked)?;
                Ok(Fate::Done)
            }
            Place::Running => {
                if self.hold_run(slot.seq)? != Place::Running {
                    return Err(Halt::Raced);
                }
                let insert = "INSERT INTO pausing (seq) VALUES (?1) ON CONFLICT (seq) DO NOTHING";
                self.connection.prepare_cached(insert)?.execute([slot.seq.0])?;
                self.memory.has_pausing = true;
                Ok(Fate::Underway)
            }
            Place::Paused => Ok(Fate::Done),
            Place::Suspended | Place::Dependent { .. } | Place::Ended(_) => Ok(Fate::Refused(place.state())),
        }
    }

    /// Holds a task back that comes into the queue, where somebody has asked for that.
    pub(super) fn held_back(&mut self, slot: Slot, waits: Waits) -> Result<bool, Halt> {
        if !self.memory.has_pausing || !self.take_back_pause(slot.seq)? {
            return Ok(false);
        }
        self.put_aside(slot, waits == Waits::Parked)?;
        Ok(true)
    }

    /// Forgets that a task was to be paused; whether it was.
    pub(super) fn take_back_pause(&mut self, seq: TaskSeq) -> Result<bool, Halt> {
        Ok(self.connection.prepare_cached("DELETE FROM pausing WHERE seq = ?1")?.execute([seq.0])? > 0)
    }

    /// Lets a paused task wait in the queue again.
    pub(super) fn unpause(&mut self, slot: Slot) -> Result<(), Halt> {
        let parked: bool = self
            .connection
            .prepare_cached("DELETE FROM paused WHERE seq = ?1 RETURNING parked")?
            .query_row([slot.seq.0], |row| row.get(0))
            .optional()?
            .map_or_else(|| self.first(0).map(|()| false), Ok)?;
        self.heed_expiry(slot.seq)?;
        if parked { self.place_as(slot, Waits::Parked) } else { self.place(slot) }
    }

    /// Takes a paused task out of its pause for good.
    pub(super) fn leave_pause(&self, slot: Slot) -> Result<(), Halt> {
        let left = self.connection.execute("DELETE FROM paused WHERE seq = ?1", [slot.seq.0])?;
        self.first(left)
    }

    fn put_aside(&self, slot: Slot, parked: bool) -> Result<(), Halt> {
        self.connection
            .prepare_cached("INSERT INTO paused (seq, parked) VALUES (?1, ?2)")?
            .execute(params![slot.seq.0, parked])?;
        Ok(())
    }

    /// Holds every task of a kind, or of all, back, or no longer.
    pub(super) fn hold(&mut self, kind: Option<&Kind>, held: bool) -> Result<(), Halt> {
        let statement = match held {
            true => "INSERT INTO paused_kinds (kind) VALUES (?1) ON CONFLICT (kind) DO NOTHING",
            false => "DELETE FROM paused_kinds WHERE kind = ?1",
        };
        self.connection.prepare_cached(statement)?.execute([kind.map_or(ALL_KINDS, Kind::as_str)])?;
        Ok(())
    }

    /// The kinds that are held back.
    pub(super) fn load_paused(&mut self) -> Result<(), Halt> {
        let mut statement = self.connection.prepare_cached("SELECT kind FROM paused_kinds")?;
        let kinds = statement.query_map([], |row| row.get::<String>(0))?;
        let kinds = kinds.collect::<crate::sql::Result<Vec<String>>>()?;
        let held = Held {
            all: kinds.iter().any(|kind| kind == ALL_KINDS),
            kinds: kinds.into_iter().filter_map(|kind| Kind::parse(kind).ok()).collect(),
        };
        if self.memory.held != held {
            self.memory.held = held;
            self.memory.shared.show_held(self.memory.held.clone());
            self.memory.serve_anew();
        }
        let any = |table: &str| -> Result<bool, Halt> {
            let select = format!("SELECT EXISTS (SELECT 1 FROM {table})");
            Ok(self.connection.prepare_cached(&select)?.query_row([], |row| row.get(0))?)
        };
        (self.memory.has_pausing, self.memory.has_kin) = (any("pausing")?, any("kin")?);
        self.memory.has_steps = any("workflows")?;
        self.memory.has_told = any("logs")? || any("audits")? || any("progress")?;
        Ok(())
    }
}
