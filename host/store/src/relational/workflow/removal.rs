//! Removing workflows that ended long ago. Their tasks stay until then, since later steps ask how they ended; from then
//! on they are removed as any other task is.

use bulkhead_core::{State, WorkflowState};

use super::numbers::{is_among, list};
use crate::sql::params;

use super::super::cycle::Cycle;
use super::super::failure::Halt;

/// Workflows that one cycle removes at most.
const REMOVED: i64 = 20;

impl Cycle<'_> {
    /// Removes workflows whose time is over, and gives those up that nobody has helped for as long as a dead letter is
    /// kept.
    pub(in crate::relational) fn sweep_workflows(&mut self) -> Result<(), Halt> {
        if !self.memory.has_steps {
            return Ok(());
        }
        let retention = self.memory.settings.retention;
        let before = |state| retention.kept(state).map(|kept| self.now.before(kept.duration()).as_millis());
        let (well, badly) = (before(State::Succeeded), before(State::Dead));
        // A step that fans out may have left dead letters behind, for which the workflow's input is kept.
        let select = "SELECT seq FROM workflows w WHERE settled_at <= CASE WHEN settled = ?1 OR EXISTS \
            (SELECT 1 FROM steps s WHERE s.workflow = w.seq AND s.fans_out) THEN CAST(?3 AS BIGINT) ELSE CAST(?2 AS BIGINT) END AND settled <> ?4 \
            AND NOT EXISTS (SELECT 1 FROM workflow_names n WHERE n.workflow = w.seq AND w.created_at > ?5) \
            ORDER BY settled_at LIMIT ?6";
        let named = self.now.before(self.memory.settings.key_ttl).as_millis();
        let over: Vec<i64> = {
            let mut statement = self.connection.prepare_cached(select)?;
            let (failed, blocked) = (WorkflowState::Failed.number(), WorkflowState::Blocked.number());
            let rows = statement.query_map(params![failed, well, badly, blocked, named, REMOVED], |row| row.get(0))?;
            rows.collect::<crate::sql::Result<_>>()?
        };
        if !over.is_empty() {
            let among = is_among(self.connection, 1);
            let numbers = list(self.connection, over);
            for delete in [
                format!("DELETE FROM edges WHERE dependency IN (SELECT seq FROM steps WHERE workflow {among})"),
                format!("DELETE FROM steps WHERE workflow {among}"),
                format!("DELETE FROM workflow_names WHERE workflow {among}"),
                format!("DELETE FROM workflows WHERE seq {among}"),
            ] {
                self.connection.prepare_cached(&delete)?.execute([numbers.as_str()])?;
            }
        }
        self.give_up_blocked(badly)
    }

    fn give_up_blocked(&mut self, before: Option<i64>) -> Result<(), Halt> {
        const SELECT: &str = "SELECT seq FROM workflows WHERE settled = ?1 AND settled_at <= ?2 LIMIT ?3";
        let blocked: Vec<crate::TaskSeq> = {
            let mut statement = self.connection.prepare_cached(SELECT)?;
            let rows = statement.query_map(params![WorkflowState::Blocked.number(), before, REMOVED], |row| {
                row.get(0).map(crate::TaskSeq)
            })?;
            rows.collect::<crate::sql::Result<_>>()?
        };
        for workflow in blocked {
            for seq in self.unfinished_steps(workflow)?.into_iter().rev() {
                self.cancel_task(seq)?;
            }
        }
        Ok(())
    }
}
