//! Steps that cut work into ranges.

use bulkhead_core::FailureStrategy;

use super::filled;
use super::step::Role;
use crate::yaml::{Content, Entry, Node};

/// What a `batchable` step says of its workers.
pub(super) fn analyzer(node: &Node) -> Role {
    let batch = node.get("batch_config");
    let worker = batch.and_then(|batch| batch.get("worker_template"));
    let word = batch.and_then(|batch| batch.get("failure_strategy")).and_then(Node::text);
    let strategy = FailureStrategy::ALL.into_iter().find(|strategy| Some(strategy.as_str()) == word);
    Role::Analyzer {
        worker: worker.and_then(|node| Some((filled(Some(node))?.to_owned(), node.mark))),
        strategy: strategy.unwrap_or_default(),
    }
}

/// The settings of an analyzer: its own, and its batch under `batch_config`.
pub(super) fn settings(initialization: Option<&Node>, batch: &Node) -> String {
    let own = initialization.map(Node::entries).unwrap_or_default();
    let mut entries: Vec<Entry> = own.iter().filter(|entry| &*entry.key != "batch_config").cloned().collect();
    let value = batch.clone();
    entries.push(Entry { key: "batch_config".into(), mark: batch.mark, value });
    Node { mark: batch.mark, content: Content::Table(entries) }.to_json()
}
