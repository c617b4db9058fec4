//! Letting steps go on as those before them end.

use std::collections::BTreeMap;

use bulkhead_core::{DependencyStep, StepStanding, dependency_step, when_terminated};

use super::counting::Dependents;
use super::numbers::{is_among, list};
use super::settle::{Count, Counts};
use crate::TaskSeq;
use crate::sql::{Ahead, params};

use super::super::asked_ahead::FEW;
use super::super::crash_point::crash_point;
use super::super::cycle::Cycle;
use super::super::failure::Halt;
use super::super::place::locate;

/// A task has come somewhere; if it is a step, its workflow and those that depend on it are told.
#[derive(Debug, Clone)]
pub(in crate::relational) struct StepChange {
    pub(in crate::relational) seq: TaskSeq,
    pub(in crate::relational) standing: StepStanding,
    /// The places of the steps that it chose, where it is a decision.
    pub(in crate::relational) chosen: Option<Vec<u32>>,
    /// It ends the workflow early.
    pub(in crate::relational) terminates: bool,
}

impl StepChange {
    pub(in crate::relational) const fn to(seq: TaskSeq, standing: StepStanding) -> Self {
        Self { seq, standing, chosen: None, terminates: false }
    }
}

/// What has come somewhere, each as it is by now.
type Changes = BTreeMap<TaskSeq, StepChange>;

/// A step that has come somewhere.
pub(super) struct Moved {
    pub(super) seq: TaskSeq,
    workflow: TaskSeq,
    pub(super) from: StepStanding,
    pub(super) change: StepChange,
    name: String,
    fans_out: bool,
    /// The events of the template's own, as JSON.
    publishes: Option<String>,
}

/// Those of the tasks that are steps, where they have come somewhere else than they were.
fn moved(asked: Ahead<'_>, mut changes: Changes, counts: &mut Counts) -> Result<Vec<Moved>, Halt> {
    let found = asked.map(|row| {
        let (seq, workflow) = (TaskSeq(row.get(0)?), TaskSeq(row.get(1)?));
        let from = StepStanding::of_number(row.get(2)?).unwrap_or_default();
        let Some(change) = changes.remove(&seq).filter(|change| change.standing != from) else { return Ok(None) };
        let count = Count::read(row, 6)?;
        // What an earlier wave has added is not written yet.
        counts.entry(workflow).or_insert(count);
        let (name, publishes, fans_out) = (row.get(3)?, row.get(4)?, row.get(5)?);
        Ok(Some(Moved { seq, workflow, from, change, name, fans_out, publishes }))
    })?;
    let mut moved: Vec<Moved> = found.into_iter().flatten().collect();
    moved.sort_unstable_by_key(|step| step.seq);
    Ok(moved)
}

