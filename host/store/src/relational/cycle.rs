//! One cycle: one write transaction that does everything that is waiting, and then claims.
//!
//! A cycle is tried at full speed first. If the database refuses any row, all of it is rolled back and done again with
//! care: each batch inside a savepoint, halved until the row that is refused stands alone.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bulkhead_core::{Route, Timestamp};

use crate::sql::{Connection, Error, Savepoint, Statement, Table, ToSql};
use crate::{LeaseId, StoreError};

use super::crash_point::crash_point;
use super::failure::Halt;
use super::interned::route_of;
use super::many_hosts::Known;
use super::memory::Memory;
use super::outcome::{Mark, Outcome};
use super::request::Asked;
use super::slot::RouteId;
use super::tables;
use super::todo::Todo;

/// How often a cycle is done again in which another host was quicker; each time it looks at what is there then.
const RACES: u32 = 20;

/// A transaction under way.
pub(super) struct Cycle<'a> {
    pub(super) connection: &'a Connection,
    pub(super) memory: &'a mut Memory,
    pub(super) now: Timestamp,
    pub(super) boot: Duration,
    pub(super) out: Outcome,
    pub(super) careful: bool,
    /// Looks at what other hosts have done.
    pub(super) looks: bool,
    /// The leases under which something may still end; `None` where that is not in question.
    pub(super) live: Option<HashSet<LeaseId>>,
    /// Counts anew how much of each route waits.
    pub(super) recounts: bool,
    /// The limits of kinds are as all hosts know them, and no other changes them.
    pub(super) limits_held: bool,
    /// Parents are told of their children's ends a little later, of several at once.
    pub(super) gathers_ends: bool,
    /// Nothing has changed so far but tasks that ran here, whose workflows were there when the cycle began.
    pub(super) ended_only_own: bool,
    /// What was read of all tasks that end or go on in this cycle, where each question costs a way to the server.
    pub(super) known: Known,
    /// The statements of the hot path, looked up once a cycle rather than once a task.
    pub(super) hot: Hot<'a>,
}

/// Prepared statements, each fetched when it is first needed.
#[derive(Default)]
pub(super) struct Hot<'a> {
    inserts: [Option<Statement<'a>>; tables::COUNT],
}

/// The statement, fetched where it is not there yet.
fn fetched<'b, 'a>(
    statement: &'b mut Option<Statement<'a>>,
    connection: &'a Connection,
    text: &str,
) -> Result<&'b mut Statement<'a>, Halt> {
    match statement {
        Some(statement) => Ok(statement),
        None => Ok(statement.insert(connection.prepare_cached(text)?)),
    }
}

/// How a cycle ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// All of it is written.
    Done(Outcome),
    /// The connection was lost before the database said whether it is.
    Unknown(Outcome),
}

/// Takes back, in memory, what a cycle did that was not written after all.
pub(super) fn undo(connection: &Connection, memory: &mut Memory, outcome: Outcome, now: Timestamp) {
    let mut cycle = Cycle::new(connection, memory, now, Duration::ZERO, false);
    cycle.out = outcome;
    cycle.undo(Mark::START);
}

/// Does all of it in one transaction, durably, or nothing.
pub(super) fn run(
    connection: &Connection,
    memory: &mut Memory,
    todo: &Todo,
    now: Timestamp,
    boot: Duration,
) -> Result<Ended, StoreError> {
    let (mut careful, mut races) = (false, 0);
    let unparking = (memory.unparking.clone(), memory.new_catalogue);
    loop {
        let mut cycle = Cycle::new(connection, memory, now, boot, careful);
        cycle.looks = todo.look;
        let Err(halt) = cycle.transact(todo) else { return Ok(Ended::Done(cycle.out)) };
        if matches!(halt, Halt::Unknown) {
            return Ok(Ended::Unknown(cycle.out));
        }
        cycle.undo(Mark::START);
        (cycle.memory.unparking, cycle.memory.new_catalogue) = unparking.clone();
        if let Err(error) = connection.rollback() {
            tracing::error!(error = error.words(), "a transaction could not be rolled back");
        }
        match halt {
            Halt::Raced if races < RACES => races += 1,
            Halt::Row(_) | Halt::Taken { .. } | Halt::QueueFull { .. } if !careful => careful = true,
            halt => return Err(halt.trouble()),
        }
    }
}

/// Ends what an earlier holder of the file left, and loads the index.
pub(super) fn recover(
    connection: &Connection,
    memory: &mut Memory,
    now: Timestamp,
    boot: Duration,
) -> Result<(), StoreError> {
    let mut cycle = Cycle::new(connection, memory, now, boot, true);
    cycle.transact_recovery().map_err(Halt::trouble)
}

