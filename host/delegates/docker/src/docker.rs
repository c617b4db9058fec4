//! The delegate: runs containers, and finds those that were left.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bollard::query_parameters::ListContainersOptionsBuilder;
use bulkhead_core::{Caller, Container, DelegateError, Exit};
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, timeout_at};

use crate::admit::admit;
use crate::engine::Engine;
use crate::fault::fault;
use crate::labels::{self, Labels};
use crate::orphans::remove_orphans;
use crate::removal::remove;
use crate::run::Run;
use crate::turns::Turns;
use crate::{DockerError, DockerGrant, DockerSettings, Leftover};

/// How much later than the deadline an answer may come: so long the removal of the container is waited for, which goes on
/// in any case.
const GRACE: Duration = Duration::from_secs(2);

/// How long a list or a removal of leftovers may take.
const LIST_WITHIN: Duration = Duration::from_secs(30);

/// Containers on a Docker engine.
#[derive(Debug)]
pub struct Docker {
    settings: DockerSettings,
    store: String,
    /// What its containers are labelled with as their host.
    host: String,
    engine: Arc<Engine>,
    turns: Arc<Turns>,
    running: Arc<watch::Sender<usize>>,
}

impl Docker {
    /// Makes the delegate of a host; `store` names the store that its leases come from, and is a label of its containers.
    /// Nothing is started and no engine is needed yet.
    pub fn new(settings: DockerSettings, store: String) -> Result<Self, DockerError> {
        settings.check()?;
        if !(1..=256).contains(&store.len()) || store.contains(char::is_control) {
            return Err(DockerError::Store(store));
        }
        let engine = Arc::new(Engine::new(&settings));
        let (host, running) = (labels::this_host(), Arc::new(watch::Sender::new(0)));
        Ok(Self { settings, store, host, engine, turns: Arc::default(), running })
    }

    /// Runs a container to its end; `devices` are the GPUs leased for it, as many as it asks for. What is `held` is dropped
    /// once nothing of the container runs any more, as is the use of the caller's workspace; before this returns, where
    /// the engine answers.
    ///
    /// Containers of the same task that an earlier lease left are removed first; without a lease, those whose process is
    /// gone. When this returns, the container is gone, or will be as soon as the engine answers.
    ///
    /// # Cancel safety
    ///
    /// Dropped at any point, the container is killed and removed in the background; [`Docker::settled`] waits for that.
    pub async fn run(
        &self,
        caller: &Caller,
        grant: &DockerGrant,
        request: Container,
        devices: &[u32],
        held: impl Send + 'static,
    ) -> Result<Exit, DelegateError> {
        let deadline = Instant::from_std(caller.deadline);
        let plan = admit(&caller.handler, grant, request, devices).map_err(DelegateError::bounded)?;
        let run = Run {
            engine: Arc::clone(&self.engine),
            turns: Arc::clone(&self.turns),
            caller: caller.clone(),
            plan,
            labels: Labels {
                store: self.store.clone(),
                host: self.host.clone(),
                task: caller.task.clone(),
                lease: caller.lease,
                traceparent: caller.traceparent,
            },
            cgroups: self.settings.cgroups.clone(),
            output: usize::try_from(self.settings.output.bytes()).unwrap_or(usize::MAX),
            deadline,
        };
        let (answer, answered) = oneshot::channel();
        // Owned by nobody but itself, for it must outlive whoever waits; the count tells when it is over.
        tokio::spawn(run.perform(Counted::new(&self.running), held, answer));
        match timeout_at(deadline + GRACE, answered).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(DelegateError::Failed("the host is stopping, and the container with it".to_owned())),
            Err(_) => Err(DelegateError::TimedOut),
        }
    }

    /// Whether the engine answers within 2 s: what it calls itself and which API it speaks, or why not. Asks it in any case,
    /// be it left alone or not.
    pub async fn probe(&self) -> Result<String, String> {
        let told = self.engine.ask_version().await;
        let told = told.map_err(|error| format!("`{}`: {}", self.settings.socket.display(), fault(&error).text()));
        told.map(|(_, text)| text)
    }

    /// The containers of this store that the engine has, those that run for a living lease among them. Only the store
    /// knows which leases are over; the containers of those are to be given to [`Docker::remove`].
    pub async fn leftovers(&self) -> Result<Vec<Leftover>, DelegateError> {
        self.bounded(async {
            let client = self.engine.client().await?;
            self.list(&client).await
        })
        .await
    }

    /// Kills and removes containers of this store, and gives their number; others and those that are gone are passed over.
    pub async fn remove(&self, containers: &[String]) -> Result<usize, DelegateError> {
        self.bounded(async {
            let client = self.engine.client().await?;
            let mut removed = 0;
            for leftover in self.list(&client).await? {
                if containers.contains(&leftover.id) {
                    removed += usize::from(remove(&client, &leftover.id).await?);
                }
            }
            Ok(removed)
        })
        .await
    }

    /// Kills and removes the containers without a lease whose process is gone, of this store or another, and gives their
    /// number: `bulkhead exec`, killed before it removed what it had made.
    pub async fn remove_orphans(&self) -> Result<usize, DelegateError> {
        self.bounded(async { remove_orphans(&self.engine.client().await?).await }).await
    }

    /// Waits until no container of this host is left, as before the host ends; for those that an engine keeps from being
    /// removed, no longer than some minutes.
    pub async fn settled(&self) {
        // It fails only when the sender is gone, which we hold.
        let _ = self.running.subscribe().wait_for(|running| *running == 0).await;
    }

    async fn list(&self, client: &bollard::Docker) -> Result<Vec<Leftover>, bollard::errors::Error> {
        let label = format!("{}={}", labels::STORE, self.store);
        let filters = HashMap::from([("label", vec![label.as_str()])]);
        let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
        Ok(client.list_containers(Some(options)).await?.into_iter().filter_map(Leftover::read).collect())
    }

    async fn bounded<T>(
        &self,
        work: impl Future<Output = Result<T, bollard::errors::Error>>,
    ) -> Result<T, DelegateError> {
        let permit = self.engine.permit()?;
        let done = timeout_at(Instant::now() + LIST_WITHIN, work).await;
        let done = done.unwrap_or(Err(bollard::errors::Error::RequestTimeoutError));
        let done = done.map_err(|error| self.engine.explain(&error).bounded())?;
        permit.succeeded();
        Ok(done)
    }
}

/// One more container, until it is dropped.
pub(crate) struct Counted(Arc<watch::Sender<usize>>);

impl Counted {
    fn new(running: &Arc<watch::Sender<usize>>) -> Self {
        running.send_modify(|running| *running += 1);
        Self(Arc::clone(running))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|running| *running -= 1);
    }
}
