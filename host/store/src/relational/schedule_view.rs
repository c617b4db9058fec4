//! Reading schedules as callers see them.

use bulkhead_core::{ScheduleName, State, TaskId};

use crate::schedule_row::ScheduleRow;
use crate::sql::Connection;
use crate::{ScheduleView, StoreError};

use super::failure::reading;
use super::place;

/// One schedule, with its task.
pub(super) fn whole(connection: &Connection, name: &ScheduleName) -> Result<Option<ScheduleView>, StoreError> {
    match ScheduleRow::load(connection, name, "").map_err(|error| reading(&error))? {
        Some(Ok(row)) => view(connection, row).map(Some).map_err(|error| reading(&error)),
        Some(Err(why)) => Err(StoreError::Database(format!("the schedule `{name}` cannot be read: {why}"))),
        None => Ok(None),
    }
}

/// All schedules by name, without their tasks; one that cannot be read is left out.
pub(super) fn list(connection: &Connection) -> Result<Vec<ScheduleView>, StoreError> {
    let all = ScheduleRow::load_all(connection, |name, row| match row {
        Ok(row) => Ok(Some(ScheduleView { task: None, ..view(connection, row)? })),
        Err(why) => {
            tracing::error!(schedule = name, why, "a schedule cannot be read; it is left out of the list");
            Ok(None)
        }
    });
    all.map_err(|error| reading(&error))
}

fn view(connection: &Connection, row: ScheduleRow) -> crate::sql::Result<ScheduleView> {
    let running = match &row.running {
        Some(task) if is_unfinished(connection, task)? => Some(task.clone()),
        _ => None,
    };
    Ok(row.view(running))
}

fn is_unfinished(connection: &Connection, task: &TaskId) -> crate::sql::Result<bool> {
    let Some(seq) = place::find(connection, task)? else { return Ok(false) };
    Ok(place::state(connection, seq)?.is_some_and(|state| !State::is_ended(state)))
}
