//! Telling parents how their children end, and letting them go on.

use std::collections::BTreeMap;

use bulkhead_core::{DeadReason, Join, JoinCount, JoinEnd, JoinStep, State, first_to_join, join_step};

use crate::TaskSeq;
use crate::history::{Answered, Spawned};
use crate::sql::{OptionalExtension, params};

use super::children::Kin;
use super::cycle::Cycle;
use super::failure::Halt;
use super::ids;
use super::place::{Place, locate};
use super::waiting::{read_count, read_join};

/// A child that has ended, of which its parent is told.
#[derive(Debug, Clone)]
pub(super) struct ChildEnd {
    kin: Kin,
    child: TaskSeq,
    end: JoinEnd,
}

impl ChildEnd {
    const fn new(kin: Kin, child: TaskSeq, state: State) -> Self {
        let end = JoinEnd { state, critical: kin.critical };
        Self { kin, child, end }
    }
}

impl Cycle<'_> {
    /// Tells the parents of a task that has ended, where it has any; while the ends of runs are written, a parent is told of
    /// all of its children at once that end well beside each other.
    pub(super) fn tell_parents(&mut self, child: TaskSeq, end: State) -> Result<(), Halt> {
        if !self.memory.has_kin {
            return Ok(());
        }
        for kin in self.parents(child)? {
            let end = ChildEnd::new(kin, child, end);
            let gathers = self.gathers_ends && end.end.can_wait();
            self.out.child_ends.push(end);
            if !gathers {
                self.tell_gathered()?;
            }
        }
        Ok(())
    }

    /// Tells the parents of everything that was gathered.
    pub(super) fn tell_gathered(&mut self) -> Result<(), Halt> {
        while !self.out.child_ends.is_empty() {
            let mut families: BTreeMap<(TaskSeq, (u32, u32)), Vec<ChildEnd>> = BTreeMap::new();
            for end in std::mem::take(&mut self.out.child_ends) {
                families.entry((end.kin.parent, end.kin.spawned)).or_default().push(end);
            }
            for ((parent, spawned), ends) in families {
                self.count_children(parent, spawned, &ends)?;
            }
        }
        Ok(())
    }

    /// Takes a child's end back, since it lives again; a parent that still waits waits for it once more.
    pub(super) fn untell_parents(&mut self, child: TaskSeq, end: State) -> Result<(), Halt> {
        if !self.memory.has_kin {
            return Ok(());
        }
        self.tell_gathered()?;
        for kin in self.parents(child)? {
            let (parent, spawned) = (kin.parent, kin.spawned);
            let by = JoinCount::of([ChildEnd::new(kin, child, end).end]);
            // Its parent waits for more than it did before, and so for something.
            self.add_to_count(parent, spawned, &by, -1)?;
        }
        Ok(())
    }

    /// Adds children's ends to what their parent counts, and lets it go on, or end, where that is due.
    fn count_children(&mut self, parent: TaskSeq, spawned: (u32, u32), ends: &[ChildEnd]) -> Result<(), Halt> {
        let told: Vec<JoinEnd> = ends.iter().map(|child| child.end).collect();
        let by = JoinCount::of(told.iter().copied());
        // It does not wait for these children any more, or never came to it.
        let Some((join, after)) = self.add_to_count(parent, spawned, &by, 1)? else { return Ok(()) };
        match first_to_join(&join, &after, &told) {
            Some((place, count)) => self.join(parent, &join, &count, ends.get(place).map(|child| child.child)),
            None => Ok(()),
        }
    }

    /// Changes what a parent counts; gives what it waits for, where it waits for these children.
    fn add_to_count(
        &mut self,
        parent: TaskSeq,
        (epoch, stage): (u32, u32),
        by: &JoinCount,
        times: i64,
    ) -> Result<Option<(Join, JoinCount)>, Halt> {
        const UPDATE: &str = "UPDATE waits SET ended = ended + ?4, well = well + ?5, \
            critical_well = critical_well + ?6, critical_badly = critical_badly + ?7 \
            WHERE seq = ?1 AND epoch = ?2 AND stage = ?3 AND join_policy IS NOT NULL \
            RETURNING join_policy, total, ended, well, critical, critical_well, critical_badly";
        let change = |count: u32| i64::from(count) * times;
        let found: Option<(String, JoinCount)> = self
            .connection
            .prepare_cached(UPDATE)?
            .query_row(
                params![
                    parent.0,
                    epoch,
                    stage,
                    change(by.ended),
                    change(by.well),
                    change(by.critical_well),
                    change(by.critical_badly)
                ],
                |row| Ok((row.get(0)?, read_count(row, 1)?)),
            )
            .optional()?;
        Ok(found.map(|(policy, count)| (read_join(&policy), count)))
    }

    /// Lets a parent go on, or end, where its children have come so far.
    pub(super) fn join(
        &mut self,
        parent: TaskSeq,
        join: &Join,
        count: &JoinCount,
        last: Option<TaskSeq>,
    ) -> Result<(), Halt> {
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
