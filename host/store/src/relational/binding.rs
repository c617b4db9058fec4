//! Letting a task go on where its workspace is.

use std::time::Duration;

use bulkhead_core::{Home, Route};

use crate::sql::params;

use super::cycle::Cycle;
use super::failure::Halt;
use super::slot::Slot;

/// How long a task waits that cannot be bound, so that hosts which send it away do not do so all the time.
const UNBOUND_FOR: Duration = Duration::from_secs(1);

impl Cycle<'_> {
    /// Gives a task that goes on the route of its home, where it has another.
    pub(super) fn bind(&mut self, slot: Slot, home: Option<&Home>) -> Result<Slot, Halt> {
        let Some(home) = home else { return Ok(slot) };
        let route = self.route(slot.route)?;
        if route.home.as_ref() == Some(home) {
            return Ok(slot);
        }
        let bound = Route { home: Some(home.clone()), ..Route::clone(&route) };
        let route = match self.route_id(&bound) {
            // There is no room for another route. Whoever claims it elsewhere sends it on again.
            Err(Halt::Row(message)) => {
                tracing::warn!(task = slot.seq.0, message, "a task cannot be bound to the host of its workspace");
                return Ok(Slot { due: slot.due.max(self.now.after(UNBOUND_FOR)), ..slot });
            }
            found => found?,
        };
        self.connection.execute("UPDATE tasks SET route = ?2 WHERE seq = ?1", params![slot.seq.0, route])?;
        Ok(Slot { route, ..slot })
    }
}
