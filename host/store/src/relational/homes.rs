//! Where workspaces are, in tables that every host reads and writes beside the queue.

use std::collections::{BTreeSet, HashMap};

use bulkhead_core::{Home, TaskId, Timestamp};
use tokio_postgres::types::Type;

use crate::sql::{Error, OptionalExtension, Result, Row, params};
use crate::{BoxFuture, HOME_GONE_AFTER, HomeView, Homes, ReleaseFate, StoreError};

use super::failure::reading;
use super::store::DatabaseStore;

/// The server's time in milliseconds.
const NOW: &str = "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// A home, as [`view`] reads it; `n` is the number of its workspaces.
const COLUMNS: &str = "h.home, h.host, h.seen_at, h.released_at";

fn parse(text: String) -> Result<Home> {
    Home::parse(text).map_err(|error| Error::Other(format!("a home is damaged: {error}")))
}

/// Reads [`COLUMNS`], how many workspaces there are, and the time.
fn view(row: &Row<'_>) -> Result<HomeView> {
    let moment = Timestamp::from_millis;
    let (seen_at, now) = (moment(row.get(2)?), moment(row.get(5)?));
    Ok(HomeView {
        home: parse(row.get(0)?)?,
        host: row.get(1)?,
        seen_at,
        is_there: seen_at.after(HOME_GONE_AFTER) > now,
        released_at: row.get::<Option<i64>>(3)?.map(moment),
        workspaces: row.get(4)?,
    })
}

/// The number of workspaces of a home; few enough to be counted for a list that somebody looks at.
const COUNT: &str = "(SELECT count(*) FROM workspaces w WHERE w.home = h.home)";

impl Homes for DatabaseStore {
    fn tell<'a>(
        &'a self,
        home: Option<&'a Home>,
        host: &'a str,
    ) -> BoxFuture<'a, std::result::Result<BTreeSet<Home>, StoreError>> {
        let (home, host) = (home.cloned(), host.to_owned());
        Box::pin(self.readers.write(move |connection| {
            if let Some(home) = &home {
                let update = format!("UPDATE homes SET host = ?2, seen_at = {NOW} WHERE home = ?1");
                connection.execute(&update, params![home.as_str(), host])?;
            }
            let mut statement = connection.prepare_cached("SELECT home FROM homes WHERE released_at IS NOT NULL")?;
            let released: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_>>()?;
            released.into_iter().map(parse).collect()
        }))
    }

    fn homes_of(
        &self,
        workspaces: Vec<TaskId>,
    ) -> BoxFuture<'_, std::result::Result<HashMap<TaskId, HomeView>, StoreError>> {
        Box::pin(self.readers.write(move |connection| {
            let Some(client) = connection.postgres() else { return Ok(HashMap::new()) };
            let select = format!(
                "SELECT w.id, {COLUMNS}, {NOW} FROM workspaces w JOIN homes h ON h.home = w.home WHERE w.id = ANY(?1)"
            );
            let names: Vec<&str> = workspaces.iter().map(TaskId::as_str).collect();
            let rows = client.query_arrays(&select, &[(&names, Type::TEXT_ARRAY)])?;
            let mut found = HashMap::with_capacity(rows.len());
            for row in rows {
                let name: String = row.get(0);
                let Some(workspace) = workspaces.iter().find(|workspace| workspace.as_str() == name) else { continue };
                let (seen_at, now) = (Timestamp::from_millis(row.get(3)), Timestamp::from_millis(row.get(5)));
                let view = HomeView {
                    home: parse(row.get(1))?,
                    host: row.get(2),
                    seen_at,
                    is_there: seen_at.after(HOME_GONE_AFTER) > now,
                    released_at: row.get::<_, Option<i64>>(4).map(Timestamp::from_millis),
                    workspaces: 1,
                };
                found.insert(workspace.clone(), view);
            }
            Ok(found)
        }))
    }

    fn bind<'a>(
        &'a self,
        workspace: &'a TaskId,
        home: &'a Home,
        host: &'a str,
    ) -> BoxFuture<'a, std::result::Result<Option<Home>, StoreError>> {
        let (workspace, home, host) = (workspace.clone(), home.clone(), host.to_owned());
        Box::pin(self.readers.write(move |connection| {
            let insert =
                format!("INSERT INTO homes (home, host, seen_at) VALUES (?1, ?2, {NOW}) ON CONFLICT (home) DO NOTHING");
            connection.execute(&insert, params![home.as_str(), host])?;
            // One statement, so that of two hosts which bind at once one is told of the other; and none binds to a home that
            // is being released, whose row is held meanwhile.
            const BIND: &str = "WITH mine AS MATERIALIZED \
                    (SELECT home FROM homes WHERE home = ?2 AND released_at IS NULL FOR SHARE) \
                INSERT INTO workspaces (id, home) SELECT ?1, home FROM mine \
                ON CONFLICT (id) DO UPDATE SET home = workspaces.home RETURNING home";
            let bound: Option<String> = connection
                .prepare_cached(BIND)?
                .query_row(params![workspace.as_str(), home.as_str()], |row| row.get(0))
                .optional()?;
            bound.map(parse).transpose()
        }))
    }

    fn unbind<'a>(
        &'a self,
        workspace: &'a TaskId,
        home: &'a Home,
    ) -> BoxFuture<'a, std::result::Result<(), StoreError>> {
        let (workspace, home) = (workspace.clone(), home.clone());
        Box::pin(self.readers.write(move |connection| {
            let delete = "DELETE FROM workspaces WHERE id = ?1 AND home = ?2";
            connection.execute(delete, params![workspace.as_str(), home.as_str()]).map(drop)
        }))
    }

    fn homes(&self) -> BoxFuture<'_, std::result::Result<Vec<HomeView>, StoreError>> {
        Box::pin(self.readers.read(|connection| {
            let select = format!("SELECT {COLUMNS}, {COUNT}, {NOW} FROM homes h ORDER BY h.host, h.home");
            let read =
                || -> Result<Vec<HomeView>> { connection.prepare_cached(&select)?.query_map([], view)?.collect() };
            read().map_err(|error| reading(&error))
        }))
    }

    fn release<'a>(&'a self, host: &'a str) -> BoxFuture<'a, std::result::Result<ReleaseFate, StoreError>> {
        let host = host.to_owned();
        Box::pin(self.readers.write(move |connection| {
            let select = format!(
                "SELECT {COLUMNS}, {COUNT}, {NOW} FROM homes h \
                 WHERE (h.home = ?1 OR h.host = ?1) AND h.released_at IS NULL"
            );
            let named: Vec<HomeView> =
                connection.prepare_cached(&select)?.query_map([host.as_str()], view)?.collect::<Result<_>>()?;
            if named.is_empty() {
                return Ok(ReleaseFate::Unknown);
            }
            // A host of the same name may have another disk now: that one stays.
            let gone: Vec<&HomeView> = named.iter().filter(|home| !home.is_there).collect();
            if gone.is_empty() {
                return Ok(ReleaseFate::StillThere);
            }
            for home in &gone {
                let release = format!("UPDATE homes SET released_at = {NOW} WHERE home = ?1 AND released_at IS NULL");
                connection.execute(&release, [home.home.as_str()])?;
                connection.execute("DELETE FROM workspaces WHERE home = ?1", [home.home.as_str()])?;
            }
            Ok(ReleaseFate::Released { workspaces: gone.iter().map(|home| home.workspaces).sum() })
        }))
    }
}
