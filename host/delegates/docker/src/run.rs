//! A container from its making to its removal, in a task of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bollard::errors::Error;
use bollard::models::ContainerStateStatusEnum;
use bollard::query_parameters::{
    AttachContainerOptionsBuilder, CreateContainerOptionsBuilder, CreateImageOptionsBuilder, InspectContainerOptions,
    ListContainersOptionsBuilder, StartContainerOptions, WaitContainerOptionsBuilder,
};
use bulkhead_core::{DelegateError, Exit, HandlerName};
use bytes::Bytes;
use futures::{StreamExt, future};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, sleep_until};

use crate::admit::Plan;
use crate::body::{Folders, body};
use crate::end::exit;
use crate::engine::{Engine, Permit};
use crate::fault::{Fault, fault};
use crate::labels::Labels;
use crate::meter::Meter;
use crate::mounts::Folder;
use crate::orphans::remove_orphans;
use crate::output::Output;
use crate::removal::{keep_removing, remove};
use crate::turns::Turn;

/// How long the end of the output may be waited for once the container has ended.
const DRAIN_WITHIN: Duration = Duration::from_secs(5);

/// A container that was admitted.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) engine: Arc<Engine>,
    pub(crate) handler: HandlerName,
    pub(crate) plan: Plan,
    pub(crate) folders: Vec<Folder>,
    pub(crate) turn: Turn,
    pub(crate) labels: Labels,
    pub(crate) cgroups: PathBuf,
    pub(crate) output: usize,
    pub(crate) deadline: Instant,
}

/// Who waits for the answer; when nobody does any more, the container goes.
type Answer = oneshot::Sender<Result<Exit, DelegateError>>;

