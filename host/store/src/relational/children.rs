//! Tasks and the children that they wait for.

use std::collections::HashMap;

use bulkhead_core::{Child, DeadReason, Join, JoinCount, JoinStep, RunEnd, Spawn, State, family_limit, join_step};

use crate::TaskSeq;
use crate::ending::{AttemptFacts, Ending, error_text, state_number};
use crate::history::{Answered, HistoryRow, Spawned, signed, unsigned};
use crate::plan::Ended;
use crate::sql::{OptionalExtension, Row, params};

use super::crash_point::crash_point;
use super::cycle::Cycle;
use super::failure::Halt;
use super::ids;
use super::place::{Place, locate};
use super::request::Prepared;
use super::slot::Slot;
use super::submit::{Accepted, Asker};
use super::waiting::Wait;

/// A child as its parent knows it.
#[derive(Debug, Clone)]
pub(super) struct Kin {
    parent: TaskSeq,
    spawned: (u32, u32),
    critical: bool,
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
            if let Some(end) = end.filter(|state| state.is_ended()) {
                count.add(end, critical);
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
        &self,
        (parent, (epoch, stage), place): (TaskSeq, (u32, u32), u32),
        (child, own): (TaskSeq, bool),
        critical: bool,
        (depth, root): (u32, TaskSeq),
        asked: &Child,
    ) -> Result<(), Halt> {
        const INSERT: &str = "INSERT INTO kin (parent, epoch, stage, position, child, own, critical, depth, root, name) \
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        let values = params![parent.0, epoch, stage, place, child.0, own, critical, depth, root.0, asked.name];
        self.connection.prepare_cached(INSERT)?.execute(values)?;
        Ok(())
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

    /// Tells the parents of a task that has ended, where it has any.
    pub(super) fn tell_parents(&mut self, child: TaskSeq, end: State) -> Result<(), Halt> {
        if !self.memory.has_kin {
            return Ok(());
        }
        for kin in self.parents(child)? {
            let mut count = JoinCount::default();
            count.add(end, kin.critical);
            self.count_child(&kin, &count, 1, Some(child))?;
        }
        Ok(())
    }

    /// Takes a child's end back, since it lives again; a parent that still waits waits for it once more.
    pub(super) fn untell_parents(&mut self, child: TaskSeq, end: State) -> Result<(), Halt> {
        if !self.memory.has_kin {
            return Ok(());
        }
        for kin in self.parents(child)? {
            let mut count = JoinCount::default();
            count.add(end, kin.critical);
            self.count_child(&kin, &count, -1, None)?;
        }
        Ok(())
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

    fn parents(&self, child: TaskSeq) -> Result<Vec<Kin>, Halt> {
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

    /// Adds a child's end to what its parent counts, or takes it away, and lets the parent go on where that is due.
    fn count_child(&mut self, kin: &Kin, by: &JoinCount, times: i64, last: Option<TaskSeq>) -> Result<(), Halt> {
        const UPDATE: &str = "UPDATE waits SET ended = ended + ?4, well = well + ?5, \
            critical_well = critical_well + ?6, critical_badly = critical_badly + ?7 \
            WHERE seq = ?1 AND epoch = ?2 AND stage = ?3 AND join_policy IS NOT NULL \
            RETURNING join_policy, total, ended, well, critical, critical_well, critical_badly";
        let (epoch, stage) = kin.spawned;
        let change = |count: u32| i64::from(count) * times;
        let found: Option<(String, JoinCount)> = self
            .connection
            .prepare_cached(UPDATE)?
            .query_row(
                params![
                    kin.parent.0,
                    epoch,
                    stage,
                    change(by.ended),
                    change(by.well),
                    change(by.critical_well),
                    change(by.critical_badly)
                ],
                |row| Ok((row.get(0)?, super::waiting::read_count(row, 1)?)),
            )
            .optional()?;
        // It does not wait for this child any more, or never came to it.
        let Some((policy, count)) = found else { return Ok(()) };
        self.join(kin.parent, &super::waiting::read_join(&policy), &count, last)
    }

    /// Lets a parent go on, or end, where its children have come so far.
    fn join(&mut self, parent: TaskSeq, join: &Join, count: &JoinCount, last: Option<TaskSeq>) -> Result<(), Halt> {
        match join_step(join, count) {
            JoinStep::Wait => Ok(()),
            JoinStep::Resume => self.resume_task(parent, Answered::Gone, |history| {
                Some(Spawned { epoch: history.epoch, stage: history.stage, count: count.total })
            }),
            JoinStep::Fail => self.fail_parent(parent, last),
        }
    }

    /// Ends a parent whose child ended badly, and cancels its other children.
    fn fail_parent(&mut self, parent: TaskSeq, last: Option<TaskSeq>) -> Result<(), Halt> {
        let Some((slot, Place::Suspended)) = locate(self.connection, parent)? else { return Ok(()) };
        let message = match last {
            Some(child) => self.bad_child(parent, child)?,
            None => "a child that was there before had ended badly".to_owned(),
        };
        self.end_waiting(slot, DeadReason::Permanent, &message)?;
        self.cancel_children(parent)
    }

    /// Names a child and says how it ended.
    fn bad_child(&self, parent: TaskSeq, child: TaskSeq) -> Result<String, Halt> {
        const SELECT: &str = "SELECT k.name, k.position, t.id, e.state, e.reason FROM kin k \
            JOIN tasks t ON t.seq = k.child LEFT JOIN ended e ON e.seq = k.child \
            WHERE k.parent = ?1 AND k.child = ?2 ORDER BY k.epoch DESC, k.stage DESC LIMIT 1";
        let said = self.connection.prepare_cached(SELECT)?.query_row([parent.0, child.0], |row| {
            let (name, position): (Option<String>, u32) = (row.get(0)?, row.get(1)?);
            let name = name.unwrap_or_else(|| position.to_string());
            let id = ids::read(row.get_ref(2)?);
            let state = row.get::<Option<i64>>(3)?.and_then(crate::ending::state_of);
            let (state, reason) = (state.map_or("not ended", State::as_str), row.get::<Option<String>>(4)?);
            let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
            Ok(format!("its child `{name}`, task `{id}`, is {state}{reason}"))
        })?;
        Ok(said)
    }
}
