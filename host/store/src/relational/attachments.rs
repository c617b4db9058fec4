//! Workers as all hosts of a database know them: who is attached, and whose leases have run out.

use bulkhead_core::Timestamp;
use tokio_postgres::types::Type;

use crate::sql::params;
use crate::{TaskSeq, WorkerId};

use super::cycle::Cycle;
use super::failure::Halt;
use super::place::{Place, locate};

/// Holds attachments, and tells when they were renewed.
pub(super) const HELD: &str = "SELECT id, renewed_at FROM attachments WHERE id = ANY(?1) ORDER BY id FOR KEY SHARE";

impl Cycle<'_> {
    /// Makes a worker's attachment known to all.
    pub(super) fn attach(&mut self, worker: WorkerId, name: &std::sync::Arc<str>) -> Result<(), Halt> {
        let Some(host) = self.memory.many_hosts.as_ref().map(|many| many.host()) else { return Ok(()) };
        let number = self.memory.names.worker(self.connection, name)?;
        let insert = "INSERT INTO attachments (id, host, worker, renewed_at) VALUES (?1, ?2, ?3, ?4)";
        self.connection.execute(insert, params![worker.0, host, number, self.now.as_millis()])?;
        Ok(())
    }

    /// Renews all leases of a worker by one row; whether they were still valid.
    pub(super) fn renew(&mut self, worker: WorkerId) -> Result<bool, Halt> {
        let update = "UPDATE attachments SET renewed_at = ?2 WHERE id = ?1 AND renewed_at >= ?3";
        let changed = self.connection.execute(update, [worker.0, self.now.as_millis(), self.latest_renewal()])?;
        if changed == 0 && self.memory.workers.contains_key(&worker) && !self.out.lost.contains(&worker) {
            self.out.lost.push(worker);
        }
        Ok(changed > 0)
    }

    /// The moment before which a worker must have renewed to have lost its leases.
    fn latest_renewal(&self) -> i64 {
        let lease = i64::try_from(self.memory.settings.lease_duration.as_millis()).unwrap_or(i64::MAX);
        self.now.as_millis().saturating_sub(lease)
    }

    /// Takes an attachment off that its worker gives up.
    pub(super) fn detach(&mut self, worker: WorkerId) -> Result<(), Halt> {
        if self.is_shared() {
            self.connection.execute("DELETE FROM attachments WHERE id = ?1", [worker.0])?;
        }
        Ok(())
    }

    /// Takes their tasks from workers, of any host, that have not renewed in time.
    pub(super) fn sweep_attachments(&mut self) -> Result<(), Halt> {
        const LATE: &str = "SELECT id, worker FROM attachments WHERE renewed_at < ?1 \
            ORDER BY renewed_at, id LIMIT 4 FOR UPDATE SKIP LOCKED";
        let late: Vec<(i64, i64)> = {
            let mut statement = self.connection.prepare_cached(LATE)?;
            let rows = statement.query_map([self.latest_renewal()], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<crate::sql::Result<_>>()?
        };
        self.recounts = !late.is_empty();
        for (attachment, worker) in late {
            self.take_over(attachment, worker)?;
            self.connection.execute("DELETE FROM attachments WHERE id = ?1", [attachment])?;
            let lost = WorkerId(attachment);
            if self.memory.workers.contains_key(&lost) && !self.out.lost.contains(&lost) {
                self.out.lost.push(lost);
            }
        }
        Ok(())
    }

    /// Ends the leases of a lost worker: each of their tasks that runs has lost it.
    fn take_over(&mut self, attachment: i64, worker: i64) -> Result<(), Halt> {
        const LEASES: &str =
            "SELECT id, claimed_at, tasks, done FROM leases WHERE attachment = ?1 ORDER BY id FOR UPDATE";
        let Some(client) = self.connection.postgres() else { return Ok(()) };
        let leases = client.query_arrays(LEASES, &[(&attachment, Type::INT8)])?;
        let undone: Vec<(i64, i64)> = leases.iter().flat_map(undone).collect();
        self.hear_late_changes(&undone)?;
        // Before their tasks, so that none of them is held to run under a lease that is over.
        self.connection.execute("DELETE FROM leases WHERE attachment = ?1", [attachment])?;
        for (seq, claimed_at) in undone {
            let Some((slot, Place::Running)) = locate(self.connection, TaskSeq(seq))? else { continue };
            if !self.memory.limits.is_empty() {
                self.out.freed.push(slot.route);
            }
            match self.guarded(|cycle| cycle.lose(slot, worker, claimed_at)) {
                Ok(()) => {}
                Err(halt @ (Halt::Trouble(_) | Halt::Raced)) => return Err(halt),
                Err(refusal) => tracing::error!(task = seq, ?refusal, "a task cannot be recovered"),
            }
        }
        Ok(())
    }

    /// Hears what was asked of a lost worker's tasks since this cycle began, by somebody who held their leases until now.
    /// Nobody will tell these tasks later: their run is over.
    fn hear_late_changes(&mut self, undone: &[(i64, i64)]) -> Result<(), Halt> {
        let tasks: Vec<i64> = undone.iter().map(|(seq, _)| *seq).collect();
        let mut statement =
            self.connection.prepare_cached("SELECT seq, cancelled_at FROM cancels WHERE seq = ANY(?1)")?;
        let mut rows = statement.query_numbers(&tasks)?;
        while let Some(row) = rows.next()? {
            self.memory.cancelled.insert(TaskSeq(row.get(0)?), Timestamp::from_millis(row.get(1)?));
        }
        // Whether a task of these is to be paused is looked up for each.
        self.memory.has_pausing |= !tasks.is_empty();
        Ok(())
    }

    /// Which of this host's workers nobody has taken the leases from; none can until this cycle is over. One that has
    /// not renewed in time has lost them already: whoever comes to it takes them.
    pub(super) fn hold_attachments(&mut self, workers: &mut Vec<WorkerId>) -> Result<(), Halt> {
        let Some(client) = self.connection.postgres() else { return Ok(()) };
        let renewed = match self.known.attachments.take() {
            Some((asked, renewed)) if workers.iter().all(|worker| asked.contains(worker)) => renewed,
            _ => {
                let wanted: Vec<i64> = workers.iter().map(|worker| worker.0).collect();
                let rows = client.query_arrays(HELD, &[(&wanted, Type::INT8_ARRAY)])?;
                rows.iter().map(|row| (WorkerId(row.get(0)), row.get(1))).collect()
            }
        };
        let latest = self.latest_renewal();
        // A renewal of this cycle counts, and it was refused to those that were late.
        let held = |worker: &WorkerId| renewed.get(worker).is_some_and(|renewed| *renewed >= latest);
        self.out.lost.extend(workers.iter().filter(|worker| !held(worker)));
        workers.retain(held);
        Ok(())
    }
}

/// The tasks of a lease that are not done, and when each was claimed.
fn undone(lease: &tokio_postgres::Row) -> impl Iterator<Item = (i64, i64)> + use<> {
    let (claimed_at, tasks, done): (i64, Vec<i64>, Vec<u8>) = (lease.get(1), lease.get(2), lease.get(3));
    let undone = (0..).zip(tasks).filter(move |(place, _)| !is_done(&done, *place));
    undone.map(move |(_, seq)| (seq, claimed_at))
}

/// Whether the task at a place of a lease is done.
fn is_done(done: &[u8], place: usize) -> bool {
    done.get(place / 8).is_some_and(|byte| byte & (1 << (place % 8)) != 0)
}
