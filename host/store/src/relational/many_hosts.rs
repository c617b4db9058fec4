//! Several hosts on one database: what a cycle does there that a host alone on its file need not.
//!
//! A run's end is written under the row of its lease, which is held from the beginning of the cycle: who takes a lease
//! over, cancels one of its tasks or asks to hear of its end holds the same row, so that one of them is first. What is
//! in the queue is taken by deleting its row; who finds it gone begins its cycle again.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use bulkhead_core::{JsonText, TaskId, Timestamp};
use tokio_postgres::types::Type;

use crate::{LeaseId, StoreError, TaskSeq, WorkerId};

use crate::history::HistoryRow;
use crate::postgres::{OwnValue, Partitions, PostgresSettings, check_least};
use crate::sql::{Row, Value};

use super::asked_ahead::AskedAhead;
use super::children::Kin;
use super::cycle::Cycle;
use super::events::Interests;
use super::failure::Halt;
use super::place::{Place, locate};
use super::slot::{Flags, Rank, RouteId};
use super::todo::Todo;

/// How often a host looks at what others have done, where nobody tells it.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Task numbers fetched where it is not known how many are needed.
const FEW_NUMBERS: usize = 16;

/// So many numbers for new tasks.
pub(super) const NUMBERS: &str = "SELECT nextval('task_numbers') FROM generate_series(1, ?1::bigint)";

/// The hosts of one database, as this one sees them.
#[derive(Debug)]
pub(crate) struct ManyHosts {
    /// The number of this host.
    host: i64,
    /// The address of the database.
    url: String,
    /// The number of its last cycle.
    cycle: i64,
    /// The first cycle whose row may still be there.
    noted_from: i64,
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
    /// Up to where this host has looked at what was parked.
    pub(super) parked_seen: (Timestamp, TaskSeq),
    /// When this host looks at what others have done, in time since boot.
    pub(super) look_at: Duration,
    /// Bytes that a part of the queue's table may have.
    pub(super) part_size: u64,
    /// When this host looks whether it has grown, in time since boot.
    pub(super) rotate_at: Duration,
    /// What tasks leave behind is in partitions.
    pub(super) partitions: Partitions,
    /// Whether times are the database's.
    pub(super) database_time: bool,
    /// Why this host writes nothing any more.
    shut_out: Option<StoreError>,
}

impl ManyHosts {
    /// A host of this number.
    pub(crate) fn new(host: i64, settings: &PostgresSettings) -> Self {
        Self {
            host,
            url: settings.url.clone(),
            part_size: settings.part_size,
            database_time: settings.database_time,
            cycle: 0,
            noted_from: 0,
            unsaved: BTreeMap::new(),
            lanes_at: None,
            lanes_soonest: None,
            floors: HashMap::new(),
            numbers: VecDeque::new(),
            wanted: 0,
            parked_seen: (Timestamp::from_millis(i64::MIN), TaskSeq(i64::MIN)),
            look_at: Duration::ZERO,
            rotate_at: Duration::ZERO,
            partitions: Partitions::new(settings),
            shut_out: None,
        }
    }

    /// A cycle begins: numbers that were fetched for the one before are not used, lest they come after those that other
    /// hosts have taken meanwhile.
    pub(super) fn begin_cycle(&mut self) {
        self.numbers.clear();
        self.wanted = 0;
    }

    /// So many tasks come now, whose numbers are asked for together.
    pub(super) fn will_number(&mut self, tasks: usize) {
        self.wanted = self.wanted.max(tasks.saturating_sub(self.numbers.len()));
    }

    /// The number of this host.
    pub(crate) const fn host(&self) -> i64 {
        self.host
    }

    /// The rows of cycles before this one are gone.
    pub(super) const fn forgot(&mut self, cycle: i64) {
        self.noted_from = cycle;
    }

    /// Refuses to write where a newer host has changed the schema so that this one cannot work with it.
    pub(super) fn check_shut_out(&self) -> Result<(), Halt> {
        self.shut_out.clone().map_or(Ok(()), |error| Err(Halt::Trouble(error)))
    }

    /// The number of the last cycle.
    pub(super) const fn cycle(&self) -> i64 {
        self.cycle
    }
}

