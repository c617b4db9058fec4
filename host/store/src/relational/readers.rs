//! The connections that read, each used by one blocking thread at a time.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

use crate::StoreError;
use crate::sql::Connection;

use super::failure::reading;
use super::source::Source;

/// A small pool; who finds it empty waits.
#[derive(Debug, Clone)]
pub(super) struct Readers {
    source: Arc<dyn Source>,
    connections: Arc<Mutex<Vec<Connection>>>,
    free: Arc<Semaphore>,
}

impl Readers {
    /// Opens one of `count` connections, so that what cannot be read is known at once; the others as they are needed.
    pub(super) fn open(source: &Arc<dyn Source>, count: usize) -> Result<Self, StoreError> {
        let first = source.reader()?;
        Ok(Self {
            source: Arc::clone(source),
            connections: Arc::new(Mutex::new(vec![first])),
            free: Arc::new(Semaphore::new(count.max(1))),
        })
    }

    /// Reads one consistent state of the store. A question whose connection is lost while it is asked is asked again, once.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        question: impl Fn(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = Arc::clone(&self.free).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let (connections, source) = (Arc::clone(&self.connections), Arc::clone(&self.source));
        let read = tokio::task::spawn_blocking(move || {
            let ask = || {
                let connection = begin(&connections, source.as_ref())?;
                let answer = question(&connection);
                let ended = connection.rollback().map_err(|error| reading(&error));
                let answer = answer.and_then(|answer| ended.map(|()| answer));
                let is_lost = connection.is_closed();
                if !is_lost {
                    connections.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
                }
                Ok((answer, is_lost))
            };
            let answer = match ask()? {
                (Err(_), true) => ask()?.0,
                (answer, _) => answer,
            };
            drop(permit);
            answer
        });
        read.await.map_err(|error| StoreError::Database(error.to_string()))?
    }

    /// Writes by statements of which each is a transaction of its own, and may be done twice: where the connection is lost
    /// while they are on their way, they are sent again, once.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        statements: impl Fn(&Connection) -> crate::sql::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = Arc::clone(&self.free).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let (connections, source) = (Arc::clone(&self.connections), Arc::clone(&self.source));
        let written = tokio::task::spawn_blocking(move || {
            let send = || {
                let kept = connections.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let connection = kept.map_or_else(|| source.reader(), Ok)?;
                let done = statements(&connection).map_err(|error| reading(&error));
                let is_lost = connection.is_closed();
                if !is_lost {
                    connections.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
                }
                Ok((done, is_lost))
            };
            let done = match send()? {
                (Err(_), true) => send()?.0,
                (done, _) => done,
            };
            drop(permit);
            done
        });
        written.await.map_err(|error| StoreError::Database(error.to_string()))?
    }

    /// Lets no new question in, and closes what is not in use.
    pub(super) fn close(&self) {
        self.free.close();
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// One that has begun to read: one that was kept, or a new one where those were lost meanwhile.
fn begin(kept: &Mutex<Vec<Connection>>, source: &dyn Source) -> Result<Connection, StoreError> {
    loop {
        let taken = kept.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let was_kept = taken.is_some();
        let connection = taken.map_or_else(|| source.reader(), Ok)?;
        match connection.begin_reading() {
            Ok(()) => return Ok(connection),
            Err(_) if was_kept && connection.is_closed() => {}
            Err(error) => return Err(reading(&error)),
        }
    }
}
