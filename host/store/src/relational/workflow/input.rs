//! The input of a workflow, which stands for the payload of its steps.

use bulkhead_core::{JsonText, TaskId};

use super::begin::find;
use crate::sql::{Connection, OptionalExtension};

/// The input of a workflow; `null` where the workflow is gone.
pub(in crate::relational) fn input_of(connection: &Connection, workflow: &TaskId) -> crate::sql::Result<JsonText> {
    let Some(seq) = find(connection, workflow)? else { return Ok(JsonText::null()) };
    let input = connection
        .prepare_cached("SELECT input FROM workflows WHERE seq = ?1")?
        .query_row([seq.0], |row| Ok(JsonText::from_trusted(row.get_ref(0)?.as_str()?)))
        .optional()?;
    Ok(input.unwrap_or_else(JsonText::null))
}
