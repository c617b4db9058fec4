//! Steps that cut work into ranges.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::step::Role;
use super::{FailureStrategy, filled, texts};
use crate::yaml::{Content, Entry, MAX_TEXT, Node};
use crate::{NotActedOn, Problem, shown};

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

/// Gives each `batchable` step and its workers the batch that they describe together: Tasker's templates say it in either
/// place. Refuses what they say differently.
pub(crate) fn adopt(root: &mut Node, problems: &mut Vec<Problem>) {
    let Content::Table(entries) = &mut root.content else { return };
    let Some(steps) = entries.iter_mut().find(|entry| &*entry.key == "steps") else { return };
    let Content::List(steps) = &mut steps.value.content else { return };
    let named = |(place, step): (usize, &Node)| Some((step.get("name")?.text()?.to_owned(), place));
    let of_type = |word: &'static str| move |(_, step): &(usize, &Node)| step_type(step) == Some(word);
    let analyzers: HashMap<String, usize> =
        steps.iter().enumerate().filter(of_type("batchable")).filter_map(named).collect();
    let mut naming: HashMap<String, Vec<usize>> = HashMap::new();
    for place in analyzers.values() {
        if let Some(worker) = steps[*place].get("batch_config").and_then(|batch| batch.get("worker_template")?.text()) {
            naming.entry(worker.to_owned()).or_default().push(*place);
        }
    }
    let mut workers: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (place, worker) in steps.iter().enumerate().filter(of_type("batch_worker")) {
        let name = worker.get("name").and_then(Node::text);
        let on = texts(worker.get("depends_on")).into_iter().chain(texts(worker.get("dependencies")));
        let mut of: BTreeSet<usize> = on.filter_map(|(on, _)| analyzers.get(on).copied()).collect();
        of.extend(name.and_then(|name| naming.get(name)).into_iter().flatten());
        // What is wrong with a worker of several is said elsewhere.
        if let (Some(analyzer), 1) = (of.first(), of.len()) {
            workers.entry(*analyzer).or_default().push(place);
        }
    }
    for (analyzer, workers) in workers {
        let mut whole: Vec<Entry> = Vec::new();
        let mut mark = None;
        for place in std::iter::once(&analyzer).chain(&workers) {
            let Some(batch) = steps[*place].get("batch_config") else { continue };
            mark = mark.or(Some(batch.mark));
            for entry in batch.entries().iter().filter(|entry| !entry.value.is_null()) {
                match whole.iter().find(|other| other.key == entry.key) {
                    None => whole.push(entry.clone()),
                    Some(other) if other.value.to_json() == entry.value.to_json() => {}
                    Some(other) => problems.push(contradiction(entry, other)),
                }
            }
        }
        let Some(mark) = mark else { continue };
        let bytes: usize = whole.iter().map(|entry| entry.value.weight().bytes).sum();
        if bytes.saturating_mul(workers.len()) > MAX_TEXT {
            problems.push(Problem::at(mark, format!("`batch_config` with its workers has more than {MAX_TEXT} bytes")));
            continue;
        }
        for place in std::iter::once(analyzer).chain(workers) {
            if let Content::Table(entries) = &mut steps[place].content {
                entries.retain(|entry| &*entry.key != "batch_config");
                let value = Node { mark, content: Content::Table(whole.clone()) };
                entries.push(Entry { key: "batch_config".into(), mark, value });
            }
        }
    }
}

fn contradiction(entry: &Entry, other: &Entry) -> Problem {
    let message = format!("`batch_config.{}` is not what the other step of the batch says", shown(&entry.key));
    let there = shown(&other.value.to_json());
    let hint = format!("it is {there} on line {}; say it at one of them", other.value.mark.line);
    Problem::at(entry.value.mark, message).hint(hint)
}

/// The `batch_config` of a step that is no part of a batch.
pub(super) fn not_acted_on(step: &Node, path: &str) -> Option<NotActedOn> {
    let batch = step.get("batch_config").filter(|batch| !batch.entries().is_empty())?;
    let about = "Only a `batchable` step and its `batch_worker` have a batch.";
    Some(NotActedOn { key: format!("{path}.batch_config"), line: batch.mark.line, about })
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
