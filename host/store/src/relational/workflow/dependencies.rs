//! How the dependencies of a step ended, as its run asks.

use bulkhead_core::{TaskId, UpstreamTask};

use super::super::failure::reading;
use super::super::upstream::{paged, read_row};
use super::begin::find;
use crate::sql::{Connection, params};
use crate::{StoreError, UpstreamPart};

/// The tasks that a step depends on, each with its name and its place among them; where a step fans out, the tasks that
/// stand for it, of its latest life.
const FROM: &str = "(SELECT d.name AS name, d.place AS place, -1 AS position, d.seq AS seq \
        FROM steps s JOIN edges g ON g.dependent = s.seq JOIN steps d ON d.seq = g.dependency \
        WHERE s.workflow = ?1 AND s.place = ?2 AND NOT d.fans_out \
    UNION ALL SELECT k.name, d.place, k.position, k.child \
        FROM steps s JOIN edges g ON g.dependent = s.seq JOIN steps d ON d.seq = g.dependency \
        JOIN kin k ON k.parent = d.seq WHERE s.workflow = ?1 AND s.place = ?2 AND d.fans_out \
        AND k.epoch = (SELECT max(epoch) FROM kin l WHERE l.parent = d.seq)) AS u";

/// Every step before one, however far: Tasker's handlers may ask for any of them by name.
const BEFORE: &str = "WITH RECURSIVE before (seq) AS (SELECT g.dependency FROM steps s \
        JOIN edges g ON g.dependent = s.seq WHERE s.workflow = ?1 AND s.place = ?2 \
    UNION SELECT g.dependency FROM before b JOIN edges g ON g.dependent = b.seq)";

/// The one of a name among them.
const EARLIER: &str = "(SELECT d.name AS name, d.seq AS seq FROM steps d JOIN before b ON b.seq = d.seq \
    WHERE d.workflow = ?1 AND d.name = ?3) AS u";

/// The columns that an upstream task is read from.
const COLUMNS: &str = "u.name, 0, t.id, e.state, e.result, e.error, t.seq IS NULL";

const JOINS: &str = "LEFT JOIN tasks t ON t.seq = u.seq LEFT JOIN ended e ON e.seq = u.seq";

/// The dependencies of the step at a place of a workflow.
pub(super) fn read(
    connection: &Connection,
    workflow: &TaskId,
    place: u32,
    part: &UpstreamPart,
) -> Result<Vec<UpstreamTask>, StoreError> {
    let read = || -> crate::sql::Result<Vec<UpstreamTask>> {
        let Some(seq) = find(connection, workflow)? else { return Ok(Vec::new()) };
        match part {
            UpstreamPart::Named(name) => {
                let select = format!("SELECT {COLUMNS} FROM {FROM} {JOINS} WHERE u.name = ?3");
                let values = params![seq.0, place, name];
                let found: Vec<UpstreamTask> = connection
                    .prepare_cached(&select)?
                    .query_map(values, read_row)?
                    .collect::<crate::sql::Result<_>>()?;
                if !found.is_empty() {
                    return Ok(found);
                }
                let select = format!("{BEFORE} SELECT {COLUMNS} FROM {EARLIER} {JOINS}");
                connection.prepare_cached(&select)?.query_map(values, read_row)?.collect()
            }
            UpstreamPart::Page { offset, count, bytes } => {
                let select =
                    format!("SELECT {COLUMNS} FROM {FROM} {JOINS} ORDER BY u.place, u.position LIMIT ?4 OFFSET ?3");
                let mut statement = connection.prepare_cached(&select)?;
                let rows = statement.query_map(params![seq.0, place, offset, count], read_row)?;
                paged(rows, *bytes)
            }
        }
    };
    read().map_err(|error| reading(&error))
}

/// How many there are.
pub(super) fn count(connection: &Connection, workflow: &TaskId, place: u32) -> Result<u32, StoreError> {
    let read = || -> crate::sql::Result<u32> {
        let Some(seq) = find(connection, workflow)? else { return Ok(0) };
        let select = format!("SELECT count(*) FROM {FROM}");
        connection.prepare_cached(&select)?.query_row(params![seq.0, place], |row| row.get(0))
    };
    read().map_err(|error| reading(&error))
}