impl Run {
    /// Runs it, answers, and sees to it that nothing is left.
    pub(crate) async fn perform(self, permit: Permit, mut answer: Answer) {
        let before = async {
            let client = self.engine.client().await.map_err(|error| self.engine.explain(&error))?;
            let volumes = self.prepare(&client).await?;
            Ok((client, volumes))
        };
        let (client, volumes) = match self.unless_over(&mut answer, before).await {
            Ok(ready) => ready,
            Err(error) => return tell(answer, Err(error)),
        };
        // From here on an end of the wait must not end what is done: the engine may have made what it has not told of.
        let name = format!("bulkhead-{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
        let options = CreateContainerOptionsBuilder::default().name(&name).build();
        let folders = Folders { mounts: &self.folders, volumes: &volumes, have_owner: !self.engine.is_podman() };
        let body = body(&self.plan, &folders, &self.labels);
        let id = match client.create_container(Some(options), body).await {
            Ok(created) => created.id,
            Err(error) => {
                let is_unknown = matches!(fault(&error), Fault::Away(_));
                tell(answer, Err(self.engine.explain(&error)));
                if is_unknown {
                    keep_removing(&self.engine, &name, false).await;
                }
                return;
            }
        };
        permit.succeeded();
        let done = self.unless_over(&mut answer, self.work(&client, &id)).await;
        let removed = remove(&client, &id).await;
        tell(answer, done);
        if let Err(error) = removed {
            tracing::debug!(container = id, %error, "a container is not removed yet");
            keep_removing(&self.engine, &id, true).await;
        }
    }

    /// Does this unless the time runs out or nobody waits any more.
    async fn unless_over<T>(
        &self,
        answer: &mut Answer,
        work: impl Future<Output = Result<T, DelegateError>>,
    ) -> Result<T, DelegateError> {
        tokio::select! {
            biased;
            done = work => done,
            () = answer.closed() => Err(DelegateError::TimedOut),
            () = sleep_until(self.deadline) => Err(DelegateError::TimedOut),
        }
    }

    /// Removes what an earlier lease left, and sees to the image; gives the folders that the image wants to write to.
    async fn prepare(&self, client: &bollard::Docker) -> Result<Vec<String>, DelegateError> {
        let (removed, volumes) = future::join(self.remove_earlier(client), self.volumes(client)).await;
        removed.map_err(|error| self.engine.explain(&error))?;
        volumes
    }

    async fn remove_earlier(&self, client: &bollard::Docker) -> Result<(), Error> {
        if self.labels.lease.is_none() {
            return remove_orphans(client).await.map(|_| ());
        }
        let options = ListContainersOptionsBuilder::default().all(true).filters(&self.labels.of_task()).build();
        for container in client.list_containers(Some(options)).await? {
            let is_earlier = container.labels.is_some_and(|labels| self.labels.is_earlier(&labels));
            if let Some(id) = container.id.filter(|_| is_earlier) {
                tracing::info!(container = id, task = %self.labels.task, "what an earlier lease left is removed");
                remove(client, &id).await?;
            }
        }
        Ok(())
    }

    async fn volumes(&self, client: &bollard::Docker) -> Result<Vec<String>, DelegateError> {
        let image = self.plan.image.to_string();
        let found = match client.inspect_image(&image).await {
            Err(error) if matches!(fault(&error), Fault::Missing(_)) => {
                self.pull(client, &image).await?;
                client.inspect_image(&image).await
            }
            other => other,
        };
        let found = found.map_err(|error| self.engine.explain(&error))?;
        Ok(found.config.and_then(|config| config.volumes).unwrap_or_default())
    }

    async fn pull(&self, client: &bollard::Docker, image: &str) -> Result<(), DelegateError> {
        if !self.plan.pull {
            return Err(DelegateError::Unavailable(format!(
                "the docker engine has no image `{image}`; run `docker pull {image}` on the host, or set `handler.{}.grants.docker.pull = true`",
                self.handler
            )));
        }
        tracing::info!(image, "an image is fetched");
        let options = CreateImageOptionsBuilder::default().from_image(image).build();
        let mut pulling = client.create_image(Some(options), None, None);
        while let Some(step) = pulling.next().await {
            step.map_err(|error| match fault(&error) {
                Fault::Away(_) => self.engine.explain(&error),
                Fault::Missing(why) | Fault::Conflict(why) | Fault::Refused(why) => {
                    DelegateError::Unavailable(format!("the image `{image}` cannot be fetched: {why}"))
                }
            })?;
        }
        Ok(())
    }

    /// Starts it, feeds it, reads it, and waits for its end.
    async fn work(&self, client: &bollard::Docker, id: &str) -> Result<Exit, DelegateError> {
        let explain = |error: Error| match fault(&error) {
            Fault::Missing(_) => removed(),
            _ => self.engine.explain(&error),
        };
        let has_stdin = !self.plan.stdin.is_empty();
        let options =
            AttachContainerOptionsBuilder::default().stream(true).stdin(has_stdin).stdout(true).stderr(true).build();
        // Before the start, so that nothing that is printed is missed.
        let attached = client.attach_container(id, Some(options)).await.map_err(explain)?;
        let meter = Meter::start(client.clone(), self.cgroups.clone(), id.to_owned());
        client.start_container(id, None::<StartContainerOptions>).await.map_err(explain)?;
        self.turn.started();
        meter.started();

        let mut output = Output::new(self.output);
        let (ended, end) = oneshot::channel();
        let wait = async {
            let waited = self.wait(client, id).await;
            let used = meter.finish().await;
            // Nobody hears it where the output ended before.
            let _ = ended.send(());
            waited.map(|()| used)
        };
        let read = async {
            tokio::select! {
                () = output.read(attached.output) => {}
                () = async { drop(end.await); sleep(DRAIN_WITHIN).await } => {}
            }
        };
        let (waited, ()) = tokio::select! {
            both = future::join(wait, read) => both,
            never = feed(attached.input, self.plan.stdin.clone()) => match never {},
        };
        let used = waited.map_err(explain)?;
        let found = client.inspect_container(id, None::<InspectContainerOptions>).await.map_err(explain)?;
        let state = found.state.unwrap_or_default();
        if matches!(state.status, Some(ContainerStateStatusEnum::REMOVING | ContainerStateStatusEnum::DEAD)) {
            return Err(removed());
        }
        Ok(exit(&state, used, output))
    }

    /// Waits until it runs no more.
    async fn wait(&self, client: &bollard::Docker, id: &str) -> Result<(), Error> {
        // Some engines begin their answer only when the container ends.
        let left = self.deadline.saturating_duration_since(Instant::now());
        let patient = client.clone().with_timeout(left + client.timeout());
        let options = WaitContainerOptionsBuilder::default().condition("not-running").build();
        match patient.wait_container(id, Some(options)).next().await {
            Some(Ok(_)) => Ok(()),
            // That its exit code is not 0.
            Some(Err(Error::DockerContainerWaitError { error, .. })) if error.is_empty() => Ok(()),
            Some(Err(error)) => Err(error),
            None => Err(Error::RequestTimeoutError),
        }
    }
}

fn removed() -> DelegateError {
    DelegateError::Failed("the container was removed while it ran, as a later run of the task does".to_owned())
}

/// Answers, if anybody still waits.
fn tell(answer: Answer, result: Result<Exit, DelegateError>) {
    let _ = answer.send(result.map_err(DelegateError::bounded));
}

/// Writes to standard input and closes it. Never ends: a program need not read what it is given.
async fn feed(mut input: impl AsyncWrite + Unpin, stdin: Bytes) -> std::convert::Infallible {
    if !stdin.is_empty() {
        let fed = async {
            input.write_all(&stdin).await?;
            input.shutdown().await
        };
        if let Err(error) = fed.await {
            tracing::debug!(%error, "a container did not read all of its standard input");
        }
    }
    future::pending().await
}
