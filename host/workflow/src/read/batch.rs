//! Steps that cut work into ranges.

use std::collections::HashMap;

use super::FailureStrategy;

use super::step::Role;
use super::{filled, texts};
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

/// Gives each `batchable` step that says nothing of its batch what its worker says: Tasker's templates say it in either place.
pub(crate) fn adopt(root: &mut Node) {
    let Content::Table(entries) = &mut root.content else { return };
    let Some(steps) = entries.iter_mut().find(|entry| &*entry.key == "steps") else { return };
    let Content::List(steps) = &mut steps.value.content else { return };
    let mut by_analyzer: HashMap<String, Entry> = HashMap::new();
    for worker in steps.iter().filter(|step| step_type(step) == Some("batch_worker")) {
        let Some(batch) = worker.entries().iter().find(|entry| &*entry.key == "batch_config") else { continue };
        for (analyzer, _) in texts(worker.get("depends_on")).into_iter().chain(texts(worker.get("dependencies"))) {
            if !batch.value.is_null() {
                by_analyzer.entry(analyzer.to_owned()).or_insert_with(|| batch.clone());
            }
        }
    }
    for step in steps {
        let lacks = step_type(step) == Some("batchable") && step.get("batch_config").is_none();
        let batch = step.get("name").and_then(Node::text).filter(|_| lacks).and_then(|name| by_analyzer.remove(name));
        if let (Some(batch), Content::Table(entries)) = (batch, &mut step.content) {
            entries.retain(|entry| &*entry.key != "batch_config");
            entries.push(batch);
        }
    }
}

/// What a step says of its type.
pub(super) fn step_type(step: &Node) -> Option<&str> {
    step.first(&["type", "step_type"]).and_then(Node::text)
}

/// The settings of a step of a batch: its own, and the batch under `batch_config`.
pub(super) fn settings(initialization: Option<&Node>, batch: &Node) -> String {
    let own = initialization.map(Node::entries).unwrap_or_default();
    let mut entries: Vec<Entry> = own.iter().filter(|entry| &*entry.key != "batch_config").cloned().collect();
    let value = batch.clone();
    entries.push(Entry { key: "batch_config".into(), mark: batch.mark, value });
    Node { mark: batch.mark, content: Content::Table(entries) }.to_json()
}