impl Cycle<'_> {
    /// Tells everything that depends on what has come somewhere in this cycle, and what follows from that, until nothing
    /// more does; then counts the workflows that were touched.
    pub(in crate::relational) fn release_steps(&mut self) -> Result<(), Halt> {
        if self.out.step_changes.is_empty() {
            return Ok(());
        }
        if !self.may_have_steps()? {
            self.out.step_changes.clear();
            return Ok(());
        }
        let (mut counts, select) = (Counts::new(), self.select_moved());
        while !self.out.step_changes.is_empty() {
            let changes: Changes = self.out.step_changes.drain(..).map(|change| (change.seq, change)).collect();
            let mut dependents = Dependents::new();
            let numbers = list(self.connection, changes.keys().map(|seq| seq.0));
            let asked = self.connection.ask_ahead(&select, [numbers.as_str()])?;
            let few = changes.len() <= FEW;
            if few {
                // Told before it is known which of them are steps.
                self.tell_ends(changes.values(), &mut dependents)?;
            }
            let moved = moved(asked, changes, &mut counts)?;
            if !few {
                self.tell_ends(moved.iter().map(|step| &step.change), &mut dependents)?;
            }
            self.tell_otherwise(&moved, &mut dependents)?;
            self.write_standings(&moved)?;
            self.tell_chosen(&moved, &mut dependents)?;
            for step in &moved {
                if let Some(publishes) = &step.publishes {
                    let of = (step.workflow, step.seq);
                    self.note_published(of, step.change.standing, &step.name, publishes)?;
                }
                if let Some(count) = counts.get_mut(&step.workflow) {
                    count.tally = count.tally.changed(step.from.tally(), step.change.standing.tally());
                }
            }
            crash_point("mid_release");
            // Nobody waits for the rest of a step that has enough of its tasks.
            for step in moved.iter().filter(|step| step.fans_out && step.change.standing == StepStanding::Well) {
                self.cancel_children(step.seq)?;
            }
            // What is skipped by that is not released any more.
            for step in moved.iter().filter(|step| step.change.terminates) {
                if let Some(count) = counts.get_mut(&step.workflow) {
                    count.early.terminated = true;
                }
                self.terminate(step.workflow)?;
            }
            let (released, others): (Vec<_>, Vec<_>) = dependents
                .into_values()
                .map(|dependent| (dependency_step(dependent.role, &dependent.count), dependent.seq))
                .partition(|(step, _)| *step == DependencyStep::Release);
            self.let_run(released.into_iter().map(|(_, seq)| seq))?;
            for (step, seq) in others {
                self.hold_back(seq, step)?;
            }
        }
        self.settle_workflows(&counts)
    }

    /// Which of some tasks are steps, and of what. On a server, nobody else changes a step of their workflows from then on
    /// until the cycle is over.
    fn select_moved(&self) -> String {
        format!(
            "SELECT s.seq, s.workflow, s.standing, s.name, s.publishes, s.fans_out, {} FROM steps s \
             JOIN workflows w ON w.seq = s.workflow WHERE s.seq {} ORDER BY w.seq{}",
            Count::columns("w"),
            is_among(self.connection, 1),
            if self.is_shared() { " FOR UPDATE OF w" } else { "" }
        )
    }

    fn write_standings(&mut self, moved: &[Moved]) -> Result<(), Halt> {
        let update = format!("UPDATE steps SET standing = ?1 WHERE seq {}", is_among(self.connection, 2));
        for standing in StepStanding::ALL {
            let to = moved.iter().filter(|step| step.change.standing == standing).map(|step| step.seq.0);
            let to: Vec<i64> = to.collect();
            if !to.is_empty() {
                let numbers = list(self.connection, to);
                self.connection.put_off(&update, params![standing.number(), numbers])?;
            }
        }
        Ok(())
    }

    /// Ends a workflow early: what waits is skipped, what runs or could is cancelled.
    fn terminate(&mut self, workflow: TaskSeq) -> Result<(), Halt> {
        self.connection.execute("UPDATE workflows SET terminated = TRUE WHERE seq = ?1", [workflow.0])?;
        for seq in self.unfinished_steps(workflow)? {
            let Some((slot, place)) = locate(self.connection, seq)? else { continue };
            match when_terminated(place.state()) {
                Some(StepStanding::Skipped) => self.skip(slot)?,
                Some(_) => self.cancel_task(seq)?,
                None => {}
            }
        }
        self.cancel_left(workflow).map(drop)
    }

    /// The steps of a workflow that have not ended.
    pub(super) fn unfinished_steps(&self, workflow: TaskSeq) -> Result<Vec<TaskSeq>, Halt> {
        const SELECT: &str = "SELECT seq FROM steps WHERE workflow = ?1 AND standing <= ?2 ORDER BY place";
        let mut statement = self.connection.prepare_cached(SELECT)?;
        let last = StepStanding::Blocked.number();
        let rows = statement.query_map(params![workflow.0, last], |row| row.get(0).map(TaskSeq))?;
        Ok(rows.collect::<crate::sql::Result<_>>()?)
    }

    /// Whether any task may be a step of a workflow.
    pub(super) fn may_have_steps(&mut self) -> Result<bool, Halt> {
        if !self.memory.has_steps && self.is_shared() && !self.ended_only_own {
            let select = "SELECT EXISTS (SELECT 1 FROM workflows)";
            self.memory.has_steps = self.connection.prepare_cached(select)?.query_row([], |row| row.get(0))?;
        }
        Ok(self.memory.has_steps)
    }
}
