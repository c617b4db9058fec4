//! The limits of kinds, over all hosts: who claims or ends tasks of limited kinds holds their rows until that is durable.

use bulkhead_core::{Kind, Timestamp};

use crate::sql::params;

use super::cycle::Cycle;
use super::failure::Halt;

impl Cycle<'_> {
    /// Reads how far limits are used up, and keeps others from using them until this cycle is over.
    pub(super) fn hold_limits(&mut self) -> Result<(), Halt> {
        const SELECT: &str = "SELECT running, tokens, filled_at FROM kind_limits WHERE kind = ?1 FOR UPDATE";
        const INSERT: &str = "INSERT INTO kind_limits (kind, running, tokens, filled_at) VALUES (?1, ?2, ?3, ?4) \
            ON CONFLICT (kind) DO NOTHING";
        if !self.is_shared() || self.memory.limits.is_empty() || self.limits_held {
            return Ok(());
        }
        for kind in self.limited_kinds() {
            let mut statement = self.connection.prepare_cached(SELECT)?;
            let mut rows = statement.query([kind.as_str()])?;
            match rows.next()? {
                Some(row) => {
                    let held = row.get::<Option<f64>>(1)?.zip(row.get::<Option<i64>>(2)?);
                    let held = held.map(|(tokens, at)| (tokens, Timestamp::from_millis(at)));
                    let running = row.get(0)?;
                    self.memory.limits.set(&kind, running, held);
                }
                None => {
                    let held = self.memory.limits.get(&kind).and_then(|(_, held)| held);
                    self.memory.limits.set(&kind, 0, held);
                    let (tokens, at) = (held.map(|(tokens, _)| tokens), held.map(|(_, at)| at.as_millis()));
                    let made = self.connection.execute(INSERT, params![kind.as_str(), 0_i64, tokens, at])?;
                    self.first(made)?;
                }
            }
        }
        self.limits_held = true;
        for route in std::mem::take(&mut self.out.freed) {
            let route = self.route(route)?;
            self.memory.limits.free(&route.kind, 1);
        }
        if self.memory.limits.reopen(self.now) {
            self.memory.serve_anew();
        }
        Ok(())
    }

    /// Writes how far limits are used up now.
    pub(super) fn save_limits(&mut self) -> Result<(), Halt> {
        const UPDATE: &str = "UPDATE kind_limits SET running = ?2, tokens = ?3, filled_at = ?4 WHERE kind = ?1";
        if !self.out.freed.is_empty() {
            self.hold_limits()?;
        }
        if !self.limits_held {
            return Ok(());
        }
        for route in std::mem::take(&mut self.out.freed) {
            let route = self.route(route)?;
            self.memory.limits.free(&route.kind, 1);
        }
        for kind in self.limited_kinds() {
            let Some((running, held)) = self.memory.limits.get(&kind) else { continue };
            let (tokens, at) = (held.map(|(tokens, _)| tokens), held.map(|(_, at)| at.as_millis()));
            self.connection.put_off(UPDATE, params![kind.as_str(), running, tokens, at])?;
        }
        Ok(())
    }

    /// In one order on all hosts, so that none waits for one that waits for it.
    fn limited_kinds(&self) -> Vec<Kind> {
        let mut kinds: Vec<Kind> = self.memory.limits.kinds().cloned().collect();
        kinds.sort_unstable();
        kinds
    }
}
