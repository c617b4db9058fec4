//! Which tasks a filter meets, as a question in SQL.

use std::collections::HashSet;
use std::fmt::Write as _;

use bulkhead_core::{ReadyReason, State};

use crate::TaskFilter;
use crate::sql::{Connection, Value, params};

use super::interned::HOME_MARK;
use super::place::{PLACE, PLACES, READY_TABLES, find};
use super::shared::Shared;
use super::slot::RouteId;
use crate::ending::state_number;

/// Up to so many waiting tasks, a list of them begins with them; beyond, with the newest tasks, of which many wait.
const FEW_WAITING: u64 = 20_000;

/// Where a question begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// With all tasks.
    Tasks,
    /// With those that have ended.
    Ended,
    /// With numbers that are known.
    Numbers,
}

/// A question in SQL.
#[derive(Debug)]
pub(super) struct Question {
    start: Start,
    pub(super) from: String,
    pub(super) conditions: String,
    pub(super) values: Vec<Value>,
}

impl Question {
    pub(super) fn new(filter: &TaskFilter, connection: &Connection, shared: &Shared) -> crate::sql::Result<Self> {
        let mut question = Self::starting(Start::Tasks, PLACES.to_owned());
        let states: HashSet<State> = filter.states.iter().copied().collect();
        let only = |allowed: &[State]| !states.is_empty() && states.iter().all(|state| allowed.contains(state));
        if let Some(parent) = &filter.parent {
            let seq = find(connection, parent)?.map_or(-1, |seq| seq.0);
            question.only_in(&format!("SELECT child FROM kin WHERE parent = {seq} AND own"), connection);
        } else if only(&[State::Dead, State::Cancelled, State::Skipped, State::Resolved])
            || filter.dead_reason.is_some()
        {
            // Those are few, and have an index of their own.
            question.of_ended("ended e INDEXED BY ended_otherwise");
            question.and("e.state <> 6");
        } else if !states.is_empty() && states.iter().all(|state| state.is_ended()) {
            // However many wait before them, they are not passed over one by one.
            question.of_ended("ended e");
        } else if let Some(tables) = tables_of_open(&states, filter.ready_reason, connection, shared)? {
            question.only_in(&tables.join(" UNION ALL "), connection);
        }
        if !states.is_empty() {
            question.and(&format!("({})", states_are(&states)));
        }
        if let Some(moment) = filter.ended_before {
            question.and(&format!("e.ended_at < {}", moment.as_millis()));
        }
        question.narrow(filter, connection)?;
        if let Some(reason) = filter.dead_reason {
            question.equals("e.reason", reason.as_str());
            question.and(&format!("e.state = {}", state_number(State::Dead)));
        }
        if let Some(reason) = filter.ready_reason {
            question.waits_for(reason, shared);
        }
        question.from.push_str(" CROSS JOIN routes rt ON rt.id = t.route");
        Ok(question)
    }

    /// Tasks that are ready, of a kind, tenant and tags: whatever is in these tables is, so nothing else need be looked at.
    pub(super) fn ready(filter: &TaskFilter, connection: &Connection) -> crate::sql::Result<Self> {
        let numbers = READY_TABLES.map(|name| format!("SELECT seq FROM {name}")).join(" UNION ALL ");
        let mut question = Self::starting(Start::Numbers, format!("({numbers}) n"));
        if filter.kind.is_some() || filter.tenant.is_some() || !filter.tags.is_empty() {
            question.from.push_str(" CROSS JOIN tasks t ON t.seq = n.seq");
        }
        question.narrow(filter, connection)?;
        Ok(question)
    }

    fn starting(start: Start, from: String) -> Self {
        Self { start, from, conditions: "TRUE".to_owned(), values: Vec::new() }
    }

