//! Routes, handler versions and worker names as numbers.

use std::collections::HashMap;
use std::sync::Arc;

use bulkhead_core::{HandlerVersion, Home, Kind, Route, TagSet};

use super::failure::Halt;
use super::slot::RouteId;
use crate::sql::{Connection, Error, OptionalExtension, params};

/// What the tag of a home begins with.
pub(super) const HOME_MARK: char = '@';

/// A route in memory.
#[derive(Debug)]
pub(super) struct KnownRoute {
    pub(super) route: Arc<Route>,
    /// Tasks in ready, delayed, parked and alone.
    pub(super) pending: i64,
}

/// The routes in memory: all that hold tasks, and some that did.
#[derive(Debug, Default)]
pub(super) struct Routes {
    numbers: HashMap<Arc<Route>, RouteId>,
    known: HashMap<RouteId, KnownRoute>,
}

impl Routes {
    pub(super) fn number(&self, route: &Route) -> Option<RouteId> {
        self.numbers.get(route).copied()
    }

    pub(super) fn get(&self, id: RouteId) -> Option<&KnownRoute> {
        self.known.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: RouteId) -> Option<&mut KnownRoute> {
        self.known.get_mut(&id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (RouteId, &KnownRoute)> {
        self.known.iter().map(|(id, known)| (*id, known))
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    pub(super) fn remember(&mut self, id: RouteId, route: Arc<Route>) {
        self.numbers.insert(Arc::clone(&route), id);
        self.known.entry(id).or_insert(KnownRoute { route, pending: 0 });
    }

    pub(super) fn forget(&mut self, id: RouteId) {
        if let Some(known) = self.known.remove(&id) {
            self.numbers.remove(&known.route);
        }
    }

    /// Routes that hold nothing.
    pub(super) fn idle(&self) -> Vec<RouteId> {
        self.known.iter().filter(|(_, known)| known.pending <= 0).map(|(id, _)| *id).collect()
    }
}

/// The number of a route in the database; made where absent. The flag says that it was made.
pub(super) fn route_number(connection: &Connection, route: &Route) -> Result<(RouteId, bool), Halt> {
    let requires = write_tags(route);
    let find = || {
        connection
            .prepare_cached("SELECT id FROM routes WHERE kind = ?1 AND requires = ?2")?
            .query_row(params![route.kind.as_str(), requires], |row| row.get(0))
            .optional()
    };
    if let Some(id) = find()? {
        return Ok((RouteId(id), false));
    }
    let made = connection
        .prepare_cached(
            "INSERT INTO routes (kind, requires) VALUES (?1, ?2) ON CONFLICT (kind, requires) DO NOTHING RETURNING id",
        )?
        .query_row(params![route.kind.as_str(), requires], |row| row.get(0))
        .optional()?;
    match made {
        Some(id) => Ok((RouteId(id), true)),
        // Another host was quicker: its row is there now.
        None => find().map_err(Halt::from)?.map(|id| (RouteId(id), false)).ok_or(Halt::Raced),
    }
}

/// The route of a number.
pub(super) fn route_of(connection: &Connection, id: RouteId) -> crate::sql::Result<Route> {
    connection.prepare_cached("SELECT kind, requires FROM routes WHERE id = ?1")?.query_row([id], |row| {
        let (kind, requires): (String, String) = (row.get(0)?, row.get(1)?);
        read_route(kind, &requires)
    })
}

/// A route as its row has it.
pub(super) fn read_route(kind: String, requires: &str) -> crate::sql::Result<Route> {
    let kind = Kind::parse(kind).map_err(|error| Error::Other(format!("a route is damaged: {error}")))?;
    let damaged = |error: &dyn std::fmt::Display| Error::Other(format!("a route is damaged: {error}"));
    let (homes, tags): (Vec<&str>, Vec<&str>) =
        requires.split_ascii_whitespace().partition(|word| word.starts_with(HOME_MARK));
    let requires = TagSet::parse(tags).map_err(|error| damaged(&error))?;
    let home = homes.first().map(|word| Home::parse(word.trim_start_matches(HOME_MARK)));
    Ok(Route { kind, requires, home: home.transpose().map_err(|error| damaged(&error))? })
}

/// The tags of a route as its row has them: that of its home among them, which begins as no caller's can.
fn write_tags(route: &Route) -> String {
    let mut words = route.requires.to_string();
    if let Some(home) = &route.home {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push(HOME_MARK);
        words.push_str(home.as_str());
    }
    words
}

/// Numbers of handler versions and worker names that were used lately.
#[derive(Debug, Default)]
pub(super) struct Names {
    versions: HashMap<HandlerVersion, i64>,
    /// Runs of one version follow each other; the same `Arc` needs no hashing.
    latest: Option<(Arc<HandlerVersion>, i64)>,
    workers: HashMap<Arc<str>, i64>,
}

/// Versions and names remembered at once; beyond that they are looked up anew.
const MAX_NAMES: usize = 4_096;

impl Names {
    /// Forgets what was remembered, since what it came from was rolled back.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn version(&mut self, connection: &Connection, version: &Arc<HandlerVersion>) -> Result<i64, Halt> {
        if let Some((latest, id)) = &self.latest
            && Arc::ptr_eq(latest, version)
        {
            return Ok(*id);
        }
        let id = match self.versions.get(&**version) {
            Some(id) => *id,
            None => {
                let (name, digest) = (version.name.as_str(), &version.digest.as_bytes()[..]);
                let id = interned(
                    connection,
                    "SELECT id FROM versions WHERE handler = ?1 AND digest = ?2",
                    "INSERT INTO versions (handler, digest) VALUES (?1, ?2) ON CONFLICT (handler, digest) DO NOTHING RETURNING id",
                    params![name, digest],
                )?;
                if self.versions.len() >= MAX_NAMES {
                    self.versions.clear();
                }
                self.versions.insert((**version).clone(), id);
                id
            }
        };
        self.latest = Some((Arc::clone(version), id));
        Ok(id)
    }

    pub(super) fn worker(&mut self, connection: &Connection, name: &Arc<str>) -> Result<i64, Halt> {
        if let Some(id) = self.workers.get(name) {
            return Ok(*id);
        }
        let id = interned(
            connection,
            "SELECT id FROM workers WHERE name = ?1",
            "INSERT INTO workers (name) VALUES (?1) ON CONFLICT (name) DO NOTHING RETURNING id",
            params![&**name],
        )?;
        if self.workers.len() >= MAX_NAMES {
            self.workers.clear();
        }
        self.workers.insert(Arc::clone(name), id);
        Ok(id)
    }
}

fn interned(
    connection: &Connection,
    select: &str,
    insert: &str,
    values: &[&dyn crate::sql::ToSql],
) -> Result<i64, Halt> {
    // Another host may be quicker: then its row is there after that.
    for statement in [select, insert, select] {
        let found = connection.prepare_cached(statement)?.query_row(values, |row| row.get(0)).optional()?;
        if let Some(id) = found {
            return Ok(id);
        }
    }
    Err(Halt::Raced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_read_as_it_was_written() {
        let kind = Kind::parse("RENDER").unwrap();
        let home = Some(Home::parse("0123456789abcdef").unwrap());
        for (tags, home) in [(vec![], None), (vec![], home.clone()), (vec!["cpu", "gpu"], home), (vec!["cpu"], None)] {
            let route = Route { kind: kind.clone(), requires: TagSet::parse(tags).unwrap(), home };
            assert_eq!(read_route(kind.as_str().to_owned(), &write_tags(&route)).unwrap(), route);
        }
        assert!(read_route("RENDER".to_owned(), "cpu @nowhere").is_err());
    }
}
