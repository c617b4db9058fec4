//! Lists and counts of tasks.

use std::fmt::Write as _;

use bulkhead_core::State;

use crate::sql::Connection;
use crate::{Page, Selection, StoreError, TaskFilter, TaskSeq};

use super::cursor;
use super::failure::reading;
use super::question::Question;
use super::shared::Shared;
use super::view;

/// The longest page.
const MAX_PAGE: usize = 1_000;

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
        let mut select = format!("SELECT {} FROM {} WHERE {}", view::columns(), question.from, question.conditions);
        // Sorted by the column that the outer table is walked by, so that nothing is sorted at all.
        let walked = question.walked();
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
        let mut parts = Vec::new();
        let mut filter = filter.clone();
        if is_by_state(&filter) && filter.states.contains(&State::Ready) {
            parts.push(Question::ready(&filter, connection)?);
            filter.states.retain(|state| *state != State::Ready);
        }
        if parts.is_empty() || !filter.states.is_empty() {
            parts.push(Question::new(&filter, connection, shared)?);
        }
        // In one statement, so that nothing moves from one part to the other meanwhile. Their values are the same.
        let counts: Vec<String> = parts
            .iter()
            .map(|part| format!("(SELECT count(*) FROM {} WHERE {})", part.from, part.conditions))
            .collect();
        let Some(last) = parts.pop() else { return Ok(0) };
        last.set_plan(true, connection)?;
        let mut statement = connection.prepare_cached(&format!("SELECT {}", counts.join(" + ")))?;
        statement.query_row(last.values, |row| row.get(0))
    };
    read().map(|count| u64::try_from(count).unwrap_or(0)).map_err(|error| reading(&error))
}

/// Whether a filter asks for nothing of what became of a task but its state.
fn is_by_state(filter: &TaskFilter) -> bool {
    let TaskFilter { states: _, kind: _, tenant: _, tags: _, parent, ready_reason, dead_reason, ended_before } = filter;
    parent.is_none() && ready_reason.is_none() && dead_reason.is_none() && ended_before.is_none()
}
