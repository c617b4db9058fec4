//! Killing and removing a container, until it is gone.

use std::time::Duration;

use bollard::errors::Error;
use bollard::query_parameters::{InspectContainerOptions, RemoveContainerOptionsBuilder};
use tokio::time::{sleep, timeout};

use crate::engine::Engine;
use crate::fault::{Fault, fault};

/// How long one try may take: an engine waits up to 10 s for what it kills.
const TRY_FOR: Duration = Duration::from_secs(30);

/// How often is looked whether a container is gone that somebody else removes, or there that is listed.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The pauses between tries while the engine does not answer; after the last, the store's list of leases decides.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(100),
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(20),
    Duration::from_secs(60),
];

/// How often a container is tried again that could not be removed in all those tries.
const TRY_AGAIN: Duration = Duration::from_secs(60);

/// Kills and removes a container and what it wrote; it is gone when this returns without an error. Tells whether there was
/// one.
pub(crate) async fn remove(client: &bollard::Docker, container: &str) -> Result<bool, Error> {
    timeout(TRY_FOR, try_remove(client, container)).await.unwrap_or(Err(Error::RequestTimeoutError))
}

async fn try_remove(client: &bollard::Docker, container: &str) -> Result<bool, Error> {
    let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
    match client.remove_container(container, Some(options)).await {
        Err(error) => match fault(&error) {
            Fault::Missing(_) => Ok(false),
            // Somebody else removes it.
            Fault::Conflict(_) => is_gone(client, container).await.map(|()| true),
            Fault::Away(_) | Fault::Refused(_) => Err(error),
        },
        Ok(()) => Ok(true),
    }
}

async fn is_gone(client: &bollard::Docker, container: &str) -> Result<(), Error> {
    loop {
        if let Err(error) = client.inspect_container(container, None::<InspectContainerOptions>).await {
            return if matches!(fault(&error), Fault::Missing(_)) { Ok(()) } else { Err(error) };
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Removes a container whose first removal failed; false where one that is `known` to be there still is. Where it is not
/// known, because the engine did not answer when it was told to make it, that it is missing means nothing yet; it was not
/// started.
pub(crate) async fn keep_removing(engine: &Engine, container: &str, known: bool) -> bool {
    for pause in PAUSES {
        sleep(pause).await;
        let removed = async { remove(&engine.client().await?, container).await };
        match removed.await {
            Ok(there_was_one) if known || there_was_one => return true,
            Ok(_) => {}
            Err(error) => tracing::debug!(container, %error, "a container is not removed yet"),
        }
    }
    if known {
        tracing::warn!(container, "a container could not be removed; it is when the host next looks for what was left");
    }
    !known
}

/// Waits until a container runs no more, or somebody has removed it, for as long as the host lives: what it uses must not
/// be given to others.
pub(crate) async fn until_over(engine: &Engine, container: &str) {
    let runs = async || {
        let client = engine.client().await?;
        match remove(&client, container).await {
            Ok(_) => Ok(false),
            // An engine may be unable to clear away what it was able to kill.
            Err(_) => {
                let found = client.inspect_container(container, None::<InspectContainerOptions>).await?;
                Ok::<_, Error>(found.state.and_then(|state| state.running) != Some(false))
            }
        }
    };
    loop {
        sleep(TRY_AGAIN).await;
        match runs().await {
            Ok(false) => return,
            Ok(true) => tracing::debug!(container, "a container still runs"),
            Err(error) => tracing::debug!(container, %error, "a container may still run"),
        }
    }
}
