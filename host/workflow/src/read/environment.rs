//! What an environment changes.

use std::collections::{HashMap, HashSet};

use super::spellings::{hoist_retry, is_same};
use crate::Problem;
use crate::problem::Guesses;
use crate::shown;
use crate::yaml::{Content, MAX_NODES, MAX_TEXT, Node, Weight};

/// Keys whose tables are merged key by key.
const MERGED: [&str; 5] = ["handler", "initialization", "retry", "lifecycle", "batch_config"];

/// Refuses changes of steps that there are not, in every environment, and applies those of the one that the host is.
pub(crate) fn overlay(root: &mut Node, environment: Option<&str>, problems: &mut Vec<Problem>) {
    let Some(environments) = root.get("environments").cloned() else { return };
    let steps = root.get("steps").map(Node::items).unwrap_or_default();
    let names: Vec<String> = steps.iter().filter_map(|step| step.get("name")?.text().map(str::to_owned)).collect();
    let known: HashSet<&str> = names.iter().map(String::as_str).collect();
    let mut guesses = Guesses::default();
    for entry in environments.entries() {
        let changes = entry.value.get("steps").map(Node::items).unwrap_or_default();
        for name in changes.iter().filter_map(|change| change.get("name")) {
            let Some(text) = name.text().filter(|text| *text != "ALL" && !known.contains(text)) else { continue };
            let message = format!("environment `{}` changes an unknown step: `{}`", entry.key, shown(text));
            let names = names.iter().map(String::as_str);
            problems.push(Problem::at(name.mark, message).guessed(text, names, &mut guesses));
        }
        if environment == Some(&entry.key) {
            problems.extend(apply(root, changes, &entry.key).err());
        }
    }
}

/// Applies the changes in their order, as long as what they add is within the bounds of a file: `ALL` repeats them as aliases
/// do.
fn apply(root: &mut Node, changes: &[Node], environment: &str) -> Result<(), Problem> {
    let Content::Table(entries) = &mut root.content else { return Ok(()) };
    let Some(steps) = entries.iter_mut().find(|entry| &*entry.key == "steps") else { return Ok(()) };
    let Content::List(steps) = &mut steps.value.content else { return Ok(()) };
    let mut places: HashMap<String, Vec<usize>> = HashMap::new();
    for (place, step) in steps.iter().enumerate() {
        let name = step.get("name").and_then(Node::text).unwrap_or_default();
        places.entry(name.to_owned()).or_default().push(place);
    }
    places.insert("ALL".to_owned(), (0..steps.len()).collect());
    let mut added = Weight::default();
    for change in changes {
        let mut change = change.clone();
        let name = change.get("name").and_then(Node::text).unwrap_or_default().to_owned();
        hoist_retry(&mut change);
        let weight = change.weight();
        for place in places.get(&name).into_iter().flatten() {
            added += weight;
            if added.nodes > MAX_NODES || added.bytes > MAX_TEXT {
                let message = format!(
                    "environment `{}` makes more than {MAX_NODES} values or {MAX_TEXT} bytes of text",
                    shown(environment)
                );
                return Err(Problem::at(change.mark, message).hint("change fewer steps, or less of each"));
            }
            let step = &mut steps[*place];
            hoist_retry(step);
            merge(step, &change);
        }
    }
    Ok(())
}

fn merge(base: &mut Node, change: &Node) {
    let Content::Table(entries) = &mut base.content else { return };
    for changed in change.entries() {
        if &*changed.key == "name" || changed.value.is_null() {
            continue;
        }
        // What the change says counts, also where the step says it in another way.
        entries.retain(|entry| entry.key == changed.key || !is_same(entry, changed));
        match entries.iter_mut().find(|entry| entry.key == changed.key) {
            Some(entry) if MERGED.contains(&&*changed.key) && matches!(entry.value.content, Content::Table(_)) => {
                merge(&mut entry.value, &changed.value);
            }
            Some(entry) => *entry = changed.clone(),
            None => entries.push(changed.clone()),
        }
    }
}
