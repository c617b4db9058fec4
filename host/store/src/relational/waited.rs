//! Ends that somebody here waits for, and another host has written.

use tokio_postgres::types::Type;

use crate::TaskSeq;

use super::cycle::Cycle;
use super::failure::Halt;

impl Cycle<'_> {
    /// Finds which of the tasks that somebody here waits for have ended on another host, and in which of the workflows
    /// nothing more happens by itself.
    pub(super) fn hear_of_ends(&mut self) -> Result<(), Halt> {
        // Numbers that stand between the first and the last, so that other partitions need not be looked into.
        const SELECT: &str = "SELECT seq FROM ended WHERE seq = ANY(?1) AND seq BETWEEN (?1)[1] AND (?1)[cardinality(?1)] \
            UNION ALL SELECT seq FROM workflows WHERE seq = ANY(?1) AND settled IS NOT NULL";
        let mut waited = self.memory.shared.waiters.waited();
        waited.sort_unstable();
        let Some(client) = self.connection.postgres().filter(|_| !waited.is_empty()) else { return Ok(()) };
        let rows = client.query_arrays(SELECT, &[(&waited, Type::INT8_ARRAY)])?;
        self.out.ended.extend(rows.iter().map(|row| TaskSeq(row.get(0))));
        Ok(())
    }
}
