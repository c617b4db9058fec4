//! Which host has which workspace, on a store that several hosts have.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bulkhead_core::{Home, Route, TaskId, may_run_at};
use bulkhead_store::{HomeView, Homes, Store, StoreError};
use tokio::runtime::Handle;
use tokio::sync::Notify;

use super::questions::Questions;
use super::{WorkspaceSettings, home_file};

/// How often a host says that it is there, and hears which homes were released.
const HEAR_EVERY: Duration = Duration::from_secs(5);

/// What one host knows of where workspaces are.
#[derive(Debug)]
pub(crate) struct Bindings {
    store: Arc<dyn Store>,
    host: String,
    root: PathBuf,
    known: Mutex<Known>,
    /// Told when it may serve other routes than before.
    pub(crate) changed: Notify,
    questions: Questions,
    runtime: Handle,
}

#[derive(Debug, Default)]
struct Known {
    /// The home of this host; none before it has bound anything.
    own: Option<Home>,
    released: BTreeSet<Home>,
}

impl Bindings {
    /// Those of a host of this name; none where every host of the store has all workspaces.
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    pub(crate) fn of(
        store: &Arc<dyn Store>,
        settings: &WorkspaceSettings,
        host: &str,
    ) -> io::Result<Option<Arc<Self>>> {
        if settings.shared || store.homes().is_none() {
            return Ok(None);
        }
        let known = Known { own: home_file::read(&settings.root)?, released: BTreeSet::new() };
        Ok(Some(Arc::new(Self {
            store: Arc::clone(store),
            host: host.to_owned(),
            root: settings.root.clone(),
            known: Mutex::new(known),
            changed: Notify::new(),
            questions: Questions::default(),
            runtime: Handle::current(),
        })))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn homes(&self) -> Result<&dyn Homes, StoreError> {
        self.store.homes().ok_or(StoreError::Closed)
    }

    /// The home of this host; none before it has bound anything.
    pub(crate) fn own(&self) -> Option<Home> {
        self.known().own.clone()
    }

    /// Whether tasks of a route may run here.
    pub(crate) fn may_run(&self, route: &Route) -> bool {
        let known = self.known();
        may_run_at(route.home.as_ref(), known.own.as_ref(), &known.released)
    }

    /// What a workspace is bound to.
    pub(crate) async fn bound_to(&self, workspace: &TaskId) -> Result<Option<HomeView>, StoreError> {
        self.questions.ask(workspace).await
    }

    /// Binds a workspace to this host unless it is bound, and gives what it is bound to then; none where this host was
    /// released, and has another home from now on.
    pub(super) async fn bind(&self, workspace: &TaskId) -> Result<Option<Home>, BindError> {
        let own = match self.own() {
            Some(own) => own,
            None => self.make_own().await?,
        };
        let bound = self.homes()?.bind(workspace, &own, &self.host).await?;
        if bound.is_none() {
            self.hear().await?;
        }
        Ok(bound)
    }

    async fn make_own(&self) -> io::Result<Home> {
        let root = self.root.clone();
        let made = tokio::task::spawn_blocking(move || home_file::read_or_make(&root)).await;
        let own = made.unwrap_or_else(|_| Err(io::Error::other("it was given up")))?;
        self.known().own = Some(own.clone());
        Ok(own)
    }

    /// Forgets that a workspace is here, since it is not any more.
    pub(super) async fn unbind(&self, workspace: &TaskId) -> Result<(), StoreError> {
        match self.own() {
            Some(own) => self.homes()?.unbind(workspace, &own).await,
            None => Ok(()),
        }
    }

    /// Says that this host is there, and hears what was released meanwhile.
    async fn hear(&self) -> Result<(), BindError> {
        let own = self.own();
        let released = self.homes()?.tell(own.as_ref(), &self.host).await?;
        if own.is_some_and(|own| released.contains(&own)) {
            tracing::warn!("the workspaces of this host were released: what others have begun anew goes on there");
            let root = self.root.clone();
            let forgotten = tokio::task::spawn_blocking(move || home_file::forget(&root)).await;
            forgotten.unwrap_or_else(|_| Err(io::Error::other("it was given up")))?;
            self.known().own = None;
        }
        let is_new = released != self.known().released;
        if is_new {
            self.known().released = released;
            self.changed.notify_one();
        }
        Ok(())
    }

    /// Waits for the store, on a thread that may block.
    pub(super) fn block_on<T>(&self, question: impl Future<Output = T>) -> T {
        self.runtime.block_on(question)
    }
}

/// Why a workspace was not bound.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BindError {
    /// The store did not answer.
    #[error("the store could not be asked where the workspace is")]
    Store(#[from] StoreError),
    /// The folder of workspaces has no name, and none can be made.
    #[error("the folder of workspaces cannot be given a name")]
    Folder(#[from] io::Error),
}

/// Keeps a host's knowledge up to date, and asks for its runs, for as long as it lives.
pub(crate) async fn look_after_bindings(bindings: Arc<Bindings>) {
    tokio::join!(hear_of_homes(&bindings), bindings.questions.answer(&bindings.store));
}

async fn hear_of_homes(bindings: &Bindings) {
    loop {
        if let Err(error) = bindings.hear().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "it is not known which workspaces were released");
        }
        tokio::time::sleep(HEAR_EVERY).await;
    }
}
