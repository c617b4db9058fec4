//! Claiming tasks for workers that have room.

use std::time::Duration;

use bulkhead_core::{Extras, JsonText, TaskId};

use crate::sql::{Row, params};
use crate::{Claimed, LeaseId, WorkerId};

use super::attached::AloneTurn;
use super::cycle::Cycle;
use super::failure::Halt;
use super::ids;
use super::leases::Lease;
use super::memory::Lone;
use super::outcome::Claim;
use super::ready_index::Entry;
use super::slot::{Flags, RouteId, Slot};
use super::workflow::input_of;
use crate::history::HistoryRow;

/// Tasks claimed for one worker in one cycle, unless it handed back more: four such batches in flight were the fastest
/// measured, and the first of them is on its way while the second is claimed.
const CLAIM_BATCH: usize = 512;

/// How far apart the numbers of tasks may lie for one scan to read them rather than a look for each.
const SCAN_GAP: i64 = 4;

/// Tasks beside others that go first after a task that ran alone, while there are any.
pub(super) const OTHERS_AFTER_ALONE: usize = 512;

/// How long a worker holds back other tasks for one that is to run alone, before others have their turn.
pub(super) const DRAIN_PATIENCE: Duration = Duration::from_secs(10);

/// What a row of `tasks` has for a run.
struct TaskRow {
    id: TaskId,
    payload: JsonText,
    extras: Option<Box<Extras>>,
}

impl TaskRow {
    fn read(row: &Row<'_>, first: usize) -> crate::sql::Result<Self> {
        let extras = match row.get_ref(first + 1)?.as_str_or_null()? {
            Some(text) => serde_json::from_str(text).map(Box::new).map(Some).unwrap_or_else(|error| {
                tracing::error!(%error, "the extras of a task cannot be read");
                None
            }),
            None => None,
        };
        Ok(Self {
            id: ids::read(row.get_ref(first)?),
            extras,
            payload: JsonText::from_trusted(row.get_ref(first + 2)?.as_str()?),
        })
    }
}

