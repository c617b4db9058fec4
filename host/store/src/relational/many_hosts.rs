//! Several hosts on one database: what a cycle does there that a host alone on its file need not.
//!
//! A run's end is written under the row of its lease, which is held from the beginning of the cycle: who takes a lease
//! over, cancels one of its tasks or asks to hear of its end holds the same row, so that one of them is first. What is
//! in the queue is taken by deleting its row; who finds it gone begins its cycle again.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use bulkhead_core::Timestamp;
use tokio_postgres::types::{ToSql as Parameter, Type};

use crate::postgres::Client;
use crate::sql::params;
use crate::{Claimed, LeaseId, TaskSeq, WorkerId};

use crate::history::HistoryRow;

use super::children::Kin;
use super::cycle::{Cycle, Todo};
use super::events::{INTERESTS, Interests};
use super::failure::Halt;
use super::place::{Place, locate};
use super::slot::{Flags, Rank, RouteId};

/// How often a host looks at what others have done, where nobody tells it.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Rows over which the depth of one route is spread.
const SHARDS: i64 = 16;

/// Task numbers fetched where it is not known how many are needed.
const FEW_NUMBERS: usize = 16;

/// The hosts of one database, as this one sees them.
#[derive(Debug)]
pub(crate) struct ManyHosts {
    /// The number of this host.
    host: i64,
    /// By how much the depths of routes have changed since that was last written.
    pub(super) unsaved: BTreeMap<RouteId, i64>,
    /// When the lanes may be read anew.
    pub(super) lanes_at: Option<Instant>,
    /// The same where another host has told that there is something to read.
    pub(super) lanes_soonest: Option<Instant>,
    /// Up to where lanes were taken from, so that what was taken before is not passed over again and again.
    pub(super) floors: HashMap<(RouteId, Rank), (Timestamp, TaskSeq)>,
    /// Numbers for new tasks, fetched for this cycle.
    numbers: VecDeque<i64>,
    /// How many this cycle will need at least.
    wanted: usize,
    /// When this host looks at what others have done, in time since boot.
    pub(super) look_at: Duration,
    /// Whether times are the database's.
    pub(super) database_time: bool,
}

impl ManyHosts {
    /// A host of this number.
    pub(crate) fn new(host: i64, database_time: bool) -> Self {
        Self {
            host,
            database_time,
            unsaved: BTreeMap::new(),
            lanes_at: None,
            lanes_soonest: None,
            floors: HashMap::new(),
            numbers: VecDeque::new(),
            wanted: 0,
            look_at: Duration::ZERO,
        }
    }
}

impl ManyHosts {
    /// The number of this host.
    pub(crate) const fn host(&self) -> i64 {
        self.host
    }
}

/// What is read ahead, for all tasks of a cycle at once.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// What earlier runs left of those that ran before.
    pub(super) histories: HashMap<TaskSeq, HistoryRow>,
    /// The parents of each; those of a task that is not in here are not known.
    pub(super) parents: HashMap<TaskSeq, Vec<Kin>>,
}

