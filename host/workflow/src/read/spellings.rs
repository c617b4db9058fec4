//! Keys that say the same in several ways.

use crate::yaml::{Content, Entry, Node};

/// Spellings of one key of one table.
const SPELLINGS: [(&str, &str); 5] = [
    ("depends_on", "dependencies"),
    ("type", "step_type"),
    ("max_attempts", "limit"),
    ("backoff_base_ms", "initial_delay"),
    ("max_backoff_ms", "max_delay"),
];

/// Whether a change of one of these keys takes the place of the other.
pub(super) fn is_same(entry: &Entry, changed: &Entry) -> bool {
    let pair = |one: &str, other: &str| *entry.key == *one && *changed.key == *other;
    // A `kind` would go before what the changed handler calls.
    let renames = || changed.value.get("callable").is_some() && pair("kind", "handler");
    SPELLINGS.iter().any(|(one, other)| pair(one, other) || pair(other, one)) || renames()
}

/// Moves what older templates say of retries under `lifecycle` to where newer ones say it.
pub(super) fn hoist_retry(step: &mut Node) {
    let Content::Table(entries) = &mut step.content else { return };
    let Some(lifecycle) = entries.iter_mut().find(|entry| &*entry.key == "lifecycle") else { return };
    let Content::Table(older) = &mut lifecycle.value.content else { return };
    let mut take = |key: &str| {
        let at = older.iter().position(|entry| &*entry.key == key)?;
        Some(older.remove(at)).filter(|entry| !entry.value.is_null())
    };
    let (retry, attempts) = (take("retry"), take("max_retries"));
    if retry.is_none() && attempts.is_none() {
        return;
    }
    if !entries.iter().any(|entry| &*entry.key == "retry" && !entry.value.is_null()) {
        entries.retain(|entry| &*entry.key != "retry");
        let at = attempts.as_ref().map(|attempts| attempts.mark).unwrap_or(step.mark);
        let none = || Node { mark: at, content: Content::Table(Vec::new()) };
        entries.push(retry.unwrap_or_else(|| Entry { key: "retry".into(), mark: at, value: none() }));
    }
    let retry = entries.iter_mut().find(|entry| &*entry.key == "retry");
    if let (Some(retry), Some(attempts)) = (retry, attempts)
        && retry.value.first(&["max_attempts", "limit"]).is_none()
        && let Content::Table(entries) = &mut retry.value.content
    {
        entries.retain(|entry| &*entry.key != "max_attempts" && &*entry.key != "limit");
        entries.push(Entry { key: "max_attempts".into(), ..attempts });
    }
}
