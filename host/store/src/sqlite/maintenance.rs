//! What operators do with a store that is not the host's own work: check it, copy it, bring its schema up to date.

use std::path::Path;

use rusqlite::Connection;

use crate::StoreError;
use crate::relational::PLACE_TABLES;

use super::failure::opening;
use super::lock_file::LockFile;
use super::open;
use super::settings::SqliteSettings;

/// The most problems that are told one by one.
const MOST: usize = 100;

/// Brings the schema of a store up to date, where no host has it open, and gives the version that it then has. Makes the
/// store where there is none.
pub fn migrate(path: &Path) -> Result<i64, StoreError> {
    let _lock = LockFile::acquire(path)?;
    open::writer(&SqliteSettings::at(path))?.close().map_err(|(_, error)| opening(path, &error))?;
    Ok(super::schema::SCHEMA_VERSION)
}

/// Looks whether a store is whole: the database itself, and that each task is in one place. Gives what is wrong, for
/// people; a host may run meanwhile.
pub fn check(path: &Path) -> Result<Vec<String>, StoreError> {
    let failed = |error: rusqlite::Error| opening(path, &error);
    let connection = read(path)?;
    let mut problems: Vec<String> = {
        let mut statement = connection.prepare(&format!("PRAGMA integrity_check({MOST})")).map_err(failed)?;
        let rows = statement.query_map([], |row| row.get(0)).map_err(failed)?;
        rows.collect::<rusqlite::Result<_>>().map_err(failed)?
    };
    problems.retain(|problem| problem != "ok");
    if problems.is_empty() {
        problems = misplaced(&connection).map_err(failed)?;
    }
    Ok(problems)
}

/// Copies a store as it stands now into a new file; a host may run meanwhile.
pub fn backup(path: &Path, to: &Path) -> Result<(), StoreError> {
    let failed = |error: rusqlite::Error| opening(path, &error);
    if to.exists() {
        let message = format!("`{}` is there already; name a new file", to.display());
        return Err(StoreError::Database(message));
    }
    let target = to.to_str().ok_or_else(|| StoreError::Database("the name of the copy is no UTF-8".to_owned()))?;
    let connection = read(path)?;
    // The connection cannot write to the store in any case; this lets it write to the copy.
    connection.pragma_update(None, "query_only", false).map_err(failed)?;
    connection.execute("VACUUM INTO ?1", [target]).map_err(failed)?;
    // On the disk before anybody relies on it.
    std::fs::File::open(to).and_then(|file| file.sync_all()).map_err(|error| StoreError::Database(error.to_string()))
}

fn read(path: &Path) -> Result<Connection, StoreError> {
    if !path.exists() {
        return Err(StoreError::Database(format!("there is no store `{}`", path.display())));
    }
    open::reader(path)
}

/// Tasks in two places, and places without a task.
fn misplaced(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let union = PLACE_TABLES.map(|table| format!("SELECT seq, '{table}' AS place FROM {table}")).join(" UNION ALL ");
    let twice = format!(
        "SELECT 'task ' || seq || ' is in ' || group_concat(place, ' and ') FROM ({union}) \
         GROUP BY seq HAVING count(*) > 1 LIMIT {MOST}"
    );
    let orphans = format!(
        "SELECT place || ' names task ' || seq || ', which is not there' FROM ({union}) \
         WHERE seq NOT IN (SELECT seq FROM tasks) LIMIT {MOST}"
    );
    let mut problems = Vec::new();
    for question in [twice, orphans] {
        let mut statement = connection.prepare(&question)?;
        let found = statement.query_map([], |row| row.get::<_, String>(0))?;
        problems.extend(found.collect::<rusqlite::Result<Vec<_>>>()?);
    }
    Ok(problems)
}