impl<'a> Cycle<'a> {
    fn new(connection: &'a Connection, memory: &'a mut Memory, now: Timestamp, boot: Duration, careful: bool) -> Self {
        let (out, hot) = (Outcome::default(), Hot::default());
        Self {
            connection,
            memory,
            now,
            boot,
            out,
            careful,
            looks: false,
            live: None,
            recounts: false,
            limits_held: false,
            gathers_ends: false,
            ended_only_own: false,
            known: Known::default(),
            hot,
        }
    }

    fn transact_recovery(&mut self) -> Result<(), Halt> {
        self.connection.begin()?;
        self.recover()?;
        self.release_steps()?;
        self.save_events()?;
        self.load_index()?;
        self.connection.commit()?;
        self.memory.events.forget();
        Ok(())
    }

    fn transact(&mut self, todo: &Todo) -> Result<(), Halt> {
        self.connection.begin()?;
        if let Some(many) = &mut self.memory.many_hosts {
            many.check_shut_out()?;
            many.begin_cycle();
        }
        let asked = self.ask_ahead(todo)?;
        if let Some(now) = self.connection.time()?
            && self.memory.many_hosts.as_ref().is_some_and(|many| many.database_time)
        {
            self.now = self.now.max(now);
        }
        self.out.now = Some(self.now);
        self.heed_others(todo, asked)?;
        for (worker, name, _) in &todo.attaches {
            self.attach(*worker, name)?;
        }
        for (worker, _) in &todo.renewals {
            let renewed = self.renew(*worker)?;
            self.out.renewed.push(renewed);
            crash_point("mid_heartbeat");
        }
        self.gathers_ends = true;
        for (worker, commits) in &todo.commits {
            self.commit(*worker, commits)?;
        }
        self.gathers_ends = false;
        self.tell_gathered()?;
        for (worker, progress) in &todo.reports {
            for (seq, note) in progress {
                if self.memory.leases.holder(*seq).is_some_and(|(holder, _)| holder == *worker) {
                    self.keep_progress(*seq, None, note)?;
                }
            }
        }
        for (worker, tasks, _) in &todo.releases {
            self.release(*worker, tasks)?;
        }
        for worker in &todo.detached {
            self.give_back(*worker)?;
        }
        self.sweep_lost()?;
        for Asked { ids, change, .. } in &todo.changes {
            let fates = ids.iter().map(|id| self.change(id, change)).collect::<Result<_, _>>()?;
            self.out.fates_of_changes.push(fates);
        }
        for (kind, held, _) in &todo.holds {
            self.hold(kind.as_ref(), *held)?;
        }
        for asked in &todo.schedules {
            self.change_schedule(&asked.change)?;
        }
        for submit in &todo.submits {
            self.submit(&submit.tasks)?;
        }
        for begin in &todo.begins {
            self.begin_workflow(begin)?;
        }
        for asked in &todo.workflow_changes {
            self.change_workflow(&asked.id, asked.change)?;
        }
        // What could be claimed is told first.
        self.release_steps()?;
        self.ended_only_own = false;
        if todo.claim {
            self.promote()?;
            self.sweep_expired()?;
            self.sweep_waits()?;
            self.sweep_ticks()?;
            self.unpark()?;
            self.sweep_names()?;
            self.sweep_ended()?;
            self.release_steps()?;
            if self.memory.stale || self.looks {
                self.load_index()?;
            }
            if self.memory.limits.reopen(self.now) {
                self.memory.serve_anew();
            }
            if self.looks {
                self.hold_limits()?;
                self.offer_here()?;
            }
            self.out.claiming_since = Some(Instant::now());
            self.claim()?;
            // Those that should have started before they were claimed.
            self.release_steps()?;
        }
        self.do_events(&todo.events)?;
        self.save_events()?;
        if self.is_shared() {
            self.save_limits()?;
            self.save_leases();
            self.save_counts()?;
            self.note_cycle()?;
        } else {
            self.drop_spent_leases()?;
        }
        if !self.out.claims.is_empty() {
            crash_point("after_claim");
        }
        crash_point("before_commit");
        match self.connection.commit() {
            Err(Error::Gone(_)) if self.is_shared() => return Err(Halt::Unknown),
            committed => committed?,
        }
        crash_point("after_commit");
        Ok(())
    }

    /// Puts a row into a table; where the engine is a server, with others of its kind.
    pub(super) fn insert(&mut self, table: &'static Table, values: &[&dyn ToSql]) -> Result<(), Halt> {
        match self.connection {
            Connection::Postgres(client) => client.insert(table, values)?,
            connection @ Connection::Sqlite(_) => {
                let statement = self.hot.inserts.get_mut(table.place);
                let statement = statement.ok_or_else(|| Halt::Row(format!("`{}` is no table", table.name)))?;
                fetched(statement, connection, table.insert_one())?.execute(values)?;
            }
        }
        Ok(())
    }

