//! [`DatabaseStore`]: the trait, put together from the writing thread and the reading connections.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use bulkhead_core::{Kind, LeaseId, NewTask, ScheduleName, TaskId, Timestamp, UpstreamTask};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::sql::{Connection, params};
use crate::sqlite::LockFile;
use crate::{
    AuditView, BatchRefusal, BoxFuture, Change, DeadCount, Fate, Held, Homes, LogPage, Page, RouteDepth,
    ScheduleChange, ScheduleFate, ScheduleView, Selection, Spawned, Store, StoreError, Submitted, TaskFilter, TaskSeq,
    TaskView, UpstreamPart, WorkLine,
};

use super::bell::Listen;
use super::cycle;
use super::dice::Dice;
use super::ids;
use super::inbox::Inbox;
use super::kept_told;
use super::list;
use super::load::{latest, load_routes};
use super::many_hosts::ManyHosts;
use super::memory::Memory;
use super::publish::show_all;
use super::readers::Readers;
use super::request::{Answer, Asked, AskedSchedule, Prepared, Request, Submit};
use super::schedule_view;
use super::settings::QueueSettings;
use super::shared::Shared;
use super::source::Source;
use super::thread::Thread;
use super::upstream;
use super::view;
use super::waiters::Looked;
use super::workflow::Plans;

/// Requests from outside that may wait at once; who comes later waits for room.
const REQUESTS: usize = 1_024;

/// The durable queue in a database.
///
/// Dropping it without [`Store::close`] stops it as a crash would: what was committed is there, and what runs has lost
/// its worker.
#[derive(Debug)]
pub struct DatabaseStore {
    inbox: Arc<Inbox>,
    pub(super) shared: Arc<Shared>,
    pub(super) readers: Readers,
    pub(super) plans: Plans,
    room: Arc<Semaphore>,
    secret: i64,
    identity: String,
    /// Whether several hosts may have it.
    is_shared: bool,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// A database whose schema is up to date, to begin with.
pub(crate) struct Opened {
    /// Where more connections come from.
    pub(crate) source: Arc<dyn Source>,
    /// What keeps other hosts away, where only one may have the database.
    pub(crate) lock: Option<LockFile>,
    /// How other hosts are told, and heard.
    pub(crate) listen: Option<Listen>,
    /// Whether other hosts have the database, too.
    pub(crate) many_hosts: Option<ManyHosts>,
    pub(crate) settings: QueueSettings,
}

impl DatabaseStore {
    /// Begins to work on a database.
    pub(crate) fn begin(opened: Opened) -> Result<Self, StoreError> {
        let Opened { source, lock, listen, many_hosts, settings } = opened;
        let connection = source.writer()?;
        let failed = |error: crate::sql::Error| super::failure::reading(&error);
        let secret = thrown(&connection, "secret").map_err(failed)?;
        let identity = format!("{:016x}", thrown(&connection, "identity").map_err(failed)?);
        let boot = settings.clock.since_boot();
        let now = match &many_hosts {
            Some(many) if many.database_time => database_time(&connection).map_err(failed)?,
            _ => None,
        };
        let now = now.unwrap_or_else(|| settings.clock.now());
        let is_shared = many_hosts.is_some();
        let shared = Arc::new(Shared::default());
        let newest = latest(&connection).map_err(failed)?;
        let readers = Readers::open(&source, settings.readers)?;
        let mut memory = Memory::new(settings, Arc::clone(&shared), newest, many_hosts, now);
        if memory.many_hosts.is_none() {
            load_routes(&connection, &mut memory).map_err(failed)?;
            cycle::recover(&connection, &mut memory, now, boot)?;
        }
        show_all(&memory);
        let inbox = Arc::new(Inbox::default());
        let bell = listen.map(|listen| {
            let inbox = Arc::downgrade(&inbox);
            listen(Box::new(move || {
                if let Some(inbox) = inbox.upgrade() {
                    inbox.push(Request::Look);
                }
            }))
        });
        let thread = Thread::new(source, connection, memory, Arc::clone(&inbox), (lock, bell), now);
        let thread = std::thread::Builder::new()
            .name("bulkhead-store".to_owned())
            .spawn(move || thread.run())
            .map_err(|error| StoreError::Database(format!("no thread for the store: {error}")))?;
        let room = Arc::new(Semaphore::new(REQUESTS));
        let plans = Plans::default();
        Ok(Self { inbox, shared, readers, plans, room, secret, identity, is_shared, thread: Mutex::new(Some(thread)) })
    }

    /// Looks at the clock now, and answers when all that is due has been done once.
    pub async fn tick(&self) -> Result<(), StoreError> {
        self.ask(|answer| Request::Tick { answer }).await
    }

    pub(super) async fn ask<T>(&self, request: impl FnOnce(Answer<T>) -> Request) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.inbox.push(request(answer));
        answered.await.unwrap_or(Err(StoreError::Closed))
    }

    pub(super) async fn permit(&self) -> Result<OwnedSemaphorePermit, StoreError> {
        Arc::clone(&self.room).acquire_owned().await.map_err(|_| StoreError::Closed)
    }
}

/// The server's time, where there is a server.
fn database_time(connection: &Connection) -> crate::sql::Result<Option<Timestamp>> {
    connection.begin()?;
    let now = connection.time()?;
    connection.rollback()?;
    Ok(now)
}

/// A number that was thrown when the store was made.
fn thrown(connection: &Connection, name: &str) -> crate::sql::Result<i64> {
    let made = i64::try_from(Dice::seeded().throw() >> 1).unwrap_or(0);
    let insert = "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING";
    connection.execute(insert, params![name, made])?;
    connection.prepare_cached("SELECT value FROM meta WHERE name = ?1")?.query_row([name], |row| row.get(0))
}

