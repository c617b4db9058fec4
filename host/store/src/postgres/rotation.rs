//! Emptying the queue's table where nothing can be vacuumed.
//!
//! A row that is removed stays in its file until a vacuum clears it away, which it cannot as long as anybody holds a
//! transaction open that is older. So `ready` has two parts: new rows go into one until it has grown, then into the other;
//! what is left in the first is taken, or moved when little of it is left, and its file is truncated, whoever holds what
//! open. The idea is that of PgQ, the queue of Skype.

use std::time::Duration;

use crate::sql::{Error, Result};

use super::client::{Client, Prepared};

/// What an empty part has at most.
const EMPTY: i64 = 64 << 10;

/// So many rows are moved at most; where more are left, they are waited for.
const MOVED: i64 = 10_000;

/// How many pages of a part are its last.
const TAIL: i64 = 1_000;

/// No other transaction is waited for longer than this, and none waits longer for it.
const WAIT: &str = "SET LOCAL lock_timeout = '50ms'; SET LOCAL enable_seqscan = on";

/// What holds off other hosts that rotate.
const ONE_AT_A_TIME: &str = "SELECT pg_try_advisory_xact_lock(1112295498, hashtext(current_schema()))";

/// When it is looked at again.
const SOON: Duration = Duration::from_secs(1);
const LATER: Duration = Duration::from_secs(15);
const NEVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// What is to be done about the two parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Nothing,
    /// The other part takes the new rows.
    Switch,
    /// What is left in the other part is moved, and its file truncated.
    Clear,
}

/// By the bytes of the part that takes new rows, and of the other; so many are enough.
const fn step(taking: i64, other: i64, enough: i64) -> Step {
    if other > EMPTY {
        Step::Clear
    } else if taking > enough {
        Step::Switch
    } else {
        Step::Nothing
    }
}

/// Does what is to be done about the parts, and says how long it is until that should be asked again.
pub(crate) fn rotate(client: &Client, part_size: u64) -> Duration {
    match try_rotate(client, i64::try_from(part_size).unwrap_or(i64::MAX)) {
        Ok(wait) => wait,
        Err(error) => {
            let _ = client.rollback();
            match error {
                // Somebody holds it, such as a backup.
                Error::Raced(_) | Error::Gone(_) | Error::Full => LATER,
                // The role may not, as where it does not own the tables.
                Error::Refused(words) | Error::Other(words) => {
                    tracing::warn!(error = words, "the queue's table is left to vacuum alone");
                    NEVER
                }
                Error::NoRow => NEVER,
            }
        }
    }
}

fn try_rotate(client: &Client, enough: i64) -> Result<Duration> {
    const LOOK: &str = "SELECT value, pg_total_relation_size('ready_0'), pg_total_relation_size('ready_1') \
        FROM meta WHERE name = 'ready_part'";
    let rows = client.query_arrays(LOOK, &[])?;
    let row = rows.first().ok_or(Error::NoRow)?;
    let (part, sizes): (i64, [i64; 2]) = (row.get(0), [row.get(1), row.get(2)]);
    let (taking, other) = if part == 0 { (sizes[0], sizes[1]) } else { (sizes[1], sizes[0]) };
    let statements = match step(taking, other, enough) {
        Step::Nothing => return Ok(SOON),
        Step::Switch => {
            let other = 1 - part;
            format!(
                "ALTER TABLE ready ALTER COLUMN part SET DEFAULT {other}; \
                 UPDATE meta SET value = {other} WHERE name = 'ready_part'"
            )
        }
        Step::Clear => {
            let old = format!("ready_{}", 1 - part);
            if !few_left(client, &old)? {
                return Ok(LATER);
            }
            format!(
                "LOCK TABLE {old} IN ACCESS EXCLUSIVE MODE; \
                 INSERT INTO ready (route, rank, due, seq, flags) SELECT route, rank, due, seq, flags FROM {old}; \
                 TRUNCATE {old}"
            )
        }
    };
    client.begin_with(WAIT)?;
    if !client.query_arrays(ONE_AT_A_TIME, &[])?.first().is_some_and(|row| row.get(0)) {
        return client.rollback().map(|()| SOON);
    }
    // Another host may have done it meanwhile.
    let again = client.query_arrays(LOOK, &[])?;
    if again.first().is_none_or(|row| row.get::<_, i64>(0) != part) {
        return client.rollback().map(|()| SOON);
    }
    client.batch(&statements)?;
    client.commit().map(|()| SOON)
}

/// Whether so few rows are left in a part that they can be moved.
///
/// Its last pages are looked at first: where any row is left there of a long queue, the others need not be passed over,
/// which are gone for the most part.
fn few_left(client: &Client, part: &str) -> Result<bool> {
    client.begin_with(WAIT)?;
    let pages: i64 =
        one(client, &format!("SELECT pg_relation_size('{part}') / current_setting('block_size')::bigint"))?;
    let tail = (pages - TAIL).max(0);
    let count = |from: i64| {
        let rows = format!("SELECT 1 FROM {part} WHERE ctid >= '({from},0)' LIMIT {}", MOVED + 1);
        one(client, &format!("SELECT count(*) FROM ({rows}) AS counted"))
    };
    let few = match (tail, count(tail)?) {
        (0, left) => left <= MOVED,
        (_, 0) => count(0)? <= MOVED,
        _ => false,
    };
    client.rollback()?;
    Ok(few)
}

/// The number that a statement gives; its text is another each time, so it is not kept.
fn one(client: &Client, text: &str) -> Result<i64> {
    let rows = client.query_prepared(&Prepared::Text(text.to_owned()), &[])?;
    rows.first().map(|row| row.get(0)).ok_or(Error::NoRow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_cleared_before_the_other_is_left() {
        let enough = 1 << 20;
        assert_eq!(step(0, 0, enough), Step::Nothing);
        assert_eq!(step(enough + 1, 16 << 10, enough), Step::Switch);
        assert_eq!(step(enough + 1, EMPTY + 1, enough), Step::Clear);
        assert_eq!(step(0, EMPTY + 1, enough), Step::Clear);
    }
}