    /// Does something inside a savepoint; where it fails, it has not happened.
    pub(super) fn guarded<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Halt>) -> Result<T, Halt> {
        // What was gathered before must not be taken back with it.
        self.tell_gathered()?;
        self.connection.savepoint(Savepoint::Set)?;
        let mark = self.out.mark();
        let floor = std::mem::replace(&mut self.out.floor, mark.counts);
        let done = work(self).and_then(|done| Ok(self.connection.flush().map(|()| done)?));
        self.out.floor = floor;
        // Some failures (a full disk) end the transaction itself; then there is nothing to go back to.
        if done.is_err() && !self.connection.is_autocommit() {
            self.connection.savepoint(Savepoint::GoBack)?;
            self.undo(mark);
        }
        if !self.connection.is_autocommit() {
            self.connection.savepoint(Savepoint::Release)?;
        }
        done
    }

    /// Takes back, in memory, what was done since.
    fn undo(&mut self, mark: Mark) {
        let Outcome {
            counts,
            done,
            new_routes,
            ended,
            step_changes,
            child_ends,
            died,
            standings,
            settled,
            marked,
            heard,
            freed,
            limited,
            events,
            ..
        } = &mut self.out;
        for (route, change) in counts.drain(mark.counts..) {
            if let Some(known) = self.memory.routes.get_mut(route) {
                known.pending -= change;
                self.memory.pending -= change;
            }
        }
        for (lease, seq) in done.drain(mark.done..) {
            self.memory.leases.unfinish(lease, seq);
        }
        for route in new_routes.drain(mark.new_routes..) {
            self.memory.routes.forget(route);
            self.memory.ready.forget(route);
            self.memory.shared.hide_served(route);
        }
        ended.truncate(mark.ended);
        step_changes.truncate(mark.step_changes);
        child_ends.truncate(mark.child_ends);
        died.truncate(mark.died);
        standings.truncate(mark.standings);
        freed.truncate(mark.freed);
        for (route, count) in limited.drain(mark.limited..) {
            self.memory.limits.claim(&route.kind, -count, self.now);
        }
        settled.truncate(mark.settled);
        for (_, seq) in marked.drain(mark.marked..) {
            self.memory.cancelled.remove(&seq);
        }
        for (_, seq) in heard.drain(mark.heard..) {
            // It is heard of anew, and told then.
            self.memory.cancelled.remove(&seq);
        }
        events.truncate(mark.events);
        self.memory.events.forget();
        self.memory.names.clear();
        self.memory.stale = true;
    }

    /// Counts tasks that came into, or left, the queue of a route.
    pub(super) fn count(&mut self, route: RouteId, change: i64) -> Result<(), Halt> {
        self.route(route)?;
        if let Some(known) = self.memory.routes.get_mut(route) {
            known.pending += change;
            self.memory.pending += change;
        }
        // A sum that an outer savepoint has begun is not added to, or it could not be taken back apart.
        let own = self.out.counts.len() > self.out.floor;
        match self.out.counts.last_mut() {
            Some((last, sum)) if own && *last == route => *sum += change,
            _ => self.out.counts.push((route, change)),
        }
        Ok(())
    }

    /// The route of a number, from memory where it is there.
    pub(super) fn route(&mut self, id: RouteId) -> Result<Arc<Route>, Halt> {
        if let Some(known) = self.memory.routes.get(id) {
            return Ok(Arc::clone(&known.route));
        }
        let route = Arc::new(route_of(self.connection, id)?);
        self.memory.routes.remember(id, Arc::clone(&route));
        self.route_is_new(id, &route);
        Ok(route)
    }

    /// Asks every worker whether it serves a route that was not in memory.
    pub(super) fn route_is_new(&mut self, id: RouteId, route: &Route) {
        let held = self.memory.is_held(route);
        for (worker, attached) in &self.memory.workers {
            if attached.routes.as_ref().is_some_and(|served| (served.serves)(route)) {
                if !held {
                    self.memory.ready.serve_also(*worker, id);
                }
                self.memory.shared.show_served_also(id);
            }
        }
    }

    /// Ends the leases whose last task is done.
    fn drop_spent_leases(&mut self) -> Result<(), Halt> {
        let mut last = None;
        for (id, _) in &self.out.done {
            if last.replace(*id) != Some(*id)
                && self.memory.leases.get(*id).is_some_and(|lease| lease.left() == 0)
                && !self.out.over.contains(id)
            {
                self.out.over.push(*id);
                self.connection.prepare_cached("DELETE FROM leases WHERE id = ?1")?.execute([id.0])?;
            }
        }
        Ok(())
    }
}
