//! The partitions of what tasks leave behind: when the next is begun, and when the oldest is folded.
//!
//! Tasks are kept by their numbers, so a partition holds those that were submitted in one stretch of time. Once a
//! partition is over but for few of its tasks, those are moved to the partition of old ones, and it is dropped, which
//! costs the same however many it held and needs no vacuum. Where the next begins, the sequence of numbers jumps to it.

use std::ops::RangeInclusive;
use std::time::Duration;

use bulkhead_core::{Retention, Timestamp, overdue_by};
use tokio_postgres::types::Type;

use crate::StoreError;
use crate::sql::{Error, Result};

use super::client::Client;
use super::failure::words;
use super::folding::{Fold, Folded, fold};
use super::settings::PostgresSettings;

/// The tables that have partitions.
pub(super) const TABLES: [&str; 5] = ["tasks", "ended", "attempts", "logs", "audits"];

/// The numbers that a partition has room for.
const ROOM: i64 = 1 << 28;

/// So many are given out of it at most before the next is begun: it can then be folded in some seconds.
const NUMBERS: i64 = 4_000_000;

/// More closed partitions than this are not waited for: the oldest is folded, whatever is left of it.
const CLOSED: i64 = 48;

/// How long a partition takes new tasks, at least and at most.
const LENGTH: RangeInclusive<Duration> = Duration::from_secs(15 * 60)..=Duration::from_secs(24 * 3600);

/// When it is looked at again.
const SOON: Duration = Duration::from_secs(15);
const NEVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// Only one host at a time changes the partitions.
pub(super) const ONE_AT_A_TIME: &str = "SELECT pg_try_advisory_xact_lock(1112295499, hashtext(current_schema()))";

/// The partitions as they are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Found {
    /// The one that takes new tasks, and since when.
    newest: i64,
    since: Timestamp,
    /// The oldest, and when it is to be looked at.
    oldest: i64,
    look_at: Timestamp,
    /// The number that was given last.
    last_number: i64,
}

/// What is to be done about the partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Nothing,
    /// The next one takes new tasks.
    Begin,
    /// The oldest is folded, whatever is left of it where that is said.
    Fold {
        whatever: bool,
    },
}

/// What is to be done at this moment, where a partition takes new tasks for so long.
fn step(found: Found, now: Timestamp, length: Duration) -> Step {
    let taken = found.last_number - first_number(found.newest);
    if taken >= NUMBERS || (taken > 0 && found.since.after(length) <= now) {
        Step::Begin
    } else if found.oldest < found.newest && found.look_at <= now {
        Step::Fold { whatever: found.newest - found.oldest > CLOSED }
    } else {
        Step::Nothing
    }
}

/// The number before the first that a partition holds but for the very first one.
pub(crate) const fn first_number(partition: i64) -> i64 {
    partition * ROOM
}

/// How long a partition takes new tasks: a small part of the time for which they are kept.
fn length(retention: &Retention) -> Duration {
    overdue_by(retention.succeeded.duration(), LENGTH)
}

/// Looks after the partitions for one host.
#[derive(Debug)]
pub(crate) struct Partitions {
    settings: PostgresSettings,
    /// When they are looked at, in time since boot.
    look_at: Duration,
    folding: Option<std::thread::JoinHandle<std::result::Result<Folded, StoreError>>>,
}

impl Partitions {
    pub(crate) fn new(settings: &PostgresSettings) -> Self {
        Self { settings: settings.clone(), look_at: Duration::ZERO, folding: None }
    }

    /// Does what is to be done about the partitions. What takes long is done on a thread of its own; who asks for everything
    /// that is due waits for it.
    pub(crate) fn tend(&mut self, client: &Client, now: Timestamp, boot: Duration, asked: bool) {
        if self.look_at > boot && !asked {
            return;
        }
        loop {
            if let Some(folding) = self.folding.take_if(|folding| asked || folding.is_finished()) {
                self.learn(folding.join(), now);
            }
            if self.folding.is_some() {
                break;
            }
            match self.try_step(client, now) {
                // What follows may be due as well.
                Ok(Step::Begin) => {}
                Ok(Step::Fold { .. }) if asked => {}
                Ok(_) => break,
                Err(error) => {
                    let _ = client.rollback();
                    if let Error::Refused(words) | Error::Other(words) = error {
                        tracing::warn!(error = words, "ended tasks are left to be removed one by one");
                        self.look_at = boot + NEVER;
                        return;
                    }
                    break;
                }
            }
        }
        self.look_at = boot + SOON;
    }

    fn learn(&self, folded: std::thread::Result<std::result::Result<Folded, StoreError>>, now: Timestamp) {
        match folded {
            Ok(Ok(folded)) => tracing::debug!(?folded, at = now.as_millis(), "looked at the oldest partition"),
            Ok(Err(error)) => tracing::warn!(%error, "the oldest partition cannot be folded yet; it is tried again"),
            Err(_) => tracing::error!("folding a partition panicked; it is tried again"),
        }
    }

