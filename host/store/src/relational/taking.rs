//! Taking ready tasks where other hosts do so, too.
//!
//! What is in memory says which lanes come first and how far; the table says which tasks those are by now. All lanes are
//! taken from by one statement, which passes over what others are taking just then.

use std::collections::{BTreeMap, HashSet, VecDeque};

use bulkhead_core::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::postgres::{Client, OwnValue};
use crate::sql::{Rows, Value};
use crate::{TaskSeq, WorkerId};

use super::asked_ahead::FEW;
use super::cycle::Cycle;
use super::failure::Halt;
use super::load::{LOADED, LOADED_LEAST};
use super::many_hosts::Known;
use super::ready_index::{Entry, LANE_BUFFER};
use super::slot::{Flags, Rank, RouteId, Slot};
use super::tables::{READY, TASKS};

/// What runs need of a task's row; [`Known::keep`] keeps it in this order.
const PICKED: [&str; 4] = ["seq", "id", "extras", "payload"];

/// One lane.
type Lane = (RouteId, Rank);

/// Lanes with their floors, column by column.
#[derive(Debug, Default)]
struct Floors {
    routes: Vec<i64>,
    ranks: Vec<i64>,
    dues: Vec<i64>,
    seqs: Vec<i64>,
}

/// What is to be taken in one go.
#[derive(Debug, Default)]
struct Plan {
    /// The tasks, as far as memory knows; others may have taken them.
    slots: Vec<Slot>,
    /// Lanes of which nothing is left in memory.
    drained: Vec<Lane>,
}

/// What runs need of these tasks, sorted by number.
fn pick(client: &Client, mut numbers: Vec<i64>) -> Result<Vec<Row>, Halt> {
    // Numbers that stand between the first and the last, so that other partitions need not be looked into.
    let select = format!(
        "SELECT {} FROM tasks WHERE seq = ANY(?1) AND seq BETWEEN (?1)[1] AND (?1)[cardinality(?1)] ORDER BY seq",
        PICKED.join(", ")
    );
    numbers.sort_unstable();
    Ok(client.query_arrays(&select, &[(&numbers, Type::INT8_ARRAY)])?)
}

impl Plan {
    /// The tasks' numbers.
    fn numbers(&self) -> Vec<i64> {
        self.slots.iter().map(|slot| slot.seq.0).collect()
    }

    /// How many of each lane.
    fn lanes(&self) -> BTreeMap<Lane, usize> {
        let mut lanes = BTreeMap::new();
        self.slots.iter().for_each(|slot| *lanes.entry((slot.route, slot.rank)).or_default() += 1);
        lanes
    }
}

impl Known {
    /// Keeps what the run of a task needs, where it came with something else.
    pub(super) fn keep(&mut self, task: TaskSeq, id: Value, extras: Value, payload: Value) {
        self.fresh.insert(task.0, vec![Value::Integer(task.0), id, extras, payload]);
    }

    /// What runs need of these tasks, which have been taken, in the order of their numbers as they are given; rows of
    /// others may be among it.
    pub(super) fn picked(&mut self, client: &Client, numbers: Vec<i64>) -> Result<Rows<'static>, Halt> {
        if numbers.iter().all(|number| self.fresh.contains_key(number)) {
            return Ok(Rows::own(numbers.iter().filter_map(|number| self.fresh.remove(number)).collect()));
        }
        let ahead = std::mem::take(&mut self.tasks);
        let known: HashSet<i64> = ahead.iter().map(|row| row.get(0)).collect();
        let all = numbers.iter().all(|number| known.contains(number));
        Ok(Rows::of_server(if all { ahead } else { pick(client, numbers)? }))
    }
}

