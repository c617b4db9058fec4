//! Tasks that spawn, and their children.

use std::collections::HashMap;

use bulkhead_core::{Child, DeadReason, JoinCount, JoinEnd, RunEnd, Spawn, State, family_limit};

use crate::TaskSeq;
use crate::ending::{AttemptFacts, Ending, error_text, state_number};
use crate::history::{HistoryRow, signed, unsigned};
use crate::plan::Ended;
use crate::sql::{OptionalExtension, Row, params};

use super::crash_point::crash_point;
use super::cycle::Cycle;
use super::failure::Halt;
use super::request::Prepared;
use super::slot::Slot;
use super::submit::{Accepted, Asker};
use super::tables::KIN;
use super::waiting::Wait;

/// A child as its parent knows it.
#[derive(Debug, Clone)]
pub(super) struct Kin {
    pub(super) parent: TaskSeq,
    pub(super) spawned: (u32, u32),
    pub(super) critical: bool,
}

impl Kin {
    fn read(row: &Row<'_>) -> crate::sql::Result<Self> {
        Ok(Self { parent: TaskSeq(row.get(0)?), spawned: (row.get(1)?, row.get(2)?), critical: row.get(3)? })
    }
}

/// Whether a child is one of the tasks that stand for a step: what such a task has done need not be done again when the
/// step is.
fn stands_for_a_step(child: &Child) -> bool {
    child.task.extras.as_deref().and_then(|extras| extras.step.as_ref()).is_some_and(|step| step.instance)
}