    fn try_step(&mut self, client: &Client, now: Timestamp) -> Result<Step> {
        let retention = &self.settings.queue.retention;
        let found = find(client, now)?;
        let step = step(found, now, length(retention));
        match step {
            Step::Nothing => {}
            Step::Begin => begin(client, found, now, retention.succeeded.duration())?,
            Step::Fold { whatever } => {
                let number = found.oldest;
                // However it goes, the next look is no sooner than that, whichever host has it.
                if !postpone(client, number, now, now.after(retention.look_every()))? {
                    return Ok(Step::Nothing);
                }
                let (settings, fold_it) = (self.settings.clone(), Fold { number, now, whatever });
                let spawned = std::thread::Builder::new().name("partitions".to_owned());
                let spawned = spawned.spawn(move || fold_apart(&settings, fold_it));
                self.folding = Some(spawned.map_err(|error| Error::Gone(error.to_string()))?);
            }
        }
        Ok(step)
    }
}

fn fold_apart(settings: &PostgresSettings, fold_it: Fold) -> std::result::Result<Folded, StoreError> {
    let failed = |reason: String| StoreError::Database(reason);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| failed(format!("no runtime for a connection: {error}")))?;
    runtime.block_on(async {
        let mut client = settings.connect().await?;
        fold(&mut client, &settings.queue, fold_it).await.map_err(|error| failed(words(&error)))
    })
}

fn find(client: &Client, now: Timestamp) -> Result<Found> {
    const LOOK: &str = "SELECT newest.number, coalesce(newest.since, ?1), oldest.number, coalesce(oldest.look_at, 0), \
        (SELECT last_value FROM task_numbers) \
        FROM (SELECT number, since FROM partitions ORDER BY number DESC LIMIT 1) AS newest, \
        (SELECT number, look_at FROM partitions ORDER BY number LIMIT 1) AS oldest";
    // The first was made before there was any time.
    client.execute(&client.prepared("UPDATE partitions SET since = ?1 WHERE since IS NULL")?, &[&now.as_millis()])?;
    let rows = client.query_arrays(LOOK, &[(&now.as_millis(), Type::INT8)])?;
    let row = rows.first().ok_or(Error::NoRow)?;
    let time = |place: usize| Timestamp::from_millis(row.get(place));
    Ok(Found { newest: row.get(0), since: time(1), oldest: row.get(2), look_at: time(3), last_number: row.get(4) })
}

/// Has the next partition take new tasks, and makes the one after it; another host may have done so meanwhile.
fn begin(client: &Client, found: Found, now: Timestamp, kept: Duration) -> Result<()> {
    let (next, after) = (found.newest + 1, found.newest + 2);
    client.begin_with("SET LOCAL lock_timeout = '1s'")?;
    let alone = client.query_arrays(ONE_AT_A_TIME, &[])?.first().is_some_and(|row| row.get(0));
    if !alone || find(client, now)?.newest != found.newest {
        return client.rollback();
    }
    for table in TABLES {
        client.batch(&format!(
            "CREATE TABLE {table}_{after} (LIKE {table} INCLUDING DEFAULTS INCLUDING INDEXES INCLUDING STORAGE); \
             ALTER TABLE {table} ATTACH PARTITION {table}_{after} FOR VALUES FROM ({}) TO ({})",
            first_number(after),
            first_number(after + 1),
        ))?;
    }
    let (first, now, look_at) = (first_number(next), now.as_millis(), found.since.after(kept).as_millis());
    // The sequence jumps even if this is rolled back: the partition has long been there.
    client.batch(&format!(
        "UPDATE partitions SET look_at = {look_at} WHERE number = {}; \
         INSERT INTO partitions (number, since) VALUES ({next}, {now}); \
         SELECT setval('task_numbers', {first}) FROM task_numbers WHERE last_value < {first}",
        found.newest
    ))?;
    client.commit()
}

/// Whether nobody else has put the look at a partition off.
fn postpone(client: &Client, number: i64, now: Timestamp, until: Timestamp) -> Result<bool> {
    const UPDATE: &str = "UPDATE partitions SET look_at = ?3 WHERE number = ?1 AND coalesce(look_at, 0) <= ?2";
    let changed = client.execute(&client.prepared(UPDATE)?, &[&number, &now.as_millis(), &until.as_millis()])?;
    Ok(changed > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn at(hours: u32) -> Timestamp {
        Timestamp::from_millis(0).after(HOUR * hours)
    }

    #[test]
    fn the_next_is_begun_where_tasks_came_for_long_enough_or_many_of_them() {
        let found = Found { newest: 3, since: at(1), oldest: 3, look_at: at(0), last_number: first_number(3) };
        assert_eq!(step(found, at(9), HOUR), Step::Nothing, "nothing was submitted");
        let some = Found { last_number: first_number(3) + 1, ..found };
        assert_eq!(step(some, at(1), HOUR), Step::Nothing);
        assert_eq!(step(some, at(2), HOUR), Step::Begin);
        let many = Found { last_number: first_number(3) + NUMBERS, ..found };
        assert_eq!(step(many, at(1), HOUR), Step::Begin);
    }

    #[test]
    fn the_oldest_is_folded_in_its_time_and_never_the_one_that_takes_tasks() {
        let found = Found { newest: 4, since: at(25), oldest: 3, look_at: at(26), last_number: first_number(4) };
        assert_eq!(step(found, at(25), HOUR), Step::Nothing);
        assert_eq!(step(found, at(26), HOUR), Step::Fold { whatever: false });
        let only = Found { newest: 3, last_number: first_number(3), ..found };
        assert_eq!(step(only, at(26), HOUR), Step::Nothing);
        let backlog = Found { newest: 3 + CLOSED + 1, last_number: first_number(3 + CLOSED + 1), ..found };
        assert_eq!(step(backlog, at(26), HOUR), Step::Fold { whatever: true });
    }
}
