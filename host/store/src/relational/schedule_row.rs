//! The rows of `schedules` in SQLite.

use bulkhead_core::{ScheduleName, ScheduleSubmission, TaskId, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::schedule_row::ScheduleRow;
use crate::sql::{Connection, OptionalExtension, Row, Value};

use super::failure::Halt;

const COLUMNS: &str = "submission, made_at, paused, progress, look_at, running, last, name";

/// One row, or what is wrong with it.
pub(super) type Readable = Result<ScheduleRow, String>;

impl ScheduleRow {
    /// The row of this name, where there is one.
    pub(super) fn load(
        connection: &Connection,
        name: &ScheduleName,
        lock: &str,
    ) -> crate::sql::Result<Option<Readable>> {
        connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM schedules WHERE name = ?1{lock}"))?
            .query_row([name.as_str()], |row| Ok(Self::read(row)))
            .optional()
    }

    /// What `each` makes of every row and its name, by name; one row at a time, since payloads may be long.
    pub(super) fn load_all<T>(
        connection: &Connection,
        mut each: impl FnMut(String, Readable) -> crate::sql::Result<Option<T>>,
    ) -> crate::sql::Result<Vec<T>> {
        let select = format!("SELECT {COLUMNS} FROM schedules ORDER BY name");
        let mut statement = connection.prepare_cached(&select)?;
        let mut rows = statement.query([])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.extend(each(row.get(7).unwrap_or_default(), Self::read(&row))?);
        }
        Ok(all)
    }

    fn read(row: &Row<'_>) -> Readable {
        let column = |error: crate::sql::Error| error.to_string();
        let running: Option<String> = row.get(5).map_err(column)?;
        let submission: ScheduleSubmission = json(&row.get::<String>(0).map_err(column)?, "submission")?;
        if row.get::<String>(7).map_err(column)? != submission.name.as_str() {
            return Err(format!("submission: it is of `{}`", submission.name));
        }
        Ok(Self {
            submission,
            made_at: Timestamp::from_millis(row.get(1).map_err(column)?),
            paused: row.get(2).map_err(column)?,
            progress: json(&row.get::<String>(3).map_err(column)?, "progress")?,
            look_at: row.get::<Option<i64>>(4).map_err(column)?.map(Timestamp::from_millis),
            running: running.map(TaskId::parse).transpose().map_err(|error| format!("running: {error}"))?,
            last: row.get::<Option<String>>(6).map_err(column)?.map(|last| json(&last, "last")).transpose()?,
        })
    }

    /// Writes the row whole, new or over the one that was there.
    pub(super) fn save(&self, connection: &Connection) -> Result<(), Halt> {
        const SAVE: &str = "INSERT INTO schedules \
            (name, paused, progress, look_at, running, last, submission, made_at) \
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
            ON CONFLICT (name) DO UPDATE SET paused = excluded.paused, progress = excluded.progress, \
            look_at = excluded.look_at, running = excluded.running, last = excluded.last, \
            submission = excluded.submission, made_at = excluded.made_at";
        let mut values = self.progress_values()?;
        values.extend([Value::Text(text(&self.submission)?), Value::Integer(self.made_at.as_millis())]);
        connection.execute(SAVE, values)?;
        Ok(())
    }

    /// Writes what changes from tick to tick.
    pub(super) fn save_progress(&self, connection: &Connection) -> Result<(), Halt> {
        const SAVE: &str = "UPDATE schedules SET paused = ?2, progress = ?3, look_at = ?4, running = ?5, last = ?6 \
            WHERE name = ?1";
        connection.execute(SAVE, self.progress_values()?)?;
        Ok(())
    }

    /// The name, and what changes from tick to tick.
    fn progress_values(&self) -> Result<Vec<Value>, Halt> {
        let or_null = |text: Option<String>| text.map_or(Value::Null, Value::Text);
        Ok(vec![
            Value::Text(self.submission.name.as_str().to_owned()),
            Value::Bool(self.paused),
            Value::Text(text(&self.progress)?),
            self.look_at.map_or(Value::Null, |moment| Value::Integer(moment.as_millis())),
            or_null(self.running.as_ref().map(|task| task.as_str().to_owned())),
            or_null(self.last.as_ref().map(text).transpose()?),
        ])
    }
}

fn json<T: DeserializeOwned>(text: &str, column: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| format!("{column}: {error}"))
}

fn text(value: &impl Serialize) -> Result<String, Halt> {
    serde_json::to_string(value).map_err(|error| Halt::Row(error.to_string()))
}
