//! Carrying a cycle out on a connection that may be lost at any moment.

use std::time::{Duration, Instant};

use crate::StoreError;
use crate::postgres::Client;

use super::cycle::{self, Ended};
use super::outcome::Outcome;
use super::thread::{FIND_OUT_FOR, TROUBLE_FIRST, Thread};
use super::todo::Todo;

impl Thread {
    /// Does it in one transaction, on a connection that is there.
    pub(super) fn carry_out(&mut self, todo: &Todo, boot: Duration) -> Result<Outcome, StoreError> {
        if self.connection.is_closed() {
            self.connection = self.source.writer()?;
        }
        if self.memory.many_hosts.as_ref().is_none_or(|many| !many.database_time) {
            self.latest = self.latest.max(self.memory.settings.clock.now());
        }
        let mut done = cycle::run(&self.connection, &mut self.memory, todo, self.latest, boot);
        if done.is_err() && self.connection.is_closed() {
            // It had been lost, perhaps long ago; nothing is written, and the server may be there.
            self.connection = self.source.writer()?;
            done = cycle::run(&self.connection, &mut self.memory, todo, self.latest, boot);
        }
        if let Ok(Ended::Done(Outcome { now: Some(now), .. }) | Ended::Unknown(Outcome { now: Some(now), .. })) = &done
        {
            (self.latest, self.latest_at) = (*now, boot);
        }
        match done {
            Ok(Ended::Done(outcome)) => Ok(outcome),
            Ok(Ended::Unknown(outcome)) => self.find_out(outcome),
            Err(error) => Err(error),
        }
    }

    /// Learns what became of a transaction whose end the database did not tell, by the row that it noted.
    fn find_out(&mut self, outcome: Outcome) -> Result<Outcome, StoreError> {
        let transaction = self.connection.postgres().and_then(Client::transaction).unwrap_or_default();
        let begun = Instant::now();
        let mut error = StoreError::Closed;
        while begun.elapsed() < FIND_OUT_FOR {
            match self.was_committed(&transaction) {
                Ok(Some(true)) => return Ok(outcome),
                Ok(Some(false)) => {
                    cycle::undo(&self.connection, &mut self.memory, outcome, self.latest);
                    return Err(StoreError::Unreachable { reason: "the connection was lost".to_owned() });
                }
                // The server has not noticed yet that nobody is there.
                Ok(None) => {}
                Err(why) => error = why,
            }
            std::thread::sleep(TROUBLE_FIRST);
        }
        // Nobody may rely on either: who runs anything here has lost it, and the leases are left to run out.
        tracing::error!(%error, "it cannot be found out whether a transaction was written; this host's leases are given up");
        cycle::undo(&self.connection, &mut self.memory, outcome, self.latest);
        super::publish::give_up(&mut self.memory);
        Err(error)
    }

    fn was_committed(&mut self, transaction: &str) -> Result<Option<bool>, StoreError> {
        if self.connection.is_closed() {
            self.connection = self.source.writer()?;
        }
        let Some(client) = self.connection.postgres() else { return Ok(None) };
        // While it is open, wherever that is, it may still be written.
        let is_open = client.is_open(transaction).map_err(|error| super::failure::reading(&error))?;
        let Some(many) = self.memory.many_hosts.as_ref().filter(|_| !is_open) else { return Ok(None) };
        let select = "SELECT EXISTS (SELECT 1 FROM cycles WHERE host = ?1 AND cycle = ?2)";
        let mut statement = self.connection.prepare_cached(select).map_err(|error| super::failure::reading(&error))?;
        let noted = statement.query_row([many.host(), many.cycle()], |row| row.get(0));
        noted.map(Some).map_err(|error| super::failure::reading(&error))
    }
}