impl Store for DatabaseStore {
    fn submit(&self, tasks: Vec<NewTask>) -> BoxFuture<'_, Result<Result<Vec<Submitted>, BatchRefusal>, StoreError>> {
        Box::pin(async move {
            if tasks.is_empty() {
                return Ok(Ok(Vec::new()));
            }
            let permit = self.permit().await?;
            let tasks: Vec<Prepared> = tasks.into_iter().map(Prepared::from).collect();
            self.ask(|answer| Request::Submit(Submit { tasks, answer, _permit: permit })).await
        })
    }

    fn get<'a>(&'a self, id: &'a TaskId) -> BoxFuture<'a, Result<Option<TaskView>, StoreError>> {
        let (id, shared) = (id.clone(), Arc::clone(&self.shared));
        Box::pin(self.readers.read(move |connection| view::whole(connection, &id, &shared)))
    }

    fn wait<'a>(&'a self, id: &'a TaskId, limit: Duration) -> BoxFuture<'a, Result<Option<TaskView>, StoreError>> {
        Box::pin(async move {
            let look = |when| {
                let (id, shared) = (id.clone(), Arc::clone(&self.shared));
                self.readers.read(move |connection| view::look(connection, &id, when, &shared))
            };
            match self.shared.waiters.wait(ids::guess(id), limit, look).await? {
                Looked::Absent => Ok(None),
                Looked::Ended(view) => Ok(Some(view)),
                Looked::Open(_) => self.get(id).await,
            }
        })
    }

    fn list(&self, selection: Selection) -> BoxFuture<'_, Result<Page, StoreError>> {
        let (shared, secret) = (Arc::clone(&self.shared), self.secret);
        Box::pin(self.readers.read(move |connection| list::page(connection, &selection, &shared, secret)))
    }

    fn count(&self, filter: TaskFilter) -> BoxFuture<'_, Result<u64, StoreError>> {
        let shared = Arc::clone(&self.shared);
        Box::pin(self.readers.read(move |connection| list::count(connection, &filter, &shared)))
    }

    fn change(&self, ids: Vec<TaskId>, change: Change) -> BoxFuture<'_, Result<Vec<Fate>, StoreError>> {
        Box::pin(async move {
            let permit = self.permit().await?;
            self.ask(|answer| Request::Change(Asked { ids, change, answer, _permit: permit })).await
        })
    }

    fn log<'a>(&'a self, id: &'a TaskId, after: i64) -> BoxFuture<'a, Result<Option<LogPage>, StoreError>> {
        let id = id.clone();
        Box::pin(self.readers.read(move |connection| kept_told::log(connection, &id, after)))
    }

    fn audits<'a>(&'a self, id: &'a TaskId) -> BoxFuture<'a, Result<Option<Vec<AuditView>>, StoreError>> {
        let id = id.clone();
        Box::pin(self.readers.read(move |connection| kept_told::audits(connection, &id)))
    }

    fn hold(&self, kind: Option<Kind>, held: bool) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.ask(move |answer| Request::Hold { kind, held, answer }))
    }

    fn held(&self) -> Held {
        self.shared.held()
    }

    fn change_schedule(&self, change: ScheduleChange) -> BoxFuture<'_, Result<ScheduleFate, StoreError>> {
        Box::pin(async move {
            let permit = self.permit().await?;
            self.ask(|answer| Request::Schedule(AskedSchedule { change, answer, _permit: permit })).await
        })
    }

    fn schedule<'a>(&'a self, name: &'a ScheduleName) -> BoxFuture<'a, Result<Option<ScheduleView>, StoreError>> {
        let name = name.clone();
        Box::pin(self.readers.read(move |connection| schedule_view::whole(connection, &name)))
    }

    fn schedules(&self) -> BoxFuture<'_, Result<Vec<ScheduleView>, StoreError>> {
        Box::pin(self.readers.read(schedule_view::list))
    }

    fn upstream(
        &self,
        of: TaskSeq,
        spawned: Spawned,
        part: UpstreamPart,
    ) -> BoxFuture<'_, Result<Vec<UpstreamTask>, StoreError>> {
        Box::pin(self.readers.read(move |connection| upstream::read(connection, of, spawned, &part)))
    }

    fn identity(&self) -> &str {
        &self.identity
    }

    fn homes(&self) -> Option<&dyn Homes> {
        self.is_shared.then_some(self)
    }

    fn living_leases(&self) -> BoxFuture<'_, Result<BTreeSet<LeaseId>, StoreError>> {
        Box::pin(self.readers.read(|connection| {
            let read = || -> crate::sql::Result<BTreeSet<LeaseId>> {
                let mut statement = connection.prepare_cached("SELECT id FROM leases")?;
                statement.query_map([], |row| Ok(LeaseId(row.get(0)?)))?.collect()
            };
            read().map_err(|error| super::failure::reading(&error))
        }))
    }

    fn depths(&self) -> Vec<RouteDepth> {
        self.shared.depths()
    }

    fn deaths(&self) -> Vec<DeadCount> {
        self.shared.deaths()
    }

    fn attach<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<WorkLine, StoreError>> {
        Box::pin(self.ask(|answer| Request::Attach { name: name.to_owned(), answer }))
    }

    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.readers.close();
            self.room.close();
            let closed = self.ask(|answer| Request::Close { answer }).await;
            // The thread has answered as its last act, or was closed before.
            let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(thread) = thread {
                let _ = tokio::task::spawn_blocking(|| thread.join()).await;
            }
            match closed {
                Err(StoreError::Closed) => Ok(()),
                other => other,
            }
        })
    }
}

impl Drop for DatabaseStore {
    fn drop(&mut self) {
        self.inbox.push(Request::Abandon);
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}
