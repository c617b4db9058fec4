//! The PostgreSQL engine, under test: a schema of its own on the server that `BULKHEAD_TEST_POSTGRES` names.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bulkhead_core::{Kind, KindLimit};
use bulkhead_store::postgres::{self, PostgresSettings};
use bulkhead_store::{Clock, DatabaseStore, QueueSettings};

use crate::harness::Engine;
use crate::manual_clock::ManualClock;

/// A store in a schema of its own.
pub(crate) struct Postgres {
    pub(crate) store: Option<DatabaseStore>,
    pub(crate) clock: Arc<ManualClock>,
    schema: Schema,
    max_pending: u64,
    limits: BTreeMap<Kind, KindLimit>,
}

/// A schema that goes with its test.
struct Schema(String);

/// Where the server is.
pub(crate) fn server() -> String {
    std::env::var("BULKHEAD_TEST_POSTGRES")
        .expect("a PostgreSQL server (BULKHEAD_TEST_POSTGRES); `cargo xtask test` starts one")
}

impl Schema {
    fn make() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let schema = Self(format!("t{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
        sql(&server(), &format!("CREATE SCHEMA {}", schema.0));
        schema
    }

    fn url(&self) -> String {
        let (server, name) = (server(), &self.0);
        let joint = if server.contains('?') { '&' } else { '?' };
        format!("{server}{joint}application_name={name}&options=-c%20search_path%3D{name}")
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        sql(&server(), &format!("SET client_min_messages = error; DROP SCHEMA {} CASCADE", self.0));
    }
}

/// A connection beside those of the store.
pub(crate) async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Has the server carry out statements, on a connection of their own.
pub(crate) fn sql(url: &str, statements: &str) {
    let (url, statements) = (url.to_owned(), statements.to_owned());
    let done = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            connect(&url).await.batch_execute(&statements).await.unwrap();
        });
    });
    done.join().unwrap();
}

impl Postgres {
    pub(crate) fn settings(&self) -> PostgresSettings {
        let queue = QueueSettings {
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            max_pending: self.max_pending,
            limits: self.limits.clone(),
            readers: 2,
            ..QueueSettings::default()
        };
        // So small that what is tested goes from part to part.
        PostgresSettings {
            database_time: false,
            part_size: 128 << 10,
            queue,
            ..PostgresSettings::at(self.schema.url())
        }
    }
}

impl Engine for Postgres {
    fn keeps_partitions() -> bool {
        true
    }

    fn bounded(max_pending: u64, limits: BTreeMap<Kind, KindLimit>) -> Self {
        let clock = Arc::new(ManualClock::at_start());
        let mut engine = Self { store: None, clock, schema: Schema::make(), max_pending, limits };
        engine.open();
        engine
    }

    fn open(&mut self) {
        self.store = Some(postgres::open(self.settings()).unwrap());
    }

    fn opened(&mut self) -> &mut Option<DatabaseStore> {
        &mut self.store
    }

    fn database(&self) -> &DatabaseStore {
        self.store.as_ref().unwrap()
    }

    fn clock(&self) -> &ManualClock {
        &self.clock
    }

    fn wait_out_a_crash(&self) {
        // Others may be at work, so what a host left is taken over only once its leases have run out; here they have.
        sql(&self.schema.url(), "UPDATE attachments SET renewed_at = 0");
    }

    fn refuse_payload(&self, payload: &str) {
        refuse(&self.schema.url(), "tasks", "payload", payload);
    }

    fn refuse_result(&self, result: &str) {
        refuse(&self.schema.url(), "ended", "result", result);
    }
}

fn refuse(url: &str, table: &str, column: &str, value: &str) {
    sql(
        url,
        &format!(
            "CREATE FUNCTION refuse_{table}() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'not this one'; END $$; \
             CREATE TRIGGER refuse BEFORE INSERT ON {table} FOR EACH ROW WHEN (new.{column} = '{value}') \
             EXECUTE FUNCTION refuse_{table}()"
        ),
    );
}