    /// The column that the first table is walked by.
    pub(super) const fn walked(&self) -> &'static str {
        match self.start {
            Start::Tasks => "t.seq",
            Start::Ended => "e.seq",
            Start::Numbers => "n.seq",
        }
    }

    /// Only tasks of this kind, tenant and tags.
    fn narrow(&mut self, filter: &TaskFilter, connection: &Connection) -> crate::sql::Result<()> {
        if let Some(kind) = &filter.kind {
            // By the task's own column, so that the others are passed over before anything is joined to them.
            let mut statement = connection.prepare_cached("SELECT id FROM routes WHERE kind = ?1")?;
            let ids = statement.query_map([kind.as_str()], |row| row.get::<i64>(0))?;
            let ids = joined(ids.collect::<crate::sql::Result<Vec<_>>>()?.into_iter());
            self.and(&if ids.is_empty() { "FALSE".to_owned() } else { format!("t.route IN ({ids})") });
        }
        if let Some(tenant) = &filter.tenant {
            self.equals("t.tenant", tenant);
        }
        for (name, value) in &filter.tags {
            self.tagged(name, value, connection);
        }
        Ok(())
    }

    fn and(&mut self, condition: &str) {
        let _ = write!(self.conditions, " AND {condition}");
    }

    /// Only tasks that have ended, found by this table or index of it.
    fn of_ended(&mut self, ended: &str) {
        let found = format!("{ended} CROSS JOIN tasks t ON t.seq = e.seq");
        self.from = PLACES.replacen("tasks t LEFT JOIN ended e ON e.seq = t.seq", &found, 1);
        self.start = Start::Ended;
    }

    /// Only tasks of these numbers, which are few.
    fn only_in(&mut self, numbers: &str, connection: &Connection) {
        if connection.postgres().is_some() {
            // It is told to begin there: whatever gives them, it takes for two hundred rows, and might walk all tasks for each.
            let numbers = format!("(SELECT DISTINCT seq FROM ({numbers}) AS few (seq) ORDER BY seq DESC) n");
            self.from = PLACES.replacen("tasks t", &format!("{numbers} CROSS JOIN tasks t ON t.seq = n.seq"), 1);
            self.start = Start::Numbers;
        } else {
            self.and(&format!("t.seq IN ({numbers})"));
        }
    }

    /// Tells PostgreSQL how to bring the tables together, which it could only guess: by keys, in the order written, or where
    /// `many` are looked at, by holding whole tables against each other.
    pub(super) fn set_plan(&self, many: bool, connection: &Connection) -> crate::sql::Result<()> {
        if connection.postgres().is_some() {
            if !many || self.start == Start::Numbers {
                connection.put_off("SET LOCAL join_collapse_limit = 1", params![])?;
            }
            if many {
                connection.put_off("SET LOCAL enable_hashjoin = on", params![])?;
            }
        }
        Ok(())
    }

    fn equals(&mut self, column: &str, value: &str) {
        self.values.push(Value::Text(value.to_owned()));
        let place = self.values.len();
        self.and(&format!("{column} = ?{place}"));
    }

    /// Only tasks with this tag. Names are compared as values are: they are text of anybody, and no path in a document.
    fn tagged(&mut self, name: &str, value: &str, connection: &Connection) {
        self.values.extend([name, value].map(|text| Value::Text(text.to_owned())));
        let (name, value) = (self.values.len() - 1, self.values.len());
        self.and(&if connection.postgres().is_some() {
            format!("CAST(t.extras AS JSON) -> 'tags' ->> ?{name} = ?{value}")
        } else {
            format!(
                "EXISTS (SELECT 1 FROM json_each(t.extras, '$.tags') tag WHERE tag.key = ?{name} AND tag.value = ?{value})"
            )
        });
    }

    fn waits_for(&mut self, reason: ReadyReason, shared: &Shared) {
        match reason {
            ReadyReason::Scheduled => self.and("d.seq IS NOT NULL AND h.reason IS NULL"),
            ReadyReason::NoCapableWorker => self.and("p.seq IS NOT NULL"),
            ReadyReason::Unroutable | ReadyReason::WorkspaceHost => match shared.served() {
                Some(served) => {
                    let is_bound = if reason == ReadyReason::WorkspaceHost { "LIKE" } else { "NOT LIKE" };
                    self.and(&format!("rt.requires {is_bound} '%{HOME_MARK}%'"));
                    let served = joined(served.into_iter().map(|RouteId(id)| id));
                    self.and("e.seq IS NULL AND coalesce(r.seq, a.seq) IS NOT NULL");
                    self.and(&format!("t.route NOT IN ({served})"));
                }
                None => self.and("FALSE"),
            },
            ReadyReason::Retry | ReadyReason::Declined | ReadyReason::Interrupted => {
                self.and("d.seq IS NOT NULL");
                self.equals("h.reason", reason.as_str());
            }
            ReadyReason::WorkerLost => {
                self.and("coalesce(d.seq, a.seq) IS NOT NULL");
                self.equals("h.reason", reason.as_str());
            }
        }
    }
}

