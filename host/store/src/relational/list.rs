//! Lists and counts of tasks.

use std::collections::HashSet;
use std::fmt::Write as _;

use bulkhead_core::{ReadyReason, State};

use crate::sql::{Connection, Value, params};
use crate::{Page, Selection, StoreError, TaskFilter, TaskSeq};

use super::cursor;
use super::failure::reading;
use super::interned::HOME_MARK;
use super::place::{PLACE, PLACES};
use super::shared::Shared;
use super::slot::RouteId;
use super::view;
use crate::ending::state_number;

/// The longest page.
const MAX_PAGE: usize = 1_000;

/// Up to so many waiting tasks, a list of them begins with them; beyond, with the newest tasks, of which many wait.
const FEW_WAITING: u64 = 20_000;

/// A question in SQL.
struct Question {
    from: String,
    /// The column that the first table of it is walked by.
    walked: &'static str,
    conditions: String,
    values: Vec<Value>,
}

impl Question {
    fn new(filter: &TaskFilter, connection: &Connection, shared: &Shared) -> crate::sql::Result<Self> {
        let mut question =
            Self { from: PLACES.to_owned(), walked: "t.seq", conditions: "TRUE".to_owned(), values: Vec::new() };
        let states: HashSet<State> = filter.states.iter().copied().collect();
        let only = |allowed: &[State]| !states.is_empty() && states.iter().all(|state| allowed.contains(state));
        if let Some(parent) = &filter.parent {
            let seq = super::place::find(connection, parent)?.map_or(-1, |seq| seq.0);
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
        if let Some(kind) = &filter.kind {
            // By the task's own column, so that the others are passed over before anything is joined to them.
            let mut statement = connection.prepare_cached("SELECT id FROM routes WHERE kind = ?1")?;
            let ids = statement.query_map([kind.as_str()], |row| row.get::<i64>(0))?;
            let ids = joined(ids.collect::<crate::sql::Result<Vec<_>>>()?.into_iter());
            question.and(&if ids.is_empty() { "FALSE".to_owned() } else { format!("t.route IN ({ids})") });
        }
        if let Some(tenant) = &filter.tenant {
            question.equals("t.tenant", tenant);
        }
        if let Some(reason) = filter.dead_reason {
            question.equals("e.reason", reason.as_str());
            question.and(&format!("e.state = {}", state_number(State::Dead)));
        }
        if let Some(reason) = filter.ready_reason {
            question.waits_for(reason, shared);
        }
        Ok(question)
    }

    fn and(&mut self, condition: &str) {
        let _ = write!(self.conditions, " AND {condition}");
    }

    /// Only tasks that have ended, found by this table or index of it.
    fn of_ended(&mut self, ended: &str) {
        let found = format!("{ended} CROSS JOIN tasks t ON t.seq = e.seq");
        self.from = PLACES.replacen("tasks t LEFT JOIN ended e ON e.seq = t.seq", &found, 1);
        self.walked = "e.seq";
    }

    /// Only tasks of these numbers, which are few.
    fn only_in(&mut self, numbers: &str, connection: &Connection) {
        if connection.postgres().is_some() {
            // It is told to begin there: whatever gives them, it takes for two hundred rows, and might walk all tasks for each.
            let few = format!("(SELECT DISTINCT seq FROM ({numbers}) AS n (seq) ORDER BY seq DESC) few");
            self.from = PLACES.replacen("tasks t", &format!("{few} CROSS JOIN tasks t ON t.seq = few.seq"), 1);
            self.walked = "few.seq";
        } else {
            self.and(&format!("t.seq IN ({numbers})"));
        }
    }

    /// Tells PostgreSQL how to bring the tables together, which it could only guess: by keys, in the order written, or where
    /// `many` are looked at, by holding whole tables against each other.
    fn set_plan(&self, many: bool, connection: &Connection) -> crate::sql::Result<()> {
        if connection.postgres().is_some() {
            let by_keys = !many || self.walked == "few.seq";
            let plan = if by_keys { "join_collapse_limit = 1" } else { "enable_hashjoin = on" };
            connection.put_off(&format!("SET LOCAL {plan}"), params![])?;
        }
        Ok(())
    }

    fn equals(&mut self, column: &str, value: &str) {
        self.values.push(Value::Text(value.to_owned()));
        let place = self.values.len();
        self.and(&format!("{column} = ?{place}"));
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
    const READY: [&str; 4] = ["ready", "delayed", "parked", "alone"];
    let mut names: Vec<&str> = Vec::new();
    let mut selects = Vec::new();
    let is_ready = states.contains(&State::Ready) || ready_reason.is_some();
    let is_open = states.iter().all(|state| !state.is_ended()) && (is_ready || !states.is_empty());
    if !is_open || (is_ready && shared.pending() > FEW_WAITING) {
        return Ok(None);
    }
    if is_ready {
        names.extend(READY);
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

/// One page.
pub(super) fn page(
    connection: &Connection,
    selection: &Selection,
    shared: &Shared,
    secret: i64,
) -> Result<Page, StoreError> {
    let after = match &selection.cursor {
        Some(text) => Some(cursor::parse(text, &selection.filter, secret)?),
        None => None,
    };
    let limit = selection.limit.clamp(1, MAX_PAGE);
    let read = || -> crate::sql::Result<Vec<_>> {
        let question = Question::new(&selection.filter, connection, shared)?;
        let mut select = format!(
            "SELECT {} FROM {} CROSS JOIN routes rt ON rt.id = t.route WHERE {}",
            view::columns(),
            question.from,
            question.conditions
        );
        // Sorted by the column that the outer table is walked by, so that nothing is sorted at all.
        let walked = question.walked;
        if let Some(TaskSeq(after)) = after {
            let _ = write!(select, " AND {walked} < {after}");
        }
        let _ = write!(select, " ORDER BY {walked} DESC LIMIT {}", limit + 1);
        question.set_plan(false, connection)?;
        let mut statement = connection.prepare_cached(&select)?;
        let rows = statement.query_map(question.values, |row| view::read(row, shared))?;
        rows.collect()
    };
    let mut tasks = read().map_err(|error| reading(&error))?;
    let more = tasks.len() > limit;
    tasks.truncate(limit);
    let next = tasks.last().filter(|_| more).map(|(seq, _)| cursor::make(*seq, &selection.filter, secret));
    Ok(Page { items: tasks.into_iter().map(|(_, view)| view).collect(), next })
}

/// How many tasks a filter meets.
pub(super) fn count(connection: &Connection, filter: &TaskFilter, shared: &Shared) -> Result<u64, StoreError> {
    let read = || -> crate::sql::Result<i64> {
        let question = Question::new(filter, connection, shared)?;
        question.set_plan(true, connection)?;
        let select = format!(
            "SELECT count(*) FROM {} CROSS JOIN routes rt ON rt.id = t.route WHERE {}",
            question.from, question.conditions
        );
        connection.prepare_cached(&select)?.query_row(question.values, |row| row.get(0))
    };
    read().map(|count| u64::try_from(count).unwrap_or(0)).map_err(|error| reading(&error))
}
