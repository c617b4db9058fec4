//! How the children of a task ended, as its run asks.

use bulkhead_core::{JsonText, State, TaskError, UpstreamEnd, UpstreamTask};

use crate::ending::state_of;
use crate::sql::{Connection, Row, params};
use crate::{Spawned, StoreError, TaskSeq, UpstreamPart};

use super::failure::reading;
use super::ids;

const SELECT: &str = "SELECT k.name, k.position, \
    coalesce(t.id, (SELECT id FROM keys WHERE seq = k.child)), e.state, e.result, e.error, t.seq IS NULL FROM kin k \
    LEFT JOIN tasks t ON t.seq = k.child LEFT JOIN ended e ON e.seq = k.child \
    WHERE k.parent = ?1 AND k.epoch = ?2 AND k.stage = ?3";

/// Children of one spawn.
pub(super) fn read(
    connection: &Connection,
    of: TaskSeq,
    spawned: Spawned,
    part: &UpstreamPart,
) -> Result<Vec<UpstreamTask>, StoreError> {
    read_rows(connection, of, spawned, part).map_err(|error| reading(&error))
}

fn read_rows(
    connection: &Connection,
    TaskSeq(of): TaskSeq,
    Spawned { epoch, stage, .. }: Spawned,
    part: &UpstreamPart,
) -> crate::sql::Result<Vec<UpstreamTask>> {
    match part {
        UpstreamPart::Named(name) => {
            let mut statement = connection.prepare_cached(&format!("{SELECT} AND k.name = ?4"))?;
            let found =
                statement.query_map(params![of, epoch, stage, name], read_row)?.collect::<Result<Vec<_>, _>>()?;
            if !found.is_empty() {
                return Ok(found);
            }
            // A child without a name is called by its place.
            let Ok(position) = name.parse::<u32>() else { return Ok(found) };
            let mut statement =
                connection.prepare_cached(&format!("{SELECT} AND k.position = ?4 AND k.name IS NULL"))?;
            statement.query_map(params![of, epoch, stage, position], read_row)?.collect()
        }
        UpstreamPart::Page { offset, count, bytes } => {
            let mut statement =
                connection.prepare_cached(&format!("{SELECT} AND k.position >= ?4 ORDER BY k.position LIMIT ?5"))?;
            let rows = statement.query_map(params![of, epoch, stage, offset, count], read_row)?;
            paged(rows, *bytes)
        }
    }
}

/// The first of these rows that together have at most so many bytes, but one at least.
pub(super) fn paged(
    rows: impl Iterator<Item = crate::sql::Result<UpstreamTask>>,
    bytes: usize,
) -> crate::sql::Result<Vec<UpstreamTask>> {
    let (mut page, mut size) = (Vec::new(), 0);
    for row in rows {
        let task = row?;
        size += task.size();
        if size > bytes && !page.is_empty() {
            break;
        }
        page.push(task);
    }
    Ok(page)
}

/// From name, position, id, state, result, error, and whether the task is gone.
pub(super) fn read_row(row: &Row<'_>) -> crate::sql::Result<UpstreamTask> {
    let name: Option<String> = row.get(0)?;
    let name = match name {
        Some(name) => name,
        None => row.get::<u32>(1)?.to_string(),
    };
    let result = row.get_ref(4)?.as_str_or_null()?.map_or_else(JsonText::null, JsonText::from_trusted);
    let end = match row.get::<Option<i64>>(3)?.and_then(state_of) {
        Some(State::Succeeded) => UpstreamEnd::Succeeded(result),
        Some(State::Resolved) => UpstreamEnd::Resolved(result),
        Some(State::Cancelled) => UpstreamEnd::Cancelled,
        Some(State::Skipped) => UpstreamEnd::Skipped,
        Some(_) => {
            let error = row.get_ref(5)?.as_str_or_null()?.and_then(|text| serde_json::from_str(text).ok());
            UpstreamEnd::Failed(Box::new(error.unwrap_or_else(|| said("dead", "the task ended badly"))))
        }
        // Only one that was there before, by its key.
        None if row.get(6)? => UpstreamEnd::Failed(Box::new(said(
            "removed",
            "the task had ended before its parent asked for it, and was removed",
        ))),
        None => UpstreamEnd::Failed(Box::new(said("not_ended", "the task had not ended when its parent went on"))),
    };
    Ok(UpstreamTask { name, id: ids::read(row.get_ref(2)?), end })
}

fn said(code: &str, message: &str) -> TaskError {
    TaskError {
        category: "host".to_owned(),
        code: code.to_owned(),
        message: message.to_owned(),
        reason: code.to_owned(),
        details: None,
    }
}
