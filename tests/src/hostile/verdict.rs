//! How a task ended, and whether it was to.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{End, Row};
use crate::client::text;

/// Says how a task ended; an error where it should have ended otherwise.
pub(super) fn check(task: &Value, end: &End) -> Result<String> {
    let (state, reason) = (text(task, "/state"), text(task, "/reason"));
    let said = format!("{} {}", text(task, "/error/reason"), text(task, "/error/message"));
    let as_it_must = match end {
        End::Dead(expected, words) => state == "dead" && reason == *expected && said.contains(words),
        End::Succeeds(result) => state == "succeeded" && task["result"] == *result,
        End::Tells(words) => state == "succeeded" && task["result"].to_string().contains(words),
        End::Refused(_) | End::KeptOut(_) => false,
    };
    ensure!(as_it_must, "not {end:?} but {state} {reason}: {said} {}", task["result"]);
    Ok(if state == "dead" { format!("{reason}: {}", said.trim()) } else { format!("succeeded: {}", task["result"]) })
}

/// How long the last attempt ran.
pub(super) fn ran(task: &Value) -> Result<Duration> {
    let last = task["attempts"].as_array().and_then(|attempts| attempts.last()).context("no attempt")?;
    let at = |field: &str| -> Result<jiff::Timestamp> { Ok(text(last, field).parse()?) };
    Ok(at("/ended_at")?.duration_since(at("/started_at")?).unsigned_abs())
}

/// What of a run's time was given to it.
pub(super) fn timeout(row: &Row, reason: &str) -> Duration {
    let given = row.task["timeout"].as_str().and_then(|timeout| timeout.strip_suffix("ms")?.parse().ok());
    if reason == "timeout" { Duration::from_millis(given.unwrap_or(100)) } else { Duration::ZERO }
}
