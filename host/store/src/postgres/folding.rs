//! Folding a partition: what is left of it moves to the partition of old tasks, and it is dropped with the rest.

use bulkhead_core::{State, Timestamp};
use tokio_postgres::{Client, Error, Transaction};

use crate::QueueSettings;
use crate::ending::state_number;
use crate::relational::KeptTold;

use super::partitions::{ONE_AT_A_TIME, TABLES, first_number};
use super::transaction::HOLD;

/// So many tasks are moved at most; where more are left, they are waited for.
const MOVED: i64 = 100_000;

/// A partition that is to be folded, at this moment, whatever is left of it where that is said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fold {
    pub(super) number: i64,
    pub(super) now: Timestamp,
    pub(super) whatever: bool,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Folded {
    /// It is gone; so many tasks of it were moved.
    Done { moved: i64 },
    /// Too much is left of it.
    Crowded,
    /// Something was changed meanwhile, or another host is at it.
    Not,
}

/// What holds for these transactions: questions about whole partitions, which no reader is kept waiting for long.
const BEGIN: &str = "SET LOCAL enable_seqscan = on; SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on; \
    SET LOCAL work_mem = '64MB'; SET LOCAL client_min_messages = warning; SET LOCAL lock_timeout = '500ms'; \
    SET LOCAL idle_in_transaction_session_timeout = '8s'";

/// Other hosts wait eight seconds for a lock at most, and hold what we want for less.
const UNDER_LOCK: &str = "SET LOCAL statement_timeout = '6s'";

/// Folds a partition, where little enough is left of it.
pub(super) async fn fold(client: &mut Client, settings: &QueueSettings, fold: Fold) -> Result<Folded, Error> {
    let Fold { number, whatever, .. } = fold;
    let transaction = begin(client).await?;
    if !is_true(&transaction, ONE_AT_A_TIME).await? {
        return Ok(Folded::Not);
    }
    find_over(&transaction, settings, fold).await?;
    let left = format!(
        "SELECT count(*) FROM (SELECT FROM tasks_{number} t \
         WHERE NOT EXISTS (SELECT FROM over_tasks o WHERE o.seq = t.seq) LIMIT {}) AS few",
        MOVED + 1
    );
    let moved: i64 = transaction.query_one(&left, &[]).await?.get(0);
    if moved > MOVED && !whatever {
        return Ok(Folded::Crowded);
    }
    // It may be much. Where the partition is not folded after all, this is passed over the next time.
    transaction.batch_execute(&take_over(fold, settings)).await?;
    transaction.commit().await?;
    make_room(client, number).await?;

    let transaction = begin(client).await?;
    if !is_true(&transaction, ONE_AT_A_TIME).await? {
        return Ok(Folded::Not);
    }
    find_over(&transaction, settings, fold).await?;
    // From here on nothing in it changes; what did since it was looked at is found.
    let parts = TABLES.map(|table| format!("{table}_{number}")).join(", ");
    transaction.batch_execute(&format!("{UNDER_LOCK}; LOCK TABLE {parts} IN SHARE MODE")).await?;
    let changed = format!(
        "SELECT EXISTS (SELECT FROM over_tasks o WHERE NOT EXISTS \
         (SELECT FROM ended_{number} e WHERE e.seq = o.seq AND e.state = o.state AND e.ended_at = o.ended_at))"
    );
    if is_true(&transaction, &changed).await? {
        return Ok(Folded::Not);
    }
    transaction.batch_execute(&forget(number, settings)).await?;
    transaction.batch_execute(&set_aside(number)).await?;
    transaction.batch_execute(&drop_it(number)).await?;
    transaction.commit().await?;
    Ok(Folded::Done { moved })
}

async fn begin(client: &mut Client) -> Result<Transaction<'_>, Error> {
    let transaction = client.transaction().await?;
    transaction.batch_execute(BEGIN).await?;
    Ok(transaction)
}

async fn is_true(transaction: &Transaction<'_>, question: &str) -> Result<bool, Error> {
    Ok(transaction.query_one(question, &[]).await?.get(0))
}