/// Where all tasks are that are in these states, which are none of those of ended ones; `None` where that says little.
fn tables_of_open(
    states: &HashSet<State>,
    ready_reason: Option<ReadyReason>,
    connection: &Connection,
    shared: &Shared,
) -> crate::sql::Result<Option<Vec<String>>> {
    let mut names: Vec<&str> = Vec::new();
    let mut selects = Vec::new();
    let is_ready = states.contains(&State::Ready) || ready_reason.is_some();
    let is_open = states.iter().all(|state| !state.is_ended()) && (is_ready || !states.is_empty());
    if !is_open || (is_ready && shared.pending() > FEW_WAITING) {
        return Ok(None);
    }
    if is_ready {
        names.extend(READY_TABLES);
    }
    if [State::Suspended, State::Waiting, State::Blocked].into_iter().any(|state| states.contains(&state)) {
        names.push("waits");
    }
    if states.contains(&State::Paused) {
        names.push("paused");
    }
    if states.contains(&State::Running) {
        selects.push(leased(connection)?);
    }
    selects.extend(names.into_iter().map(|name| format!("SELECT seq FROM {name}")));
    Ok(Some(selects))
}

/// The condition that a task is in one of these states.
fn states_are(states: &HashSet<State>) -> String {
    let mut any: Vec<String> = Vec::new();
    let ended = joined(states.iter().filter(|state| state.is_ended()).map(|state| state_number(*state)));
    if !ended.is_empty() {
        // Not `e.state IN …`, which would let SQLite begin with `ended` and sort all of it for each page.
        any.push(format!("coalesce(e.state, -1) IN ({ended})"));
    }
    if states.contains(&State::Ready) {
        any.push("(e.seq IS NULL AND coalesce(r.seq, d.seq, p.seq, a.seq) IS NOT NULL)".to_owned());
    }
    let waits = [State::Waiting, State::Suspended, State::Blocked].into_iter().filter(|state| states.contains(state));
    let waits = joined(waits.map(state_number));
    if !waits.is_empty() {
        any.push(format!("coalesce(w.state, -1) IN ({waits})"));
    }
    if states.contains(&State::Paused) {
        any.push("u.seq IS NOT NULL".to_owned());
    }
    if states.contains(&State::Running) {
        any.push(format!("({PLACE}) IS NULL"));
    }
    any.join(" OR ")
}

/// The tasks under any lease, done or not.
fn leased(connection: &Connection) -> crate::sql::Result<String> {
    if connection.postgres().is_some() {
        return Ok("SELECT unnest(tasks) FROM leases".to_owned());
    }
    let mut statement = connection.prepare_cached("SELECT tasks FROM leases")?;
    let mut rows = statement.query([])?;
    let mut numbers = Vec::new();
    while let Some(row) = rows.next()? {
        numbers.extend(row.get_ref(0)?.as_bytes()?.as_chunks::<8>().0.iter().map(|bytes| i64::from_le_bytes(*bytes)));
    }
    Ok(format!("SELECT value FROM json_each('[{}]')", joined(numbers.into_iter())))
}

fn joined(numbers: impl Iterator<Item = i64>) -> String {
    let mut text = String::new();
    for number in numbers {
        let _ = write!(text, "{}{number}", if text.is_empty() { "" } else { "," });
    }
    text
}
