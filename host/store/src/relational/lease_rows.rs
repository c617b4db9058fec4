//! Leases as all hosts of a database know them.

use std::collections::BTreeSet;

use tokio_postgres::types::{ToSql as Parameter, Type};

use crate::postgres::Client;
use crate::{Claimed, LeaseId, WorkerId};

use super::cycle::Cycle;

impl Cycle<'_> {
    /// Writes the lease of a batch; its tasks in the order of their numbers, as `done` counts them.
    pub(super) fn insert_lease(
        &self,
        client: &Client,
        (id, attachment, worker): (LeaseId, WorkerId, i64),
        claimed: &[(u32, Claimed)],
    ) {
        const INSERT: &str = "INSERT INTO leases (id, attachment, worker, claimed_at, tasks, done) \
            VALUES (?1, ?2, ?3, ?4, ?5, '')";
        let tasks: Vec<i64> = claimed.iter().map(|(_, task)| task.seq.0).collect();
        let number = |number: i64| -> (Box<dyn Parameter + Sync + Send>, Type) { (Box::new(number), Type::INT8) };
        let numbers = [id.0, attachment.0, worker, self.now.as_millis()].map(number);
        let values = numbers.into_iter().chain([(Box::new(tasks) as _, Type::INT8_ARRAY)]).collect();
        client.along(INSERT, values);
    }

    /// Writes which tasks are done under which lease, and ends the leases whose last task is.
    pub(super) fn save_leases(&mut self) {
        let Some(client) = self.connection.postgres() else { return };
        let touched: BTreeSet<LeaseId> = self.out.done.iter().map(|(lease, _)| *lease).collect();
        let (mut over, mut partly, mut bits) = (Vec::new(), Vec::new(), Vec::new());
        for id in touched {
            let Some(lease) = self.memory.leases.get(id) else { continue };
            if lease.left() == 0 {
                over.push(id.0);
            } else {
                partly.push(id.0);
                bits.push(lease.done());
            }
        }
        if !over.is_empty() {
            self.out.over.extend(over.iter().copied().map(LeaseId));
            client.along("DELETE FROM leases WHERE id = ANY(?1)", vec![(Box::new(over), Type::INT8_ARRAY)]);
        }
        if !partly.is_empty() {
            const UPDATE: &str = "UPDATE leases SET done = u.done \
                FROM unnest(?1::bigint[], ?2::bytea[]) AS u (id, done) WHERE leases.id = u.id";
            client.along(UPDATE, vec![(Box::new(partly), Type::INT8_ARRAY), (Box::new(bits), Type::BYTEA_ARRAY)]);
        }
    }
}