impl Cycle<'_> {
    /// Whether other hosts have the database, too.
    pub(super) fn is_shared(&self) -> bool {
        self.memory.many_hosts.is_some()
    }

    /// Begins the cycle again where a row was not there that this host thought to be.
    pub(super) fn first(&self, changed: usize) -> Result<(), Halt> {
        if changed == 0 && self.is_shared() { Err(Halt::Raced) } else { Ok(()) }
    }

    /// What follows a statement that reads a row which is to be changed.
    pub(super) fn lock(&self) -> &'static str {
        if self.is_shared() { " FOR UPDATE" } else { "" }
    }

    /// Holds the leases under which something ends in this cycle, and hears of cancels and families.
    pub(super) fn heed_others(&mut self, todo: &Todo) -> Result<(), Halt> {
        let Some(client) = self.connection.postgres() else { return Ok(()) };
        self.memory.events.doubt();
        if let Some(many) = &mut self.memory.many_hosts {
            many.numbers.clear();
            many.wanted = todo.submits.iter().map(|submit| submit.tasks.len()).sum();
        }
        let mut ending: BTreeSet<LeaseId> = BTreeSet::new();
        todo.commits.iter().for_each(|(_, commits)| ending.extend(commits.iter().map(|commit| commit.lease)));
        todo.releases.iter().for_each(|(_, tasks, _)| ending.extend(tasks.iter().map(|(lease, _)| *lease)));
        todo.detached.iter().for_each(|worker| ending.extend(self.memory.leases.of(*worker)));
        if !ending.is_empty() {
            let wanted: Vec<i64> = ending.iter().map(|lease| lease.0).collect();
            const SELECT: &str = "SELECT id FROM leases WHERE id = ANY(?1) ORDER BY id FOR UPDATE";
            let rows = client.query_arrays(SELECT, &[(&wanted, Type::INT8_ARRAY)])?;
            let live: HashSet<LeaseId> = rows.iter().map(|row| LeaseId(row.get(0))).collect();
            let gone = ending.iter().filter(|lease| !live.contains(lease));
            let lost: BTreeSet<WorkerId> =
                gone.filter_map(|lease| self.memory.leases.get(*lease)).map(|lease| lease.worker).collect();
            self.out.lost.extend(lost.into_iter().filter(|worker| !todo.detached.contains(worker)));
            self.live = Some(live);
        }
        if !ending.is_empty() || self.looks {
            self.hear_of_cancels()?;
        }
        if self.looks {
            self.hear_of_ends()?;
        }
        self.read_ahead(todo)
    }

    /// Reads what earlier runs left of the tasks whose runs ended, and their parents.
    fn read_ahead(&mut self, todo: &Todo) -> Result<(), Halt> {
        let ended = || todo.commits.iter().flat_map(|(_, commits)| commits);
        let ran_before: Vec<i64> = ended()
            .filter_map(|commit| self.memory.leases.slot(commit.lease, commit.seq))
            .filter(|slot| slot.flags.has(Flags::HISTORY))
            .map(|slot| slot.seq.0)
            .collect();
        if !ran_before.is_empty() {
            self.known.histories = HistoryRow::load_several(self.connection, &ran_before)?;
        }
        if self.memory.has_kin {
            let children: Vec<i64> = ended().map(|commit| commit.seq.0).collect();
            self.known.parents = self.parents_of(&children)?;
        }
        Ok(())
    }

    /// Reads which running tasks are cancelled, and whether tasks have families or are to be paused.
    fn hear_of_cancels(&mut self) -> Result<(), Halt> {
        const FLAGS: &str =
            "EXISTS (SELECT 1 FROM kin), EXISTS (SELECT 1 FROM pausing), EXISTS (SELECT 1 FROM cancels)";
        let flags = format!("SELECT {FLAGS}, {INTERESTS}");
        let (kin, pausing, cancels, interests): (bool, bool, bool, Interests) = self
            .connection
            .prepare_cached(&flags)?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, Interests::read(row, 3)?)))?;
        self.hear_interests(interests)?;
        (self.memory.has_kin, self.memory.has_pausing, self.memory.has_told) = (kin, pausing, true);
        let mut cancelled = HashMap::new();
        if cancels {
            let mut statement = self.connection.prepare_cached("SELECT seq, cancelled_at FROM cancels")?;
            let rows =
                statement.query_map([], |row| Ok((TaskSeq(row.get(0)?), Timestamp::from_millis(row.get(1)?))))?;
            cancelled = rows.collect::<crate::sql::Result<_>>()?;
            for seq in cancelled.keys().filter(|seq| !self.memory.cancelled.contains_key(*seq)) {
                if let Some((worker, _)) = self.memory.leases.holder(*seq) {
                    self.out.heard.push((worker, *seq));
                }
            }
        }
        self.memory.cancelled = cancelled;
        Ok(())
    }

    /// Whether something may still end under a lease.
    pub(super) fn is_live(&self, lease: LeaseId) -> bool {
        self.live.as_ref().is_none_or(|live| live.contains(&lease))
    }

    /// Where a task is that seems to run, once whoever may be ending its run has done so, and nobody can until this
    /// cycle is over.
    pub(super) fn hold_run(&mut self, seq: TaskSeq) -> Result<Place, Halt> {
        if self.is_shared() {
            const SELECT: &str = "SELECT id FROM leases WHERE tasks @> ARRAY[?1]::bigint[] ORDER BY id FOR UPDATE";
            drop(self.connection.prepare_cached(SELECT)?.query_map([seq.0], |_| Ok(()))?);
            if let Some((_, place)) = locate(self.connection, seq)? {
                return Ok(place);
            }
        }
        Ok(Place::Running)
    }

    /// The number of the next task; one that is rolled back is not given again.
    pub(super) fn new_seq(&mut self) -> Result<TaskSeq, Halt> {
        let Some(many) = &mut self.memory.many_hosts else { return Ok(self.memory.new_seq()) };
        if let Some(number) = many.numbers.pop_front() {
            return Ok(TaskSeq(number));
        }
        let count = i64::try_from(std::mem::take(&mut many.wanted).max(FEW_NUMBERS)).unwrap_or(i64::MAX);
        const SELECT: &str = "SELECT nextval('task_numbers') FROM generate_series(1, ?1)";
        let mut statement = self.connection.prepare_cached(SELECT)?;
        let numbers = statement.query_map([count], |row| row.get(0))?;
        many.numbers = numbers.collect::<crate::sql::Result<_>>()?;
        many.numbers.pop_front().map(TaskSeq).ok_or(Halt::Raced)
    }

    /// Makes a worker's attachment known to all.
    pub(super) fn attach(&mut self, worker: WorkerId, name: &std::sync::Arc<str>) -> Result<(), Halt> {
        let Some(host) = self.memory.many_hosts.as_ref().map(|many| many.host) else { return Ok(()) };
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
            ORDER BY renewed_at LIMIT 4 FOR UPDATE SKIP LOCKED";
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
        // Before their tasks, so that none of them is held to run under a lease that is over.
        self.connection.execute("DELETE FROM leases WHERE attachment = ?1", [attachment])?;
        for lease in leases {
            let (claimed_at, tasks, done): (i64, Vec<i64>, Vec<u8>) = (lease.get(1), lease.get(2), lease.get(3));
            let undone = (0..).zip(tasks).filter(|(place, _)| !is_done(&done, *place));
            for (_, seq) in undone {
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
        }
        Ok(())
    }

    /// Which of this host's workers nobody has taken the leases from; none can until this cycle is over. One that has
    /// not renewed in time has lost them already: whoever comes to it takes them.
    pub(super) fn hold_attachments(&mut self, workers: &mut Vec<WorkerId>) -> Result<(), Halt> {
        let Some(client) = self.connection.postgres() else { return Ok(()) };
        let wanted: Vec<i64> = workers.iter().map(|worker| worker.0).collect();
        const SELECT: &str =
            "SELECT id FROM attachments WHERE id = ANY(?1) AND renewed_at >= ?2 ORDER BY id FOR KEY SHARE";
        let latest = self.latest_renewal();
        let rows = client.query_arrays(SELECT, &[(&wanted, Type::INT8_ARRAY), (&latest, Type::INT8)])?;
        let held: HashSet<WorkerId> = rows.iter().map(|row| WorkerId(row.get(0))).collect();
        self.out.lost.extend(workers.iter().filter(|worker| !held.contains(worker)));
        workers.retain(|worker| held.contains(worker));
        Ok(())
    }

    /// Writes the lease of a batch; its tasks in the order of their numbers, as `done` counts them.
    pub(super) fn insert_lease(
        &self,
        client: &Client,
        (id, attachment, worker): (LeaseId, WorkerId, i64),
        claimed: &[(u32, Claimed)],
    ) -> Result<(), Halt> {
        const INSERT: &str = "INSERT INTO leases (id, attachment, worker, claimed_at, tasks, done) \
            VALUES (?1, ?2, ?3, ?4, ?5, '')";
        let tasks: Vec<i64> = claimed.iter().map(|(_, task)| task.seq.0).collect();
        let number = |number: i64| -> (Box<dyn Parameter + Sync + Send>, Type) { (Box::new(number), Type::INT8) };
        let numbers = [id.0, attachment.0, worker, self.now.as_millis()].map(number);
        let values = numbers.into_iter().chain([(Box::new(tasks) as _, Type::INT8_ARRAY)]).collect();
        Ok(client.later(INSERT, values)?)
    }

    /// Writes which tasks are done under which lease, and ends the leases whose last task is.
    pub(super) fn save_leases(&mut self) -> Result<(), Halt> {
        let Some(client) = self.connection.postgres() else { return Ok(()) };
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
            client.later("DELETE FROM leases WHERE id = ANY(?1)", vec![(Box::new(over), Type::INT8_ARRAY)])?;
        }
        if !partly.is_empty() {
            const UPDATE: &str = "UPDATE leases SET done = u.done \
                FROM unnest(?1::bigint[], ?2::bytea[]) AS u (id, done) WHERE leases.id = u.id";
            client.later(UPDATE, vec![(Box::new(partly), Type::INT8_ARRAY), (Box::new(bits), Type::BYTEA_ARRAY)])?;
        }
        Ok(())
    }

    /// Writes by how much the depths of routes have changed since it was last written: now and then, since rows that
    /// every transaction changes are slow where old versions cannot be removed.
    pub(super) fn save_counts(&mut self) -> Result<(), Halt> {
        let Some(client) = self.connection.postgres() else { return Ok(()) };
        if self.recounts {
            // What a lost host had not written is not known, so all is counted anew.
            self.connection.execute("DELETE FROM depths", [])?;
            self.connection.execute(RECOUNT, [])?;
            self.out.counts_saved = true;
            return Ok(());
        }
        if !self.looks && self.out.detached.is_empty() {
            return Ok(());
        }
        self.out.counts_saved = true;
        let Some(many) = &self.memory.many_hosts else { return Ok(()) };
        let mut changes = many.unsaved.clone();
        self.out.counts.iter().for_each(|(route, change)| *changes.entry(*route).or_default() += change);
        changes.retain(|_, change| *change != 0);
        if changes.is_empty() {
            return Ok(());
        }
        const UPSERT: &str = "INSERT INTO depths (route, shard, pending) \
            SELECT u.route, ?1, u.pending FROM unnest(?2::bigint[], ?3::bigint[]) AS u (route, pending) \
            ON CONFLICT (route, shard) DO UPDATE SET pending = depths.pending + excluded.pending";
        let (routes, pending): (Vec<i64>, Vec<i64>) =
            changes.into_iter().map(|(route, change)| (route.0, change)).unzip();
        let shard = Box::new(many.host % SHARDS);
        let (routes, pending) = (Box::new(routes), Box::new(pending));
        let values = vec![(shard as _, Type::INT8), (routes as _, Type::INT8_ARRAY), (pending as _, Type::INT8_ARRAY)];
        Ok(client.later(UPSERT, values)?)
    }
}

/// How much of each route waits, from the tables themselves.
const RECOUNT: &str = "INSERT INTO depths (route, shard, pending) SELECT route, 0, count(*) FROM ( \
    SELECT route FROM ready UNION ALL SELECT route FROM delayed UNION ALL SELECT route FROM parked \
    UNION ALL SELECT route FROM alone) places GROUP BY route";

/// Whether the task at a place of a lease is done.
fn is_done(done: &[u8], place: usize) -> bool {
    done.get(place / 8).is_some_and(|byte| byte & (1 << (place % 8)) != 0)
}
