//! Whether a backend is there.

use std::time::Duration;

use reqwest::header::AUTHORIZATION;

use crate::backend::Backend;
use crate::exchange;
use crate::failure::Failure;

/// How long a look at a backend may take.
const LIMIT: Duration = Duration::from_secs(3);

/// How a backend is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendHealth {
    /// Its name.
    pub backend: String,
    /// That it can be asked, or why not.
    pub state: Result<(), String>,
}

/// Asks a backend for its models, outside of its slots and its breaker.
pub(crate) async fn probe(backend: &Backend) -> BackendHealth {
    let state = tokio::time::timeout(LIMIT, look(backend)).await.unwrap_or(Err(Failure::Silent(LIMIT)));
    let state = state.map_err(|failure| match failure {
        Failure::Silent(limit) => format!("it said nothing within {} s", limit.as_secs()),
        // For the operator, who may know where it is.
        Failure::Key(error) => error.to_string(),
        other => other.to_string(),
    });
    BackendHealth { backend: backend.name().to_owned(), state }
}

async fn look(backend: &Backend) -> Result<(), Failure> {
    let mut request = backend.client().get(backend.address(&["models"]));
    if let Some(key) = backend.key().await.map_err(Failure::Key)? {
        request = request.header(AUTHORIZATION, key.header());
    }
    let response = request.send().await.map_err(|error| exchange::unsent(&error))?;
    let status = response.status().as_u16();
    // Some backends have no list of models; one that says so is there.
    if response.status().is_success() || matches!(status, 404 | 405) {
        return Ok(());
    }
    Err(Failure::Refused { status, reason: None, retry_after: None })
}
