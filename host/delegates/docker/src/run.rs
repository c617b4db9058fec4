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
use bulkhead_core::{Caller, DelegateError, Exit};
use bytes::Bytes;
use futures::{StreamExt, future};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, sleep_until};

use crate::admit::Plan;
use crate::body::{Folders, body};
use crate::docker::Counted;
use crate::end::exit;
use crate::engine::{Engine, Permit};
use crate::fault::{Fault, fault};
use crate::labels::Labels;
use crate::look::Found;
use crate::meter::Meter;
use crate::orphans::remove_orphans;
use crate::output::Output;
use crate::removal::{LOOK_EVERY, keep_removing, remove, until_over};
use crate::turns::Turns;

/// How long the end of the output may be waited for once the container has ended.
const DRAIN_WITHIN: Duration = Duration::from_secs(5);

/// How often is looked for what an earlier lease left: the engine lists a container a moment, up to seconds where it is
/// busy, before it can be told to remove it.
const LISTED_LOOKS: usize = 250;

/// A container that was admitted.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) engine: Arc<Engine>,
    pub(crate) turns: Arc<Turns>,
    /// With the use of its workspace, which is not over before the container is.
    pub(crate) caller: Caller,
    pub(crate) plan: Plan,
    pub(crate) labels: Labels,
    pub(crate) cgroups: PathBuf,
    pub(crate) output: usize,
    pub(crate) deadline: Instant,
}

/// Who waits for the answer; when nobody does any more, the container goes.
type Answer = oneshot::Sender<Result<Exit, DelegateError>>;

/// What is there before a container is made.
struct Ready {
    client: bollard::Docker,
    /// Folders that the image wants to write to.
    volumes: Vec<String>,
    found: Found,
    permit: Permit,
}

impl Run {
    /// Runs it, answers, and sees to it that nothing is left. What is `held` is dropped when nothing of it runs any more.
    pub(crate) async fn perform(self, counted: Counted, held: impl Send, mut answer: Answer) {
        let Ready { client, volumes, found, permit } = match self.unless_over(&mut answer, self.prepare()).await {
            Ok(ready) => ready,
            Err(error) => {
                drop((self, held));
                return tell(answer, Err(error));
            }
        };
        // From here on an end of the wait must not end what is done: the engine may have made what it has not told of.
        let name = format!("bulkhead-{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
        let options = CreateContainerOptionsBuilder::default().name(&name).build();
        let folders = Folders { mounts: &found.folders, volumes: &volumes, have_owner: !self.engine.is_podman() };
        let body = body(&self.plan, &folders, &self.labels);
        let id = match client.create_container(Some(options), body).await {
            Ok(created) => created.id,
            Err(error) => {
                let told = Err(self.engine.explain(&error));
                if !matches!(fault(&error), Fault::Away(_)) {
                    drop((self, held, found));
                    return tell(answer, told);
                }
                tell(answer, told);
                keep_removing(&self.engine, &name, false).await;
                return;
            }
        };
        permit.succeeded();
        let done = self.unless_over(&mut answer, self.work(&client, &id, &found)).await;
        match remove(&client, &id).await {
            Ok(_) => {
                // First, so that whoever is answered finds it free.
                drop((self, held, found));
                tell(answer, done);
            }
            Err(error) => {
                tell(answer, done);
                tracing::debug!(container = id, %error, "a container is not removed yet");
                if !keep_removing(&self.engine, &id, true).await {
                    // The end of the host does not wait for an engine that is gone for so long.
                    drop(counted);
                    until_over(&self.engine, &id).await;
                }
            }
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

    /// Removes what an earlier lease left, sees to the image, and looks for the folders: in this order, for what an earlier
    /// lease left may still write to them.
    async fn prepare(&self) -> Result<Ready, DelegateError> {
        let (client, volumes) = {
            // Dropped before the turn is waited for, lest a call that tries the engine keeps others from it for long.
            let _permit = self.engine.permit()?;
            let client = self.engine.client().await.map_err(|error| self.engine.explain(&error))?;
            let (removed, volumes) = future::join(self.remove_earlier(&client), self.volumes(&client)).await;
            removed.map_err(|error| self.engine.explain(&error))?;
            (client, volumes?)
        };
        let found = Found::take(&self.turns, &self.caller, &self.plan.mounts).await?;
        Ok(Ready { client, volumes, found, permit: self.engine.permit()? })
    }

    async fn remove_earlier(&self, client: &bollard::Docker) -> Result<(), Error> {
        if self.labels.lease.is_none() {
            return remove_orphans(client).await.map(|_| ());
        }
        let options = ListContainersOptionsBuilder::default().all(true).filters(&self.labels.of_task()).build();
        for _ in 0..LISTED_LOOKS {
            let mut all_found = true;
            for container in client.list_containers(Some(options.clone())).await? {
                let is_earlier = container.labels.is_some_and(|labels| self.labels.is_earlier(&labels));
                if let Some(id) = container.id.filter(|_| is_earlier) {
                    let found = remove(client, &id).await?;
                    if found {
                        tracing::info!(container = id, task = %self.labels.task, "what an earlier lease left is removed");
                    }
                    all_found &= found;
                }
            }
            if all_found {
                return Ok(());
            }
            sleep(LOOK_EVERY).await;
        }
        tracing::warn!(task = %self.labels.task, "the engine lists what an earlier lease left, and does not know it");
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
                self.caller.handler
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
    async fn work(&self, client: &bollard::Docker, id: &str, found: &Found) -> Result<Exit, DelegateError> {
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
        found.check(&self.caller, &self.plan.mounts).await?;
        client.start_container(id, None::<StartContainerOptions>).await.map_err(explain)?;
        found.turn.started();
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