impl Cycle<'_> {
    /// Creates a task's children and lets it wait for them; one with too many generations above it is dead.
    pub(super) fn wait_for_children(
        &mut self,
        slot: Slot,
        ended: &Ended<'_>,
        history: &HistoryRow,
        spawn: &Spawn,
    ) -> Result<(), Halt> {
        let total = u32::try_from(spawn.children.len()).unwrap_or(u32::MAX);
        let (depth, root) = self.above(slot.seq)?;
        let depth = depth + 1;
        let descendants = self.descendants(root)? + u64::from(total);
        if let Some(limit) = family_limit(depth, descendants, self.memory.settings.max_descendants) {
            let end = RunEnd::LimitReached(limit);
            let facts = AttemptFacts::of(ended.commit, ended.history, ended.worker, ended.version);
            let facts = AttemptFacts { end: end.name(), ..facts };
            let error = end.error().as_ref().map(error_text);
            let ending = Ending::of_run(State::Dead, ended.commit, ended.history, facts);
            return self.end(slot, &Ending { reason: Some(DeadReason::Limit), error, ..ending }, true);
        }
        self.memory.has_kin = true;
        let spawned = (history.epoch, history.stage);
        let mut count = JoinCount { total, ..JoinCount::default() };
        let repeated = self.was_spawned(slot.seq, spawned)?;
        if repeated {
            // Children that it does not ask for again are none of its business from here on.
            self.connection
                .prepare_cached("DELETE FROM kin WHERE parent = ?1 AND epoch = ?2 AND stage = ?3 AND position >= ?4")?
                .execute(params![slot.seq.0, spawned.0, spawned.1, count.total])?;
            self.known.parents.clear();
        }
        let is_held = self.is_paused_with_all(slot.seq)?;
        if let Some(many) = &mut self.memory.many_hosts {
            many.will_number(spawn.children.len());
        }
        for (place, child) in (0_u32..).zip(&spawn.children) {
            let critical = spawn.join.is_critical(child.name.as_deref());
            count.critical += u32::from(critical);
            let there = if repeated { self.child_at(slot.seq, spawned, place)? } else { None };
            let before = match there {
                None if spawned.0 > 1 && stands_for_a_step(child) => {
                    self.ended_well_before(slot.seq, spawned, child.name.as_deref())?
                }
                _ => None,
            };
            let end = match (there, before) {
                (None, Some((seq, state))) => {
                    self.insert_kin((slot.seq, spawned, place), (seq, true), critical, (depth, root), child)?;
                    Some(state)
                }
                (Some(seq), _) => {
                    self.ask_again(slot.seq, spawned, (place, child.name.as_deref(), critical))?;
                    self.hold_ends()?;
                    match super::place::state(self.connection, seq)? {
                        Some(state) => Some(state),
                        None => Some(self.state_when_removed(seq)?),
                    }
                }
                (None, None) => {
                    let Accepted { seq, submitted } =
                        self.submit_one(&Prepared::from(child.task.clone()), Asker::Task)?;
                    // Whoever its parents were, there is one more now.
                    self.known.parents.remove(&seq);
                    let own = (seq, !submitted.duplicate);
                    self.insert_kin((slot.seq, spawned, place), own, critical, (depth, root), child)?;
                    if is_held && own.1 {
                        self.pause_with_all(seq)?;
                    }
                    match submitted.state {
                        _ if !submitted.duplicate => None,
                        // What was there before may have ended, and may have been removed since.
                        state if state.is_ended() => Some(state),
                        _ => {
                            self.hold_ends()?;
                            super::place::state(self.connection, seq)?
                        }
                    }
                }
            };
            if let Some(state) = end.filter(|state| state.is_ended()) {
                count.add(JoinEnd { state, critical });
            }
            crash_point("mid_spawn");
        }
        self.connection
            .prepare_cached(
                "INSERT INTO trees (root, descendants) VALUES (?1, ?2) \
                 ON CONFLICT (root) DO UPDATE SET descendants = excluded.descendants",
            )?
            .execute(params![root.0, signed(descendants)])?;
        self.note_spawned(slot, history, total)?;
        self.begin_to_wait(slot, ended, history, Wait::Children(&spawn.join, count))?;
        self.join(slot.seq, &spawn.join, &count, None)
    }

    /// Writes whose child a task is.
    fn insert_kin(
        &mut self,
        (parent, (epoch, stage), place): (TaskSeq, (u32, u32), u32),
        (child, own): (TaskSeq, bool),
        critical: bool,
        (depth, root): (u32, TaskSeq),
        asked: &Child,
    ) -> Result<(), Halt> {
        self.insert(&KIN, params![parent.0, epoch, stage, place, child.0, own, critical, depth, root.0, asked.name])
    }

    /// The task of this name that an earlier life of a step had made, where it has ended well.
    fn ended_well_before(
        &self,
        parent: TaskSeq,
        (epoch, stage): (u32, u32),
        name: Option<&str>,
    ) -> Result<Option<(TaskSeq, State)>, Halt> {
        const SELECT: &str = "SELECT k.child, e.state FROM kin k JOIN ended e ON e.seq = k.child \
            WHERE k.parent = ?1 AND k.epoch < ?2 AND k.stage = ?3 AND k.name = ?4 AND e.state IN (?5, ?6) \
            ORDER BY k.epoch DESC LIMIT 1";
        let (well, by_hand) = (state_number(State::Succeeded), state_number(State::Resolved));
        let mut statement = self.connection.prepare_cached(SELECT)?;
        let found = statement
            .query_row(params![parent.0, epoch, stage, name, well, by_hand], |row| {
                Ok((TaskSeq(row.get(0)?), crate::ending::state_of(row.get(1)?).unwrap_or(State::Succeeded)))
            })
            .optional()?;
        Ok(found)
    }

    /// Cancels what a task spawned and nobody waits for any more.
    pub(super) fn cancel_children(&mut self, parent: TaskSeq) -> Result<(), Halt> {
        if !self.memory.has_kin {
            return Ok(());
        }
        let children: Vec<i64> = {
            let mut statement = self.connection.prepare_cached(
                "SELECT child FROM kin WHERE parent = ?1 AND own \
                 AND NOT EXISTS (SELECT 1 FROM ended WHERE seq = child)",
            )?;
            let rows = statement.query_map([parent.0], |row| row.get(0))?;
            rows.collect::<crate::sql::Result<_>>()?
        };
        for child in children {
            self.cancel_task(TaskSeq(child))?;
        }
        Ok(())
    }

    /// How many generations are above a task, and the first of them.
    fn above(&self, task: TaskSeq) -> Result<(u32, TaskSeq), Halt> {
        let select = "SELECT depth, root FROM kin WHERE child = ?1 ORDER BY depth DESC LIMIT 1";
        let mut statement = self.connection.prepare_cached(select)?;
        let above = statement.query_row([task.0], |row| Ok((row.get(0)?, TaskSeq(row.get(1)?)))).optional()?;
        Ok(above.unwrap_or((0, task)))
    }

    fn descendants(&self, root: TaskSeq) -> Result<u64, Halt> {
        let mut statement = self.connection.prepare_cached("SELECT descendants FROM trees WHERE root = ?1")?;
        Ok(statement.query_row([root.0], |row| row.get(0).map(unsigned)).optional()?.unwrap_or(0))
    }

    /// Whether the task has spawned children at this stage before.
    fn was_spawned(&self, parent: TaskSeq, (epoch, stage): (u32, u32)) -> Result<bool, Halt> {
        let select = "SELECT EXISTS (SELECT 1 FROM kin WHERE parent = ?1 AND epoch = ?2 AND stage = ?3)";
        Ok(self.connection.prepare_cached(select)?.query_row(params![parent.0, epoch, stage], |row| row.get(0))?)
    }

    fn child_at(&self, parent: TaskSeq, (epoch, stage): (u32, u32), position: u32) -> Result<Option<TaskSeq>, Halt> {
        let select = "SELECT child FROM kin WHERE parent = ?1 AND epoch = ?2 AND stage = ?3 AND position = ?4";
        let mut statement = self.connection.prepare_cached(select)?;
        Ok(statement.query_row(params![parent.0, epoch, stage, position], |row| row.get(0).map(TaskSeq)).optional()?)
    }

    /// Notes by which name, and how much, a child is asked for that is there already.
    fn ask_again(
        &self,
        parent: TaskSeq,
        (epoch, stage): (u32, u32),
        (position, name, critical): (u32, Option<&str>, bool),
    ) -> Result<(), Halt> {
        const UPDATE: &str = "UPDATE kin SET name = ?5, critical = ?6 \
            WHERE parent = ?1 AND epoch = ?2 AND stage = ?3 AND position = ?4";
        self.connection.prepare_cached(UPDATE)?.execute(params![parent.0, epoch, stage, position, name, critical])?;
        Ok(())
    }

    /// For whom a task is a child.
    pub(super) fn parents(&self, child: TaskSeq) -> Result<Vec<Kin>, Halt> {
        if let Some(known) = self.known.parents.get(&child) {
            return Ok(known.clone());
        }
        let mut statement =
            self.connection.prepare_cached("SELECT parent, epoch, stage, critical FROM kin WHERE child = ?1")?;
        let rows = statement.query_map([child.0], Kin::read)?;
        Ok(rows.collect::<crate::sql::Result<_>>()?)
    }

    /// The parents of each of several tasks, on a server.
    pub(super) fn parents_of(&self, children: &[i64]) -> Result<HashMap<TaskSeq, Vec<Kin>>, Halt> {
        let mut parents: HashMap<TaskSeq, Vec<Kin>> =
            children.iter().map(|child| (TaskSeq(*child), Vec::new())).collect();
        let mut statement = self
            .connection
            .prepare_cached("SELECT parent, epoch, stage, critical, child FROM kin WHERE child = ANY(?1)")?;
        let mut rows = statement.query_numbers(children)?;
        while let Some(row) = rows.next()? {
            parents.entry(TaskSeq(row.get(4)?)).or_default().push(Kin::read(&row)?);
        }
        Ok(parents)
    }
}
