//! The connections that read, each used by one blocking thread at a time.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Semaphore, oneshot};

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

    /// Reads one consistent state of the store. A question whose connection is lost while it is asked is asked again: of
    /// another that was kept, while there is one, and then of a new one, twice at most.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        question: impl Fn(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = Arc::clone(&self.free).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let (connections, source) = (Arc::clone(&self.connections), Arc::clone(&self.source));
        let (answer, answered) = oneshot::channel();
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let mut again = true;
            loop {
                let kept = connections.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let was_kept = kept.is_some();
                let connection = match kept.map_or_else(|| source.reader(), Ok) {
                    Ok(connection) => connection,
                    Err(error) => return drop(answer.send(Err(error))),
                };
                let begun = connection.begin_reading().map_err(|error| reading(&error));
                let read = begun.and_then(|()| question(&connection));
                if read.is_err() && connection.is_closed() && (was_kept || std::mem::take(&mut again)) {
                    continue;
                }
                // Who asked need not wait until a server has heard that this was all; a file is let go of first.
                let is_far = connection.postgres().is_some();
                let end = || {
                    if connection.rollback().is_ok() && !connection.is_closed() {
                        connections.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
                    }
                };
                if is_far {
                    let _ = answer.send(read);
                    end();
                } else {
                    end();
                    let _ = answer.send(read);
                }
                return;
            }
        });
        let unanswered = |_| {
            let why = "a question to the store failed before it was answered; the log of this host says where";
            Err(StoreError::Database(why.to_owned()))
        };
        answered.await.unwrap_or_else(unanswered)
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
