//! The connections that read, each used by one blocking thread at a time.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use crate::StoreError;

use super::failure::reading;
use super::open;

/// A small pool; who finds it empty waits.
#[derive(Debug, Clone)]
pub(super) struct Readers {
    connections: Arc<Mutex<Vec<Connection>>>,
    free: Arc<Semaphore>,
}

impl Readers {
    /// Opens `count` connections.
    pub(super) fn open(path: &Path, count: usize) -> Result<Self, StoreError> {
        let count = count.max(1);
        let connections = (0..count).map(|_| open::reader(path)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { connections: Arc::new(Mutex::new(connections)), free: Arc::new(Semaphore::new(count)) })
    }

    /// Reads one consistent state of the store.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = Arc::clone(&self.free).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let connections = Arc::clone(&self.connections);
        let read = tokio::task::spawn_blocking(move || {
            let taken = connections.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = taken.ok_or(StoreError::Closed)?;
            let answer = connection.unchecked_transaction().map_err(|error| reading(&error)).and_then(|transaction| {
                let answer = question(&transaction);
                drop(transaction);
                answer
            });
            connections.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            drop(permit);
            answer
        });
        read.await.map_err(|error| StoreError::Database(error.to_string()))?
    }

    /// Lets no new question in, and closes what is not in use.
    pub(super) fn close(&self) {
        self.free.close();
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
