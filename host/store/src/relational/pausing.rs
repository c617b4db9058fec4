//! Tasks and kinds that an operator holds back.

use bulkhead_core::Kind;

use crate::sql::{OptionalExtension, params};
use crate::{Fate, Held, TaskSeq};

use super::cycle::Cycle;
use super::failure::Halt;
use super::place::{Place, locate};
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
                self.pause_later(slot.seq, false)?;
                Ok(Fate::Underway)
            }
            Place::Paused => Ok(Fate::Done),
            Place::Suspended | Place::Dependent { .. } | Place::Ended(_) => Ok(Fate::Refused(place.state())),
        }
    }

    /// Has a task paused once it comes to the queue; with all of its workflow, or by itself.
    pub(super) fn pause_later(&mut self, seq: TaskSeq, with_all: bool) -> Result<(), Halt> {
        const INSERT: &str = "INSERT INTO pausing (seq, with_all) VALUES (?1, ?2) \
            ON CONFLICT (seq) DO UPDATE SET with_all = pausing.with_all OR excluded.with_all";
        self.connection.prepare_cached(INSERT)?.execute(params![seq.0, with_all])?;
        self.memory.has_pausing = true;
        Ok(())
    }

    /// Whether a task is to be paused with all of its workflow.
    pub(super) fn is_paused_with_all(&self, seq: TaskSeq) -> Result<bool, Halt> {
        const SELECT: &str = "SELECT with_all FROM pausing WHERE seq = ?1";
        if !self.memory.has_pausing {
            return Ok(false);
        }
        let found = self.connection.prepare_cached(SELECT)?.query_row([seq.0], |row| row.get(0)).optional()?;
        Ok(found.unwrap_or(false))
    }

    /// Holds a task back wherever it is, as part of its workflow; whether it may have children that are to be held back, too.
    pub(super) fn pause_with_all(&mut self, seq: TaskSeq) -> Result<bool, Halt> {
        let Some((slot, place)) = locate(self.connection, seq)? else { return Ok(false) };
        match place {
            Place::Ended(_) => return Ok(false),
            Place::Suspended | Place::Dependent { .. } => self.pause_later(seq, true)?,
            Place::Running | Place::Waiting(_) | Place::Paused => {
                if self.pause(slot, place)? == Fate::Underway {
                    self.pause_later(seq, true)?;
                }
            }
        }
        Ok(place == Place::Suspended)
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