impl Cycle<'_> {
    /// Takes ready tasks out of the table, in the order of claims.
    pub(super) fn take_lanes(&mut self, worker: WorkerId, most: usize) -> Result<Vec<Slot>, Halt> {
        let mut slots = Vec::new();
        while slots.len() < most {
            let plan = self.plan_lanes(worker, most - slots.len())?;
            if plan.slots.is_empty() {
                break;
            }
            let from = slots.len();
            if !self.take_fresh(&plan, &mut slots)? {
                self.take_planned(&plan, &mut slots)?;
            }
            slots[from..].sort_unstable_by_key(|slot| (slot.rank, slot.due, slot.seq));
            if !plan.drained.is_empty() {
                self.refill_lanes(plan.drained)?;
            }
        }
        Ok(slots)
    }

    /// Which lanes come first, as far as memory knows.
    fn plan_lanes(&mut self, worker: WorkerId, most: usize) -> Result<Plan, Halt> {
        let mut plan = Plan::default();
        let mut entries: Vec<Entry> = Vec::new();
        while plan.slots.len() < most && plan.drained.is_empty() {
            entries.clear();
            let Some(allowed) = self.allowed(worker)? else { break };
            let wanted = allowed.min(most - plan.slots.len());
            let Some(taken) = self.memory.ready.take(worker, wanted, &mut entries) else { break };
            self.count_limited(taken.route, entries.len() as i64)?;
            let (route, rank) = (taken.route, taken.rank);
            plan.slots.extend(entries.iter().map(|&Entry { due, seq, flags }| Slot { seq, due, route, rank, flags }));
            if taken.drained {
                plan.drained.push((taken.route, taken.rank));
            }
        }
        Ok(plan)
    }

    /// Takes tasks that this cycle has made ready, before the server has heard of it: it never will. What another host has
    /// put into the same lane, and this one does not know of yet, comes later. False where some of these tasks are in the
    /// table.
    fn take_fresh(&mut self, plan: &Plan, slots: &mut Vec<Slot>) -> Result<bool, Halt> {
        let Some(client) = self.connection.postgres() else { return Ok(false) };
        let numbers = plan.numbers();
        if !client.take_back(&READY, "seq", &numbers) {
            return Ok(false);
        }
        // Those that were there before, and became ready, are read like others.
        if let Some(rows) = client.waiting_rows(&TASKS, "seq", &numbers, &PICKED) {
            self.known.fresh.extend(numbers.into_iter().zip(rows));
        }
        for ((route, _), count) in plan.lanes() {
            self.count(route, -(count as i64))?;
        }
        slots.extend_from_slice(&plan.slots);
        Ok(true)
    }

    fn take_planned(&mut self, plan: &Plan, slots: &mut Vec<Slot>) -> Result<(), Halt> {
        // By the place of each row, which only one part has; the parts are those of the table.
        const TAKE: &str = "WITH picked AS MATERIALIZED (SELECT r.part, r.at \
                FROM unnest(?1::bigint[], ?2::bigint[], ?3::bigint[], ?4::bigint[], ?5::bigint[]) \
                    AS u (route, rank, most, due, seq) CROSS JOIN LATERAL \
                    (SELECT part, ctid AS at FROM ready \
                    WHERE route = u.route AND rank = u.rank AND (due, seq) > (u.due, u.seq) \
                    ORDER BY due, seq LIMIT u.most FOR UPDATE SKIP LOCKED) r ON TRUE), \
            zero AS (DELETE FROM ready_0 WHERE ctid = ANY(ARRAY(SELECT at FROM picked WHERE part = 0)) \
                RETURNING route, rank, due, seq, flags), \
            one AS (DELETE FROM ready_1 WHERE ctid = ANY(ARRAY(SELECT at FROM picked WHERE part = 1)) \
                RETURNING route, rank, due, seq, flags) \
            SELECT * FROM zero UNION ALL SELECT * FROM one";
        let Some(client) = self.connection.postgres() else { return Ok(()) };
        let lanes = plan.lanes();
        let most: Vec<i64> = lanes.values().map(|count| i64::try_from(*count).unwrap_or(i64::MAX)).collect();
        let Floors { routes, ranks, dues, seqs } = self.floors(lanes.keys());
        let lists = [routes, ranks, most, dues, seqs].map(|list| -> OwnValue { (Box::new(list), Type::INT8_ARRAY) });
        let take = client.ask_ahead(TAKE, Vec::from(lists))?;
        self.known.tasks.clear();
        // Read before it is known that nobody else has taken them.
        if plan.slots.len() <= FEW {
            self.known.tasks = pick(client, plan.numbers())?;
        }
        let mut taken: BTreeMap<Lane, (usize, (Timestamp, TaskSeq))> = BTreeMap::new();
        for row in client.answer(take)? {
            let slot = Slot {
                route: RouteId(row.get(0)),
                rank: Rank(i8::try_from(row.get::<_, i64>(1)).unwrap_or_default()),
                due: Timestamp::from_millis(row.get(2)),
                seq: TaskSeq(row.get(3)),
                flags: Flags(u8::try_from(row.get::<_, i64>(4)).unwrap_or_default()),
            };
            let place = (slot.due, slot.seq);
            let (count, last) = taken.entry((slot.route, slot.rank)).or_insert((0, place));
            (*count, *last) = (*count + 1, (*last).max(place));
            slots.push(slot);
        }
        for ((route, rank), expected) in &lanes {
            let (count, last) = taken.get(&(*route, *rank)).map_or((0, None), |(count, last)| (*count, Some(*last)));
            self.count(*route, -(count as i64))?;
            if count < *expected {
                // Others have, or are taking, what is left of it.
                self.count_limited(*route, count as i64 - *expected as i64)?;
                self.memory.ready.taken(*route, *rank, None);
            } else {
                self.memory.ready.taken(*route, *rank, last);
            }
            if let (Some(last), Some(many)) = (last, &mut self.memory.many_hosts) {
                many.floors.insert((*route, *rank), last);
            }
        }
        Ok(())
    }

    /// Lanes, and up to where each was taken from.
    fn floors<'b>(&self, lanes: impl Iterator<Item = &'b Lane>) -> Floors {
        let mut floors = Floors::default();
        for lane in lanes {
            let floor = self.memory.many_hosts.as_ref().and_then(|many| many.floors.get(lane));
            let (due, seq) = floor.map_or((i64::MIN, i64::MIN), |(due, seq)| (due.as_millis(), seq.0));
            floors.routes.push(lane.0.0);
            floors.ranks.push(i64::from(lane.1.0));
            floors.dues.push(due);
            floors.seqs.push(seq);
        }
        floors
    }

    /// Reads the first tasks of these lanes into memory, and of those that will be drained soon.
    fn refill_lanes(&mut self, mut lanes: Vec<Lane>) -> Result<(), Halt> {
        const SELECT: &str = "SELECT u.route, u.rank, r.due, r.seq, r.flags \
            FROM unnest(?1::bigint[], ?2::bigint[], ?3::bigint[], ?4::bigint[]) AS u (route, rank, due, seq) \
                CROSS JOIN LATERAL (SELECT due, seq, flags FROM ready \
                WHERE route = u.route AND rank = u.rank AND (due, seq) > (u.due, u.seq) ORDER BY due, seq \
                LIMIT ?5) r ON TRUE";
        let Some(client) = self.connection.postgres() else { return Ok(()) };
        lanes.extend(self.memory.ready.low(LOADED_LEAST));
        let most = (LOADED / lanes.len().max(1)).clamp(2 * LOADED_LEAST, LANE_BUFFER);
        let Floors { routes, ranks, dues, seqs } = self.floors(lanes.iter());
        let limit = most as i64;
        let [routes, ranks, dues, seqs] = [&routes, &ranks, &dues, &seqs].map(|list| (list as _, Type::INT8_ARRAY));
        let lists = [routes, ranks, dues, seqs, (&limit as _, Type::INT8)];
        let mut found: BTreeMap<Lane, Vec<Entry>> = lanes.into_iter().map(|lane| (lane, Vec::new())).collect();
        for row in client.query_arrays(SELECT, &lists)? {
            let lane = (RouteId(row.get(0)), Rank(i8::try_from(row.get::<_, i64>(1)).unwrap_or_default()));
            found.entry(lane).or_default().push(Entry {
                due: Timestamp::from_millis(row.get(2)),
                seq: TaskSeq(row.get(3)),
                flags: Flags(u8::try_from(row.get::<_, i64>(4)).unwrap_or_default()),
            });
        }
        for ((route, rank), mut entries) in found {
            entries.sort_unstable();
            let whole = entries.len() < most;
            self.memory.ready.taken(route, rank, None);
            self.memory.ready.refill(route, rank, VecDeque::from(entries), whole);
        }
        Ok(())
    }
}
