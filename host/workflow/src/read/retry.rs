//! How often a step is tried, and how long it waits between.

use bulkhead_core::{Backoff, BackoffCurve, Overrides, Span};

use crate::Problem;
use crate::yaml::Node;

/// What a step says of attempts and time.
pub(super) fn read_options(step: &Node, problems: &mut Vec<Problem>) -> Overrides {
    let lifecycle = step.get("lifecycle");
    let retry = step.get("retry").or_else(|| lifecycle?.get("retry"));
    let count = |node: &Node| node.whole().and_then(|count| u32::try_from(count).ok());
    let said = retry.and_then(|retry| retry.first(&["max_attempts", "limit"])).and_then(count);
    let attempts = said.or_else(|| lifecycle?.get("max_retries").and_then(count)).map(|count| count.max(1));
    let never_again = retry.and_then(|retry| retry.get("retryable")).and_then(Node::flag) == Some(false);
    let seconds = step.get("timeout_seconds").and_then(Node::whole).and_then(|seconds| u64::try_from(seconds).ok());
    Overrides {
        timeout: seconds.map(Span::from_secs),
        max_attempts: if never_again { Some(1) } else { attempts },
        backoff: retry.and_then(|retry| read_backoff(retry, problems)),
        ..Overrides::default()
    }
}

/// The wait between attempts, where anything is said of it.
fn read_backoff(retry: &Node, problems: &mut Vec<Problem>) -> Option<Backoff> {
    let curve = retry.get("backoff").and_then(Node::text).and_then(|word| match word {
        "none" => Some(BackoffCurve::None),
        "fixed" => Some(BackoffCurve::Fixed),
        "linear" => Some(BackoffCurve::Linear),
        "exponential" => Some(BackoffCurve::Exponential),
        "fibonacci" => Some(BackoffCurve::Fibonacci),
        _ => None,
    });
    let mut wait = |millis: &str, older: &str| match retry.get(millis) {
        Some(node) => node.whole().and_then(|millis| u64::try_from(millis).ok()).map(Span::from_millis),
        None => retry.get(older).and_then(|node| older_wait(node, problems)),
    };
    let (base, max) = (wait("backoff_base_ms", "initial_delay"), wait("max_backoff_ms", "max_delay"));
    if curve.is_none() && base.is_none() && max.is_none() {
        return None;
    }
    let default = Backoff::default();
    let base = base.unwrap_or(default.base);
    Some(Backoff {
        curve: curve.unwrap_or(default.curve),
        base,
        max: max.unwrap_or_else(|| default.max.max(base)),
        jitter: default.jitter,
    })
}

/// Seconds, or a length of time with its unit.
fn older_wait(node: &Node, problems: &mut Vec<Problem>) -> Option<Span> {
    if let Some(text) = node.text() {
        return Span::parse(text).inspect_err(|error| problems.push(Problem::at(node.mark, error.to_string()))).ok();
    }
    let seconds = node.number()?;
    let span = Span::from_millis((seconds * 1000.0) as u64);
    if span > Span::MAX {
        problems.push(Problem::at(node.mark, "a wait of more than a hundred years"));
    }
    Some(span.min(Span::MAX))
}
