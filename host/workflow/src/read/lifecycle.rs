//! Lengths of time in minutes.

use bulkhead_core::Span;

use crate::yaml::Node;

/// So many minutes, where the key is there.
pub(super) fn minutes(node: &Node, key: &str) -> Option<Span> {
    let minutes = node.get(key)?.whole()?;
    u64::try_from(minutes).ok().map(|minutes| Span::from_secs(minutes * 60))
}
