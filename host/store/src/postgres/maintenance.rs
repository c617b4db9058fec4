//! What operators do with a database that is not the host's own work: look at it, check it, bring its schema up to date.
//!
//! On connections without the limits of a host's: these questions may take long, and nobody waits behind them. They work
//! while hosts run, and behind a pooler.

use std::future::Future;

use tokio_postgres::{Client, SimpleQueryMessage, SimpleQueryRow};

use crate::StoreError;
use crate::relational::{PLACE_TABLES, Source};

use super::failure::words;
use super::schema;
use super::settings::PostgresSettings;

/// The most problems of one sort that are told one by one.
const MOST: usize = 100;

/// A server and the store on it, as they are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The server's version, such as `15.14`.
    pub version: String,
    /// The schema of the store; `None` where there is none yet.
    pub schema: Option<i64>,
    /// Whether the role may make the store's tables.
    pub may_create: bool,
    /// Whether it is a standby, which takes no writes.
    pub is_standby: bool,
    /// Connections that are still to be had.
    pub connections_left: i64,
}

/// Looks at a server; changes nothing.
pub fn look(settings: &PostgresSettings) -> Result<Found, StoreError> {
    const SERVER: &str = "SELECT current_setting('server_version'), pg_is_in_recovery(), \
        coalesce(has_schema_privilege(current_schema(), 'CREATE'), false), to_regclass('meta') IS NOT NULL, \
        current_setting('max_connections')::bigint - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')";
    const SCHEMA: &str = "SELECT value FROM meta WHERE name = 'schema_version'";
    asked(settings, async |client| {
        let row = rows(&client, SERVER).await?.into_iter().next();
        let text = |place: usize| row.as_ref().and_then(|row| row.get(place)).unwrap_or_default();
        let schema = match text(3) {
            "t" => rows(&client, SCHEMA).await?.first().and_then(|row| row.get(0)?.parse().ok()),
            _ => None,
        };
        Ok(Found {
            version: text(0).split(' ').next().unwrap_or_default().to_owned(),
            schema,
            may_create: text(2) == "t",
            is_standby: text(1) == "t",
            connections_left: text(4).parse().unwrap_or(0),
        })
    })
}

/// Brings the schema up to date, and gives the version that it then has. Makes the tables where there are none.
pub fn migrate(settings: &PostgresSettings) -> Result<i64, StoreError> {
    let settings = settings.clone();
    apart(move || {
        schema::migrate(&settings.writer()?, &settings.url)?;
        Ok(schema::ours().version)
    })
}

/// Looks whether the store is whole: each task is in one place or under one lease. Gives what is wrong, for people; hosts
/// may run meanwhile.
pub fn check(settings: &PostgresSettings) -> Result<Vec<String>, StoreError> {
    if look(settings)?.schema.is_none() {
        return Err(StoreError::Database(
            "there is no store in this database; `bulkhead db migrate` makes one, and so does a host".to_owned(),
        ));
    }
    asked(settings, async |client| {
        // One state of all tables, whatever hosts write meanwhile.
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        client.batch_execute(begin).await.map_err(|error| failed(&error))?;
        let mut problems = Vec::new();
        for question in questions() {
            let found = rows(&client, &question).await?;
            problems.extend(found.iter().filter_map(|row| row.get(0)).map(str::to_owned));
        }
        Ok(problems)
    })
}

/// One for each thing that must not be; each answers with lines for people.
fn questions() -> Vec<String> {
    let places = PLACE_TABLES.map(|table| format!("SELECT seq, '{table}' AS place FROM {table}")).join(" UNION ALL ");
    // Bit n of `done` is set once the task at place n is done; bytes that are not there are zero.
    let running = "SELECT task AS seq, leases.id AS lease FROM leases, unnest(tasks) WITH ORDINALITY AS held (task, place) \
        WHERE CASE WHEN length(done) * 8 >= place THEN get_bit(done, place - 1) ELSE 0 END = 0";
    vec![
        format!(
            "SELECT 'task ' || seq || ' is in ' || string_agg(place, ' and ' ORDER BY place) FROM ({places}) AS all_places \
             GROUP BY seq HAVING count(*) > 1 LIMIT {MOST}"
        ),
        format!(
            "SELECT place || ' names task ' || seq || ', which is not there' FROM ({places}) AS all_places \
             WHERE NOT EXISTS (SELECT FROM tasks WHERE tasks.seq = all_places.seq) LIMIT {MOST}"
        ),
        format!(
            "SELECT 'task ' || seq || ' runs under lease ' || lease || ' and is in ' || place \
             FROM ({running}) AS runs JOIN ({places}) AS all_places USING (seq) LIMIT {MOST}"
        ),
        format!(
            "SELECT 'task ' || seq || ' runs under ' || count(*) || ' leases' FROM ({running}) AS runs \
             GROUP BY seq HAVING count(*) > 1 LIMIT {MOST}"
        ),
        format!(
            "SELECT 'task ' || seq || ' is nowhere: in no place and under no lease' FROM ( \
             SELECT seq FROM tasks EXCEPT SELECT seq FROM ({places}) AS all_places \
             EXCEPT SELECT seq FROM ({running}) AS runs) AS lost ORDER BY seq LIMIT {MOST}"
        ),
        format!(
            "SELECT 'lease ' || id || ' belongs to worker ' || attachment || ', which is not attached' FROM leases \
             WHERE NOT EXISTS (SELECT FROM attachments WHERE attachments.id = leases.attachment) LIMIT {MOST}"
        ),
    ]
}

/// Asks on a connection of its own.
fn asked<T, Asking>(
    settings: &PostgresSettings,
    ask: impl FnOnce(Client) -> Asking + Send + 'static,
) -> Result<T, StoreError>
where
    T: Send + 'static,
    Asking: Future<Output = Result<T, StoreError>>,
{
    let settings = settings.clone();
    apart(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| StoreError::Database(format!("no runtime for a connection: {error}")))?;
        runtime.block_on(async move { ask(settings.connect().await?).await })
    })
}

/// On a thread of its own: a caller's runtime would not let it wait.
fn apart<T: Send + 'static>(work: impl FnOnce() -> Result<T, StoreError> + Send + 'static) -> Result<T, StoreError> {
    let failed = |_| Err(StoreError::Database("the database could not be looked at".to_owned()));
    std::thread::spawn(work).join().unwrap_or_else(failed)
}

async fn rows(client: &Client, question: &str) -> Result<Vec<SimpleQueryRow>, StoreError> {
    let messages = client.simple_query(question).await.map_err(|error| failed(&error))?;
    let row = |message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    };
    Ok(messages.into_iter().filter_map(row).collect())
}

fn failed(error: &tokio_postgres::Error) -> StoreError {
    StoreError::Database(words(error))
}
