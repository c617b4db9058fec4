//! The SQLite engine, under test.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bulkhead_core::{Kind, KindLimit, Timestamp};
use bulkhead_store::sqlite::{self, SqliteSettings};
use bulkhead_store::{Clock, DatabaseStore, QueueSettings, Store};
use tempfile::TempDir;

use crate::harness::{Engine, START};

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub(crate) struct ManualClock(AtomicI64);

impl ManualClock {
    pub(crate) fn at_start() -> Self {
        Self(AtomicI64::new(START))
    }

    pub(crate) fn advance(&self, time: Duration) {
        self.0.fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }

    fn since_boot(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.load(Ordering::SeqCst) - START + 1_000_000).unwrap())
    }
}

/// A store in a folder of its own.
pub(crate) struct Sqlite {
    pub(crate) store: Option<DatabaseStore>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) folder: TempDir,
    pub(crate) max_pages: Option<u32>,
    pub(crate) max_pending: u64,
    pub(crate) limits: BTreeMap<Kind, KindLimit>,
}

impl Sqlite {
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    pub(crate) fn settings(&self) -> SqliteSettings {
        let queue = QueueSettings {
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            max_pending: self.max_pending,
            limits: self.limits.clone(),
            ..QueueSettings::default()
        };
        SqliteSettings { max_pages: self.max_pages, queue, ..SqliteSettings::at(self.path()) }
    }

    pub(crate) fn start_with(max_pages: Option<u32>) -> Self {
        Self::started(max_pages, u64::MAX, BTreeMap::new())
    }

    fn started(max_pages: Option<u32>, max_pending: u64, limits: BTreeMap<Kind, KindLimit>) -> Self {
        let clock = Arc::new(ManualClock::at_start());
        let mut engine =
            Self { store: None, clock, folder: tempfile::tempdir().unwrap(), max_pages, max_pending, limits };
        engine.open();
        engine
    }

    pub(crate) fn open(&mut self) {
        self.store = Some(sqlite::open(self.settings()).unwrap());
    }

    /// A connection beside the store's own.
    pub(crate) fn sql(&self) -> rusqlite::Connection {
        let connection = rusqlite::Connection::open(self.path()).unwrap();
        connection.busy_timeout(Duration::from_secs(20)).unwrap();
        connection
    }
}

impl Engine for Sqlite {
    async fn start() -> Self {
        Self::start_with(None)
    }

    async fn start_with_room_for(tasks: u64) -> Self {
        Self::started(None, tasks, BTreeMap::new())
    }

    async fn start_with_limit(kind: Kind, limit: KindLimit) -> Self {
        Self::started(None, u64::MAX, [(kind, limit)].into())
    }

    fn store(&self) -> &dyn Store {
        self.store.as_ref().unwrap()
    }

    async fn advance(&self, time: Duration) {
        self.clock.advance(time);
        self.settle().await;
    }

    async fn settle(&self) {
        // A worker's turn between tasks beside others and tasks alone moves on by one step a cycle.
        for _ in 0..3 {
            self.store.as_ref().unwrap().tick().await.unwrap();
        }
    }

    async fn crash(mut self) -> Self {
        drop(self.store.take());
        self.open();
        self
    }

    async fn reopen(self) -> Self {
        self.closed_for(Duration::ZERO).await
    }

    async fn closed_for(mut self, time: Duration) -> Self {
        self.store.take().unwrap().close().await.unwrap();
        self.clock.advance(time);
        self.open();
        self.settle().await;
        self
    }

    fn refuse_payload(&self, payload: &str) {
        self.sql()
            .execute_batch(&format!(
                "CREATE TRIGGER refuse_task BEFORE INSERT ON tasks WHEN new.payload = '{payload}' \
                 BEGIN SELECT RAISE(ABORT, 'not this one'); END"
            ))
            .unwrap();
    }

    fn refuse_result(&self, result: &str) {
        self.sql()
            .execute_batch(&format!(
                "CREATE TRIGGER refuse_end BEFORE INSERT ON ended WHEN new.result = '{result}' \
                 BEGIN SELECT RAISE(ABORT, 'not this one'); END"
            ))
            .unwrap();
    }
}