/// What is read ahead, for all tasks of a cycle at once.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// What earlier runs left of those that ran before.
    pub(super) histories: HashMap<TaskSeq, HistoryRow>,
    /// The parents of each; those of a task that is not in here are not known.
    pub(super) parents: HashMap<TaskSeq, Vec<Kin>>,
    /// Workers whose attachments were asked for and are held, and when those that are there were renewed.
    pub(super) attachments: Option<(BTreeSet<WorkerId>, BTreeMap<WorkerId, i64>)>,
    /// The rows of tasks that were to be claimed, sorted by number.
    pub(super) tasks: Vec<tokio_postgres::Row>,
    /// The same of tasks that came into the queue in this cycle, by their numbers.
    pub(super) fresh: HashMap<i64, Vec<Value>>,
    /// The inputs of workflows.
    pub(super) inputs: HashMap<TaskId, JsonText>,
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

    /// Takes in what was asked with the beginning of the cycle: which of the leases under which something ends are still
    /// there, what is cancelled, and the numbers of new tasks.
    pub(super) fn heed_others(&mut self, todo: &Todo, asked: AskedAhead) -> Result<(), Halt> {
        let Some(client) = self.connection.postgres() else { return Ok(()) };
        self.memory.events.doubt();
        let AskedAhead { leases, flags, numbers, attachments } = asked;
        if let Some((ending, ticket)) = leases {
            let live: HashSet<LeaseId> = client.answer(ticket)?.iter().map(|row| LeaseId(row.get(0))).collect();
            let gone = ending.iter().filter(|lease| !live.contains(lease));
            let lost: BTreeSet<WorkerId> =
                gone.filter_map(|lease| self.memory.leases.get(*lease)).map(|lease| lease.worker).collect();
            self.out.lost.extend(lost.into_iter().filter(|worker| !todo.detached.contains(worker)));
            self.live = Some(live);
        }
        if let Some(ticket) = numbers {
            let rows = client.answer(ticket)?;
            if let Some(many) = &mut self.memory.many_hosts {
                many.numbers = rows.iter().map(|row| row.get(0)).collect();
            }
        }
        if let Some((workers, ticket)) = attachments {
            let rows = client.answer(ticket)?;
            let renewed = rows.iter().map(|row| (WorkerId(row.get(0)), row.get(1))).collect();
            self.known.attachments = Some((workers, renewed));
        }
        if let Some(flags) = flags {
            self.ended_only_own = !self.looks && todo.changes.is_empty() && todo.workflow_changes.is_empty();
            self.hear_of_cancels(&client.answer(flags)?)?;
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

    /// Hears which running tasks are cancelled, and whether tasks have families or are to be paused. Nothing more is
    /// written once a newer host has changed the schema so that this one cannot work with it.
    fn hear_of_cancels(&mut self, flags: &[tokio_postgres::Row]) -> Result<(), Halt> {
        let Some(row) = flags.first().map(Row::Postgres) else { return Ok(()) };
        let (kin, steps, pausing, cancels) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        let (least, found, interests) = (row.get(4)?, row.get(5)?, Interests::read(&row, 6)?);
        if let Some(many) = &mut self.memory.many_hosts {
            many.shut_out = check_least(least, found, &many.url).err();
            many.check_shut_out()?;
        }
        self.hear_interests(interests)?;
        (self.memory.has_kin, self.memory.has_pausing, self.memory.has_told) = (kin, pausing, true);
        self.memory.has_steps = steps;
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

    /// Notes that this cycle was written, and forgets earlier ones now and then; by exact numbers, so that rows which
    /// cannot be removed yet are not passed over.
    pub(super) fn note_cycle(&mut self) -> Result<(), Halt> {
        let Some(many) = &mut self.memory.many_hosts else { return Ok(()) };
        many.cycle += 1;
        if self.looks && many.noted_from < many.cycle {
            let delete = "DELETE FROM cycles WHERE host = ?1 AND cycle >= ?2 AND cycle < ?3";
            self.connection.put_off(delete, [many.host, many.noted_from, many.cycle])?;
            self.out.forgotten = Some(many.cycle);
        }
        if let Some(client) = self.connection.postgres() {
            let values = [many.host, many.cycle].map(|number| -> OwnValue { (Box::new(number), Type::INT8) });
            client.along("INSERT INTO cycles (host, cycle) VALUES (?1, ?2)", Vec::from(values));
        }
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

    /// Waits for the cycles that other hosts have begun, and lets none begin before this one is over: what they have
    /// ended is seen from here on, and what they end later sees this cycle.
    pub(super) fn hold_ends(&self) -> Result<(), Halt> {
        let Some(client) = self.connection.postgres() else { return Ok(()) };
        Ok(client.hold_cycles()?)
    }

    /// The number of the next task; one that is rolled back is not given again.
    pub(super) fn new_seq(&mut self) -> Result<TaskSeq, Halt> {
        let Some(many) = &mut self.memory.many_hosts else { return Ok(self.memory.new_seq()) };
        if let Some(number) = many.numbers.pop_front() {
            return Ok(TaskSeq(number));
        }
        let count = i64::try_from(std::mem::take(&mut many.wanted).max(FEW_NUMBERS)).unwrap_or(i64::MAX);
        let numbers = self.connection.prepare_cached(NUMBERS)?.query_map([count], |row| row.get(0))?;
        many.numbers = numbers.collect::<crate::sql::Result<_>>()?;
        many.numbers.pop_front().map(TaskSeq).ok_or(Halt::Raced)
    }
}
