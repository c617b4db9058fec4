//! Removing workflows that ended long ago. Their tasks stay until then, since later steps ask how they ended; from then
//! on they are removed as any other task is.

use bulkhead_core::{StepStanding, WorkflowState};

use super::numbers::{is_among, list};
use crate::TaskSeq;
use crate::sql::params;

use super::super::cycle::Cycle;
use super::super::failure::Halt;

/// Workflows of one kind that one cycle removes at most.
const REMOVED: i64 = 20;

impl Cycle<'_> {
    /// Removes workflows whose time is over, and gives those up that nobody has helped for long.
    pub(in crate::relational) fn sweep_workflows(&mut self) -> Result<(), Halt> {
        if !self.memory.has_steps {
            return Ok(());
        }
        let retention = self.memory.settings.retention;
        for state in WorkflowState::ALL {
            for leaves_dead in [false, true] {
                if let Some(kept) = retention.kept_workflow(state, leaves_dead) {
                    let over = self.settled_before(state, Some(leaves_dead), self.now.before(kept.duration()))?;
                    self.remove_workflows(&over)?;
                }
            }
        }
        let given_up = self.now.before(retention.blocked_for().duration());
        for workflow in self.settled_before(WorkflowState::Blocked, None, given_up)? {
            self.cancel_steps(workflow)?;
        }
        Ok(())
    }

    /// Workflows that have stood so since before a moment; those that a name stands for only once that is forgotten.
    fn settled_before(
        &self,
        state: WorkflowState,
        leaves_dead: Option<bool>,
        before: bulkhead_core::Timestamp,
    ) -> Result<Vec<TaskSeq>, Halt> {
        const SELECT: &str = "SELECT seq FROM workflows w WHERE settled = ?1 AND settled_at <= ?2 \
            AND (CAST(?3 AS BOOLEAN) IS NULL OR CAST(?3 AS BOOLEAN) = \
                EXISTS (SELECT 1 FROM steps s WHERE s.workflow = w.seq AND (s.fans_out OR s.standing = ?6))) \
            AND (w.created_at <= ?4 OR NOT EXISTS (SELECT 1 FROM workflow_names n WHERE n.workflow = w.seq)) \
            ORDER BY settled_at LIMIT ?5";
        let named = self.now.before(self.memory.settings.key_ttl).as_millis();
        let dead = StepStanding::Dead.number();
        let values = params![state.number(), before.as_millis(), leaves_dead, named, REMOVED, dead];
        let mut statement = self.connection.prepare_cached(SELECT)?;
        let rows = statement.query_map(values, |row| row.get(0).map(TaskSeq))?;
        Ok(rows.collect::<crate::sql::Result<_>>()?)
    }

    fn remove_workflows(&self, over: &[TaskSeq]) -> Result<(), Halt> {
        if over.is_empty() {
            return Ok(());
        }
        let among = is_among(self.connection, 1);
        let numbers = list(self.connection, over.iter().map(|seq| seq.0));
        for delete in [
            format!("DELETE FROM edges WHERE dependency IN (SELECT seq FROM steps WHERE workflow {among})"),
            format!("DELETE FROM steps WHERE workflow {among}"),
            format!("DELETE FROM workflow_names WHERE workflow {among}"),
            format!("DELETE FROM workflows WHERE seq {among}"),
        ] {
            self.connection.prepare_cached(&delete)?.execute([numbers.as_str()])?;
        }
        Ok(())
    }
}