/// Notes which tasks of the partition are over: those whose time is, but for children whose parents stay.
async fn find_over(transaction: &Transaction<'_>, settings: &QueueSettings, fold: Fold) -> Result<(), Error> {
    let Fold { number, now, .. } = fold;
    let over: Vec<String> = State::ALL
        .iter()
        .filter_map(|state| {
            let until = now.before(settings.retention.kept(*state)?.duration()).as_millis();
            Some(format!("(state = {} AND ended_at <= {until})", state_number(*state)))
        })
        .collect();
    transaction
        .batch_execute(&format!(
            "CREATE TEMPORARY TABLE over_tasks ON COMMIT DROP AS \
             SELECT seq, state, ended_at FROM ended_{number} WHERE {}; ANALYZE over_tasks",
            over.join(" OR ")
        ))
        .await?;
    // A later step may ask how one ended, and somebody may ask for the workflow.
    transaction.execute("DELETE FROM over_tasks o USING steps s WHERE s.seq = o.seq", &[]).await?;
    // One generation each time.
    let stays = "DELETE FROM over_tasks o USING kin k WHERE k.child = o.seq \
                 AND NOT EXISTS (SELECT FROM over_tasks p WHERE p.seq = k.parent)";
    while transaction.execute(stays, &[]).await? > 0 {}
    Ok(())
}

/// Lets the partition of old tasks reach up to the end of this one: that it does is found out beforehand, since nobody can
/// read it while it is attached again.
async fn make_room(client: &mut Client, number: i64) -> Result<(), Error> {
    let end = first_number(number + 1);
    let transaction = begin(client).await?;
    for table in TABLES {
        let constrain = format!(
            "ALTER TABLE {table}_old DROP CONSTRAINT IF EXISTS below; \
             ALTER TABLE {table}_old ADD CONSTRAINT below CHECK (seq < {end}) NOT VALID"
        );
        transaction.batch_execute(&constrain).await?;
    }
    transaction.commit().await?;
    let transaction = begin(client).await?;
    for table in TABLES {
        transaction.batch_execute(&format!("ALTER TABLE {table}_old VALIDATE CONSTRAINT below")).await?;
    }
    transaction.commit().await
}

/// Takes over what the tasks told that go, where that is to be kept.
fn take_over(Fold { number, now, .. }: Fold, settings: &QueueSettings) -> String {
    KeptTold::each(&settings.retention)
        .map(|(kept, span)| {
            let going = format!("over_tasks o ON o.seq = l.seq JOIN tasks_{number} t ON t.seq = l.seq");
            let condition = format!("o.ended_at > {}", now.before(span.duration()).as_millis());
            kept.take_over(&format!("{}_{number}", kept.from), &going, &condition)
        })
        .join("; ")
}

/// What else is known of the tasks that go; how they ended stays beside the names that still stand for them.
fn forget(number: i64, settings: &QueueSettings) -> String {
    let key_ttl = settings.key_ttl.as_millis();
    format!(
        "UPDATE own_ids i SET state = o.state, expires_at = t.created_at + {key_ttl} \
         FROM over_tasks o JOIN tasks_{number} t ON t.seq = o.seq WHERE i.seq = o.seq; \
         UPDATE keys k SET state = o.state, id = t.id \
         FROM over_tasks o JOIN tasks_{number} t ON t.seq = o.seq WHERE k.seq = o.seq; \
         DELETE FROM kin k USING over_tasks o WHERE k.parent = o.seq; \
         DELETE FROM trees t USING over_tasks o WHERE t.root = o.seq; \
         DELETE FROM history h USING over_tasks o WHERE h.seq = o.seq; \
         DELETE FROM progress p USING over_tasks o WHERE p.seq = o.seq"
    )
}

/// Copies what stays.
fn set_aside(number: i64) -> String {
    TABLES
        .map(|table| {
            format!(
                "CREATE TEMPORARY TABLE left_{table} ON COMMIT DROP AS SELECT * FROM {table}_{number} t \
                 WHERE NOT EXISTS (SELECT FROM over_tasks o WHERE o.seq = t.seq)"
            )
        })
        .join("; ")
}

/// Puts what stays among the old, and drops the partition. Hosts are held off meanwhile, for as long as the copy takes.
fn drop_it(number: i64) -> String {
    let lock = format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", TABLES.join(", "));
    let end = first_number(number + 1);
    let tables = TABLES.map(|table| {
        format!(
            "ALTER TABLE {table} DETACH PARTITION {table}_{number}; \
             ALTER TABLE {table} DETACH PARTITION {table}_old; \
             INSERT INTO {table}_old SELECT * FROM left_{table}; \
             ALTER TABLE {table} ATTACH PARTITION {table}_old FOR VALUES FROM (MINVALUE) TO ({end}); \
             ALTER TABLE {table}_old DROP CONSTRAINT below; \
             DROP TABLE {table}_{number}"
        )
    });
    format!("{HOLD}; {lock}; {}; DELETE FROM partitions WHERE number = {number}", tables.join("; "))
}
