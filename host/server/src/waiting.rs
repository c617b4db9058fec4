//! Requests that wait for an end.

use std::time::Duration;

use bulkhead_core::Span;
use bulkhead_store::{BoxFuture, StoreError};
use serde::Deserialize;

use crate::app::App;
use crate::problem::Problem;

/// The longest that one request waits.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// The parameters of a request that may wait: `?wait=30s`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WaitQuery {
    pub(crate) wait: Option<Span>,
}

/// Waits so long for what the store is asked, unless the host stops first.
pub(crate) async fn within<'a, T>(
    app: &App,
    wait: Span,
    ask: impl FnOnce(Duration) -> BoxFuture<'a, Result<T, StoreError>>,
) -> Result<T, Problem> {
    if wait.duration() > MAX_WAIT {
        return Err(Problem::Malformed(format!("wait must be at most 60s: `{wait}`; ask again to wait longer")));
    }
    let mut stopping = app.stopping.clone();
    tokio::select! {
        found = ask(wait.duration()) => Ok(found?),
        _ = stopping.wait_for(|stopping| *stopping) => Err(Problem::Stopping),
    }
}
