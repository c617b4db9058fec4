//! Waiting for tasks to end.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::Value;

use super::show;
use crate::client::Client;
use crate::printer::Printer;

/// The longest that one request waits.
const WAIT_AT_ONCE: Duration = Duration::from_secs(30);

/// Waits for a task to end.
pub(super) fn wait(id: &str, limit: Duration, client: &Client, printer: &mut Printer) -> Result<Value> {
    let bar = printer.progress(None, "waiting for the task to end");
    let ended = ended(id, Instant::now() + limit, client);
    bar.finish_and_clear();
    ended
}

/// A task once it has ended.
pub(super) fn ended(id: &str, deadline: Instant, client: &Client) -> Result<Value> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now()).min(WAIT_AT_ONCE);
        let wait = format!("{}ms", left.as_millis());
        let task = client.get(&format!("/v1/tasks/{id}"), &[("wait", &wait)])?.accepted()?;
        if show::has_ended(&task) {
            return Ok(task);
        }
        if Instant::now() >= deadline {
            let state = task.get("state").and_then(Value::as_str).unwrap_or("?");
            bail!("task {id} has not ended: it is {state}; look again with `bulkhead task show {id}`");
        }
    }
}
