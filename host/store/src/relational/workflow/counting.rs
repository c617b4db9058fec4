//! Counting the ends of steps where they are waited for.

use std::collections::BTreeMap;

use bulkhead_core::{DependencyCount, StepEnd, StepRole, StepStanding};

use super::numbers::{is_among, list};
use super::release::{Moved, StepChange};
use crate::TaskSeq;
use crate::sql::{OptionalExtension, Row, params};

use super::super::cycle::Cycle;
use super::super::failure::Halt;

/// A step whose dependencies have come somewhere.
pub(super) struct Dependent {
    pub(super) seq: TaskSeq,
    pub(super) role: StepRole,
    pub(super) count: DependencyCount,
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

/// Those that were told something.
pub(super) type Dependents = BTreeMap<TaskSeq, Dependent>;

impl Cycle<'_> {
    /// How the steps before a task have come, where it is a step itself. On a server, nobody changes that until the cycle is
    /// over.
    pub(super) fn dependent(&self, seq: TaskSeq) -> Result<Option<Dependent>, Halt> {
        let lock = if self.is_shared() { " FOR UPDATE OF w" } else { "" };
        let select = format!(
            "SELECT {DEPENDENT} FROM steps JOIN workflows w ON w.seq = steps.workflow WHERE steps.seq = ?1{lock}"
        );
        Ok(self.connection.prepare_cached(&select)?.query_row([seq.0], Dependent::read).optional()?)
    }

    /// Counts the ends of steps that are open by the table, where their new standings are not written yet; others among the
    /// tasks, and what is no step, change nothing.
    pub(super) fn tell_ends<'b>(
        &mut self,
        changes: impl Iterator<Item = &'b StepChange>,
        dependents: &mut Dependents,
    ) -> Result<(), Halt> {
        let mut alike: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
        for change in changes {
            if let Some(end) = change.standing.end() {
                alike.entry(column(end)).or_default().push(change.seq.0);
            }
        }
        let open = StepStanding::ALL.iter().filter(|standing| standing.end().is_none());
        let open: Vec<String> = open.map(|standing| standing.number().to_string()).collect();
        let open = open.join(", ");
        for (to, steps) in alike {
            let among = is_among(self.connection, 1);
            let were_open = format!("(SELECT seq FROM steps WHERE seq {among} AND standing IN ({open}))");
            let were_open = match self.connection.postgres() {
                // As an array it is looked up first, whatever the server knows of how many steps there are.
                Some(_) => format!("= ANY(ARRAY{were_open})"),
                None => format!("IN {were_open}"),
            };
            let update = format!(
                "UPDATE steps SET {to} = steps.{to} + told.times FROM (SELECT dependent, count(*) AS times FROM edges \
                 WHERE dependency {were_open} GROUP BY dependent) AS told WHERE steps.seq = told.dependent \
                 RETURNING {DEPENDENT}"
            );
            let numbers = list(self.connection, steps);
            self.changed_dependents(&update, params![numbers], dependents)?;
        }
        Ok(())
    }

    /// Counts steps anew that had ended otherwise, or go on: one statement for all that changed alike.
    pub(super) fn tell_otherwise(&mut self, moved: &[Moved], dependents: &mut Dependents) -> Result<(), Halt> {
        let mut alike: BTreeMap<(&str, Option<&str>), Vec<i64>> = BTreeMap::new();
        for step in moved {
            let (from, to) = (step.from.end().map(column), step.change.standing.end().map(column));
            if let Some(from) = from.filter(|from| to != Some(*from)) {
                alike.entry((from, to)).or_default().push(step.seq.0);
            }
        }
        for ((from, to), steps) in alike {
            let mut sets = vec![format!("{from} = steps.{from} - told.times")];
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
    pub(super) fn tell_chosen(&mut self, moved: &[Moved], dependents: &mut Dependents) -> Result<(), Halt> {
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
        dependents: &mut Dependents,
    ) -> Result<(), Halt> {
        let mut statement = self.connection.prepare_cached(update)?;
        for row in statement.query_map(values, Dependent::read)? {
            let dependent = row?;
            dependents.insert(dependent.seq, dependent);
        }
        Ok(())
    }
}
