//! Letting steps go on as those before them end.

use std::collections::BTreeMap;

use bulkhead_core::{
    DependencyCount, DependencyStep, StepEnd, StepRole, StepStanding, dependency_step, when_terminated,
};

use super::numbers::{is_among, list};
use super::settle::{Count, Counts};
use crate::TaskSeq;
use crate::sql::{Row, params};

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

/// A step that has come somewhere.
struct Moved {
    seq: TaskSeq,
    workflow: TaskSeq,
    from: StepStanding,
    change: StepChange,
    name: String,
    fans_out: bool,
    /// The events of the template's own, as JSON.
    publishes: Option<String>,
}

/// A step whose dependencies have come somewhere.
struct Dependent {
    seq: TaskSeq,
    role: StepRole,
    count: DependencyCount,
}

impl Dependent {
    fn read(row: &Row<'_>) -> crate::sql::Result<Self> {
        Ok(Self {
            seq: TaskSeq(row.get(0)?),
            role: StepRole::of_number(row.get(1)?).unwrap_or_default(),
            count: DependencyCount {
                total: row.get(2)?,
                well: row.get(3)?,
                skipped: row.get(4)?,
                bad: row.get(5)?,
                cancelled: row.get(6)?,
            },
        })
    }
}

/// The columns of [`Dependent::read`].
const DEPENDENT: &str = "steps.seq, steps.role, steps.total, steps.well, steps.skipped, steps.bad, steps.cancelled";

/// The column that counts dependencies that ended so.
const fn column(end: StepEnd) -> &'static str {
    match end {
        StepEnd::Well => "well",
        StepEnd::Skipped => "skipped",
        StepEnd::Bad => "bad",
        StepEnd::Cancelled => "cancelled",
    }
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
        let mut counts = Counts::new();
        while !self.out.step_changes.is_empty() {
            let changes = std::mem::take(&mut self.out.step_changes);
            let moved = self.steps_among(changes, &mut counts)?;
            self.write_standings(&moved)?;
            let mut dependents = BTreeMap::new();
            self.tell_dependents(&moved, &mut dependents)?;
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

    /// Those of the tasks that are steps, where they have come somewhere else than they were. On a server, nobody else
    /// changes a step of their workflows from here on until the cycle is over.
    fn steps_among(&mut self, changes: Vec<StepChange>, counts: &mut Counts) -> Result<Vec<Moved>, Halt> {
        let mut latest: BTreeMap<TaskSeq, StepChange> = BTreeMap::new();
        for change in changes {
            latest.insert(change.seq, change);
        }
        let numbers = list(self.connection, latest.keys().map(|seq| seq.0));
        let select = format!(
            "SELECT s.seq, s.workflow, s.standing, s.name, s.publishes, s.fans_out, {} FROM steps s \
             JOIN workflows w ON w.seq = s.workflow WHERE s.seq {} ORDER BY w.seq{}",
            Count::columns("w"),
            is_among(self.connection, 1),
            if self.is_shared() { " FOR UPDATE OF w" } else { "" }
        );
        let mut statement = self.connection.prepare_cached(&select)?;
        let found = statement.query_map([numbers.as_str()], |row| {
            let standing = StepStanding::of_number(row.get(2)?).unwrap_or_default();
            let (name, publishes): (String, Option<String>) = (row.get(3)?, row.get(4)?);
            let of = (TaskSeq(row.get(0)?), TaskSeq(row.get(1)?), Count::read(row, 6)?);
            Ok((of, standing, (name, publishes, row.get(5)?)))
        })?;
        let mut moved = Vec::new();
        for row in found {
            let ((seq, workflow, count), from, (name, publishes, fans_out)) = row?;
            if let Some(change) = latest.remove(&seq).filter(|change| change.standing != from) {
                // What an earlier wave has added is not written yet.
                counts.entry(workflow).or_insert(count);
                moved.push(Moved { seq, workflow, from, change, name, fans_out, publishes });
            }
        }
        moved.sort_unstable_by_key(|step| step.seq);
        Ok(moved)
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

    /// Counts the ends of steps where they are waited for: one statement for all that changed alike.
    fn tell_dependents(&mut self, moved: &[Moved], dependents: &mut BTreeMap<TaskSeq, Dependent>) -> Result<(), Halt> {
        let mut alike: BTreeMap<(Option<&str>, Option<&str>), Vec<i64>> = BTreeMap::new();
        for step in moved {
            let ends = (step.from.end().map(column), step.change.standing.end().map(column));
            if ends.0 != ends.1 {
                alike.entry(ends).or_default().push(step.seq.0);
            }
        }
        for ((from, to), steps) in alike {
            let mut sets = Vec::new();
            sets.extend(from.map(|column| format!("{column} = steps.{column} - told.times")));
            sets.extend(to.map(|column| format!("{column} = steps.{column} + told.times")));
            let update = format!(
                "UPDATE steps SET {} FROM (SELECT dependent, count(*) AS times FROM edges WHERE dependency {} \
                 GROUP BY dependent) AS told WHERE steps.seq = told.dependent RETURNING {DEPENDENT}",
                sets.join(", "),
                is_among(self.connection, 1)
            );
            let numbers = list(self.connection, steps);
            self.changed_dependents(&update, params![numbers], dependents)?;
        }
        Ok(())
    }

    /// Counts a decision as skipped where it did not choose: those steps were just told that it ended well.
    fn tell_chosen(&mut self, moved: &[Moved], dependents: &mut BTreeMap<TaskSeq, Dependent>) -> Result<(), Halt> {
        let update = format!(
            "UPDATE steps SET well = steps.well - 1, skipped = steps.skipped + 1 WHERE seq IN \
             (SELECT dependent FROM edges WHERE dependency = ?1) AND role <> ?2 AND NOT (place {}) RETURNING {DEPENDENT}",
            is_among(self.connection, 3)
        );
        let convergence = StepRole::Convergence.number();
        for step in moved {
            if let Some(chosen) = &step.change.chosen {
                let places = list(self.connection, chosen.iter().map(|place| i64::from(*place)));
                self.changed_dependents(&update, params![step.seq.0, convergence, places], dependents)?;
            }
        }
        Ok(())
    }

    fn changed_dependents(
        &self,
        update: &str,
        values: &[&dyn crate::sql::ToSql],
        dependents: &mut BTreeMap<TaskSeq, Dependent>,
    ) -> Result<(), Halt> {
        let mut statement = self.connection.prepare_cached(update)?;
        for row in statement.query_map(values, Dependent::read)? {
            let dependent = row?;
            dependents.insert(dependent.seq, dependent);
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
        Ok(())
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
    fn may_have_steps(&mut self) -> Result<bool, Halt> {
        if !self.memory.has_steps && self.is_shared() && !self.ended_only_own {
            let select = "SELECT EXISTS (SELECT 1 FROM workflows)";
            self.memory.has_steps = self.connection.prepare_cached(select)?.query_row([], |row| row.get(0))?;
        }
        Ok(self.memory.has_steps)
    }
}
