//! The input of a workflow, which stands for the payload of its steps.

use bulkhead_core::{JsonText, TaskId};

use super::super::ids;
use super::begin::find;
use crate::sql::{Connection, OptionalExtension, Row, params};

/// The input of a workflow; `null` where the workflow is gone.
pub(in crate::relational) fn input_of(connection: &Connection, workflow: &TaskId) -> crate::sql::Result<JsonText> {
    const GUESSED: &str = "SELECT input FROM workflows WHERE seq = ?1 AND id = ?2";
    const FOUND: &str = "SELECT input FROM workflows WHERE seq = ?1";
    let read = |row: &Row<'_>| Ok(JsonText::from_trusted(row.get_ref(0)?.as_str()?));
    // Every step is claimed with it: one question where the name says which row it is.
    if let Some((seq, uuid)) = ids::seq_of(workflow) {
        let values = params![seq.0, &uuid.as_bytes()[..]];
        let input = connection.prepare_cached(GUESSED)?.query_row(values, read).optional()?;
        if let Some(input) = input {
            return Ok(input);
        }
    }
    let Some(seq) = find(connection, workflow)? else { return Ok(JsonText::null()) };
    let input = connection.prepare_cached(FOUND)?.query_row([seq.0], read).optional()?;
    Ok(input.unwrap_or_else(JsonText::null))
}
