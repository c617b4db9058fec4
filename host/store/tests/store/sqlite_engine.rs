//! The SQLite engine, under test.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bulkhead_core::{Kind, KindLimit};
use bulkhead_store::sqlite::{self, SqliteSettings};
use bulkhead_store::{Clock, DatabaseStore, QueueSettings};
use tempfile::TempDir;

use crate::harness::Engine;
use crate::manual_clock::ManualClock;

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

    /// A connection beside the store's own.
    pub(crate) fn sql(&self) -> rusqlite::Connection {
        let connection = rusqlite::Connection::open(self.path()).unwrap();
        connection.busy_timeout(Duration::from_secs(20)).unwrap();
        connection
    }
}

impl Engine for Sqlite {
    fn bounded(max_pending: u64, limits: BTreeMap<Kind, KindLimit>) -> Self {
        Self::started(None, max_pending, limits)
    }

    fn open(&mut self) {
        self.store = Some(sqlite::open(self.settings()).unwrap());
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

    fn refuse_payload(&self, payload: &str) {
        self.sql()
            .execute_batch(&format!(
                "CREATE TRIGGER refuse_task BEFORE INSERT ON tasks WHEN new.payload = '{payload}' \
                 BEGIN SELECT RAISE(ABORT, 'not this one'); END"
            ))
            .unwrap();
    }

    fn forgets_workers() -> bool {
        true
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
