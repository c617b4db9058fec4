//! What operators ask of whole workflows, and those that take too long.

use std::collections::VecDeque;

use bulkhead_core::{StepStanding, TaskId, WorkflowState};

use super::begin::find;
use crate::sql::{OptionalExtension, params};
use crate::{TaskSeq, WorkflowChange, WorkflowFate};

use super::super::cycle::Cycle;
use super::super::failure::Halt;
use super::super::place::{Place, locate};

impl Cycle<'_> {
    /// Does what is asked of one workflow.
    pub(in crate::relational) fn change_workflow(&mut self, id: &TaskId, change: WorkflowChange) -> Result<(), Halt> {
        let fate = match find(self.connection, id)? {
            Some(workflow) => self.change_found(workflow, change)?,
            None => WorkflowFate::Unknown,
        };
        self.out.workflow_fates.push(fate);
        Ok(())
    }

    fn change_found(&mut self, workflow: TaskSeq, change: WorkflowChange) -> Result<WorkflowFate, Halt> {
        if let Some(state) = self.hold_workflow(workflow)?.filter(|state| state.is_ended()) {
            let cancels = matches!(change, WorkflowChange::Cancel) && self.cancel_left(workflow)?;
            return Ok(if cancels { WorkflowFate::Done } else { WorkflowFate::Refused(state) });
        }
        match change {
            WorkflowChange::Cancel => self.cancel_steps(workflow)?,
            WorkflowChange::Pause => self.pause_steps(workflow)?,
            WorkflowChange::Resume => self.resume_steps(workflow)?,
        }
        Ok(WorkflowFate::Done)
    }

    /// How a workflow stands, where nothing goes on in it; on a server, nobody else changes its steps from here on.
    fn hold_workflow(&self, workflow: TaskSeq) -> Result<Option<WorkflowState>, Halt> {
        let select = format!("SELECT settled FROM workflows WHERE seq = ?1{}", self.lock());
        let settled: Option<Option<i64>> =
            self.connection.prepare_cached(&select)?.query_row([workflow.0], |row| row.get(0)).optional()?;
        Ok(settled.flatten().and_then(WorkflowState::of_number))
    }

    pub(super) fn cancel_steps(&mut self, workflow: TaskSeq) -> Result<(), Halt> {
        // Those behind come first, so that none becomes ready on the way.
        for seq in self.unfinished_steps(workflow)?.into_iter().rev() {
            self.cancel_task(seq)?;
        }
        self.cancel_left(workflow).map(drop)
    }

    /// Cancels the tasks that dead steps have left at work; whether there were any.
    pub(super) fn cancel_left(&mut self, workflow: TaskSeq) -> Result<bool, Halt> {
        const SELECT: &str = "SELECT seq FROM steps WHERE workflow = ?1 AND fans_out AND standing = ?2 ORDER BY place";
        let dead: Vec<TaskSeq> = {
            let mut statement = self.connection.prepare_cached(SELECT)?;
            let values = params![workflow.0, StepStanding::Dead.number()];
            let rows = statement.query_map(values, |row| row.get(0).map(TaskSeq))?;
            rows.collect::<crate::sql::Result<_>>()?
        };
        let mut any = false;
        for step in dead {
            any |= !self.living_children(step)?.is_empty();
            self.cancel_children(step)?;
        }
        Ok(any)
    }

    /// Holds back what could run, and what runs or waits as soon as it comes to the queue; with it, all that its steps have
    /// spawned, and will.
    fn pause_steps(&mut self, workflow: TaskSeq) -> Result<(), Halt> {
        let mut family = self.unfinished_steps(workflow)?;
        while let Some(seq) = family.pop() {
            if self.pause_with_all(seq)? {
                family.extend(self.living_children(seq)?);
            }
        }
        Ok(())
    }

    fn resume_steps(&mut self, workflow: TaskSeq) -> Result<(), Halt> {
        let mut family = VecDeque::from(self.unfinished_steps(workflow)?);
        while let Some(seq) = family.pop_front() {
            self.resume_wherever(seq)?;
            family.extend(self.living_children(seq)?);
        }
        Ok(())
    }

    fn resume_wherever(&mut self, seq: TaskSeq) -> Result<(), Halt> {
        self.take_back_pause(seq)?;
        match locate(self.connection, seq)? {
            Some((slot, Place::Paused)) => self.unpause(slot),
            _ => Ok(()),
        }
    }

    /// The tasks that a task has spawned, and have not ended.
    fn living_children(&self, step: TaskSeq) -> Result<Vec<TaskSeq>, Halt> {
        const SELECT: &str = "SELECT child FROM kin k WHERE parent = ?1 AND own \
            AND NOT EXISTS (SELECT 1 FROM ended e WHERE e.seq = k.child)";
        if !self.memory.has_kin {
            return Ok(Vec::new());
        }
        let mut statement = self.connection.prepare_cached(SELECT)?;
        let rows = statement.query_map([step.0], |row| row.get(0).map(TaskSeq))?;
        Ok(rows.collect::<crate::sql::Result<_>>()?)
    }

    /// Cancels workflows that take longer than they may, at most a batch at a time.
    pub(in crate::relational) fn sweep_overdue(&mut self) -> Result<(), Halt> {
        const SELECT: &str = "SELECT seq FROM workflows WHERE due_by <= ?1 ORDER BY due_by LIMIT 100";
        const UPDATE: &str = "UPDATE workflows SET overdue = TRUE, due_by = NULL WHERE seq = ?1 AND due_by <= ?2";
        let due: Vec<TaskSeq> = {
            let mut statement = self.connection.prepare_cached(SELECT)?;
            let rows = statement.query_map([self.now.as_millis()], |row| row.get(0).map(TaskSeq))?;
            rows.collect::<crate::sql::Result<_>>()?
        };
        for workflow in due {
            let settled = self.hold_workflow(workflow)?;
            let changed = self.connection.execute(UPDATE, params![workflow.0, self.now.as_millis()])?;
            if changed > 0 && !settled.is_some_and(WorkflowState::is_ended) {
                tracing::warn!(workflow = workflow.0, "a workflow takes longer than its lifecycle allows");
                self.cancel_steps(workflow)?;
            }
        }
        Ok(())
    }
}