impl Cycle<'_> {
    /// Claims for every worker, beginning with another one each time.
    pub(super) fn claim(&mut self) -> Result<(), Halt> {
        let mut workers: Vec<WorkerId> = self
            .memory
            .workers
            .iter()
            .filter(|(_, attached)| attached.has_room())
            .map(|(id, _)| *id)
            .filter(|id| !self.out.lost.contains(id) && !self.out.detached.contains(id))
            .collect();
        if workers.len() > 1 {
            let first = self.memory.dice.throw() as usize % workers.len();
            workers.rotate_left(first);
        }
        if workers.iter().any(|worker| self.may_claim(*worker)) {
            self.hold_attachments(&mut workers)?;
        }
        let handed_back = self.out.done.len();
        for worker in workers {
            self.claim_for(worker, CLAIM_BATCH.max(handed_back))?;
        }
        Ok(())
    }

    fn claim_for(&mut self, worker: WorkerId, most: usize) -> Result<(), Halt> {
        let lone = self.allowed_lone(worker)?;
        let Some(attached) = self.memory.workers.get(&worker) else { return Ok(()) };
        let permits = attached.permits;
        let mut turn = attached.alone;
        // `in_flight` is brought up to date after the commit; what this cycle has ended is out of the window already.
        let in_flight = match (turn, lone) {
            (AloneTurn::Open | AloneTurn::Others(_), None) => 0,
            _ => {
                let ended = self.out.done.iter().filter(|(lease, _)| self.holds(worker, *lease)).count();
                attached.in_flight.saturating_sub(ended)
            }
        };
        if turn == AloneTurn::Running && in_flight == 0 {
            turn = AloneTurn::Others(OTHERS_AFTER_ALONE);
        }
        turn = match (turn, lone) {
            (AloneTurn::Running, _) => turn,
            (AloneTurn::Draining(_) | AloneTurn::Open, None) => AloneTurn::Open,
            (AloneTurn::Draining(since), Some(_)) if self.boot.saturating_sub(since) >= DRAIN_PATIENCE => {
                AloneTurn::Others(OTHERS_AFTER_ALONE)
            }
            (AloneTurn::Draining(_), Some(_)) => turn,
            (AloneTurn::Open, Some(_)) => AloneTurn::Draining(self.boot),
            (AloneTurn::Others(left), Some(_)) if left == 0 || !self.memory.ready.has_work(worker) => {
                AloneTurn::Draining(self.boot)
            }
            (AloneTurn::Others(_), _) => turn,
        };
        match (turn, lone) {
            (AloneTurn::Draining(_), Some(lone)) if in_flight == 0 => {
                let slot = Slot {
                    seq: lone.seq,
                    due: lone.due,
                    route: lone.route,
                    rank: lone.rank,
                    flags: Flags::HISTORY.with(Flags::ALONE),
                };
                self.displace(slot, super::placing::Waits::Alone)?;
                self.count_limited(slot.route, 1)?;
                self.lease(worker, vec![slot])?;
                turn = AloneTurn::Running;
            }
            (AloneTurn::Draining(_) | AloneTurn::Running, _) => {}
            (AloneTurn::Open | AloneTurn::Others(_), _) => {
                let slots = self.take_ready(worker, permits.min(most))?;
                if let AloneTurn::Others(left) = &mut turn {
                    *left = left.saturating_sub(slots.len());
                }
                if !slots.is_empty() {
                    self.lease(worker, slots)?;
                }
            }
        }
        if let Some(attached) = self.memory.workers.get_mut(&worker) {
            attached.alone = turn;
        }
        Ok(())
    }

    /// The first due task that is to run alone and that the worker serves.
    fn lone_for(&self, worker: WorkerId) -> Option<Lone> {
        self.memory.alone.iter().find(|lone| self.memory.ready.servers(lone.route).contains(&worker)).copied()
    }

    /// The same, where its kind's limit lets it run.
    fn allowed_lone(&mut self, worker: WorkerId) -> Result<Option<Lone>, Halt> {
        while let Some(lone) = self.lone_for(worker) {
            if self.is_shared() && !self.limits_held && !self.memory.limits.is_empty() {
                self.hold_limits()?;
                continue;
            }
            let kind = self.route(lone.route)?.kind.clone();
            if self.memory.limits.allowance(&kind, self.now) > 0 {
                return Ok(Some(lone));
            }
            self.memory.limits.close(&kind);
            self.memory.serve_anew();
        }
        Ok(None)
    }

    /// Whether anything is there for a worker.
    pub(super) fn may_claim(&self, worker: WorkerId) -> bool {
        self.memory.ready.has_work(worker) || self.lone_for(worker).is_some()
    }

    fn holds(&self, worker: WorkerId, lease: LeaseId) -> bool {
        self.memory.leases.get(lease).is_some_and(|lease| lease.worker == worker)
    }

    /// Takes ready tasks out of the table, in the order of claims.
    fn take_ready(&mut self, worker: WorkerId, most: usize) -> Result<Vec<Slot>, Halt> {
        const DELETE: &str = "DELETE FROM ready WHERE route = ?1 AND rank = ?2 AND (due, seq) <= (?3, ?4)";
        if self.is_shared() {
            return self.take_lanes(worker, most);
        }
        let mut slots = Vec::with_capacity(most.min(CLAIM_BATCH));
        let mut entries: Vec<Entry> = Vec::new();
        while slots.len() < most {
            entries.clear();
            let Some(allowed) = self.allowed(worker)? else { break };
            let wanted = allowed.min(most - slots.len());
            let Some(taken) = self.memory.ready.take(worker, wanted, &mut entries) else { break };
            let (route, rank) = (taken.route, taken.rank);
            self.count_limited(route, entries.len() as i64)?;
            // The index holds the first of the lane, so what was taken is all there is up to its last.
            if let Some(last) = entries.last() {
                self.connection.prepare_cached(DELETE)?.execute(params![
                    route,
                    rank,
                    last.due.as_millis(),
                    last.seq.0
                ])?;
            }
            if taken.drained {
                self.refill(route, rank)?;
            }
            self.count(route, -(entries.len() as i64))?;
            slots.extend(entries.iter().map(|&Entry { due, seq, flags }| Slot { seq, due, route, rank, flags }));
        }
        Ok(slots)
    }

    /// How many of the worker's next tasks may be claimed, for all their kind's limit; none where it has no next.
    pub(super) fn allowed(&mut self, worker: WorkerId) -> Result<Option<usize>, Halt> {
        loop {
            let Some(route) = self.memory.ready.first(worker) else { return Ok(None) };
            if self.memory.limits.is_empty() {
                return Ok(Some(usize::MAX));
            }
            if self.is_shared() && !self.limits_held {
                // What another host has ended may let a kind run again, so that another task is the next.
                self.hold_limits()?;
                continue;
            }
            let kind = self.route(route)?.kind.clone();
            let allowance = self.memory.limits.allowance(&kind, self.now);
            if allowance > 0 {
                return Ok(Some(allowance));
            }
            self.memory.limits.close(&kind);
            self.memory.serve_anew();
        }
    }

    /// Counts claimed tasks towards their kind's limit, or, with a negative count, off it.
    pub(super) fn count_limited(&mut self, route: RouteId, count: i64) -> Result<(), Halt> {
        if !self.memory.limits.is_empty() {
            let route = self.route(route)?;
            self.memory.limits.claim(&route.kind, count, self.now);
            self.out.limited.push((route, count));
        }
        Ok(())
    }

    /// The input of a workflow, read once for all of its steps that are claimed in a cycle.
    fn input_for(&mut self, workflow: &TaskId) -> Result<JsonText, Halt> {
        if let Some(known) = self.known.inputs.get(workflow) {
            return Ok(known.clone());
        }
        let input = input_of(self.connection, workflow)?;
        self.known.inputs.insert(workflow.clone(), input.clone());
        Ok(input)
    }

    /// Puts tasks that are out of the queue under one lease.
    fn lease(&mut self, worker: WorkerId, slots: Vec<Slot>) -> Result<(), Halt> {
        const SCAN: &str = "SELECT seq, id, extras, payload FROM tasks WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq";
        let id = self.memory.new_lease();
        let mut order: Vec<u32> = (0..).take(slots.len()).collect();
        let in_order = slots.is_sorted_by_key(|slot| slot.seq);
        if !in_order {
            order.sort_unstable_by_key(|place| slots[*place as usize].seq);
        }
        let mut claimed: Vec<(u32, Claimed)> = Vec::with_capacity(slots.len());
        let mut route: Option<(RouteId, std::sync::Arc<bulkhead_core::Route>)> = None;
        let mut first = 0;
        while first < order.len() {
            let seq_at = |place: usize| slots[order[place] as usize].seq.0;
            let mut last = first;
            let reach = if self.is_shared() { i64::MAX } else { SCAN_GAP };
            while last + 1 < order.len() && seq_at(last + 1) - seq_at(last) <= reach {
                last += 1;
            }
            let mut statement;
            let mut rows = if let Some(client) = self.connection.postgres() {
                self.known.picked(client, (first..=last).map(seq_at).collect())?
            } else {
                statement = self.connection.prepare_cached(SCAN)?;
                statement.query([seq_at(first), seq_at(last)])?
            };
            let mut next = first;
            while let Some(row) = rows.next()? {
                if next > last {
                    break;
                }
                let slot = slots[order[next] as usize];
                if row.get::<i64>(0)? != slot.seq.0 {
                    continue;
                }
                let mut task = TaskRow::read(&row, 1)?;
                if task.payload.is_absent()
                    && let Some(step) = task.extras.as_ref().and_then(|extras| extras.step.as_ref())
                {
                    task.payload = self.input_for(&step.workflow)?;
                }
                let route = match &route {
                    Some((id, route)) if *id == slot.route => std::sync::Arc::clone(route),
                    _ => {
                        let found = self.route(slot.route)?;
                        route = Some((slot.route, std::sync::Arc::clone(&found)));
                        found
                    }
                };
                let history = match slot.flags.has(Flags::HISTORY) {
                    true => HistoryRow::load_for_run(self.connection, slot.seq)?.map(Box::new),
                    false => None,
                };
                claimed.push((
                    order[next],
                    Claimed {
                        lease: id,
                        seq: slot.seq,
                        id: task.id,
                        route,
                        payload: task.payload,
                        priority: slot.rank.priority(),
                        due_at: slot.due,
                        extras: task.extras,
                        history,
                    },
                ));
                next += 1;
            }
            first = last + 1;
        }
        claimed.retain(|(_, task)| !self.is_late(task));
        if claimed.len() < slots.len() {
            self.bury_late(&slots, &claimed)?;
        }
        if claimed.is_empty() {
            return Ok(());
        }
        let mut numbers = Vec::with_capacity(claimed.len() * 8);
        claimed.iter().for_each(|(_, task)| numbers.extend_from_slice(&task.seq.0.to_le_bytes()));
        let name = match self.memory.workers.get(&worker) {
            Some(attached) => self.memory.names.worker(self.connection, &attached.name)?,
            None => 0,
        };
        match self.connection.postgres() {
            None => {
                let insert = "INSERT INTO leases (id, worker, claimed_at, tasks) VALUES (?1, ?2, ?3, ?4)";
                self.connection.execute(insert, params![id.0, name, self.now.as_millis(), numbers])?;
            }
            Some(client) => self.insert_lease(client, (id, worker, name), &claimed),
        }
        let lease = Lease::new(worker, self.now, claimed.iter().map(|(place, _)| slots[*place as usize]));
        if !in_order {
            claimed.sort_unstable_by_key(|(place, _)| *place);
        }
        let tasks = claimed.into_iter().map(|(_, task)| task).collect();
        self.out.claims.push(Claim { id, lease, tasks });
        Ok(())
    }
}
