//! What an environment changes.

use crate::Problem;
use crate::shown;
use crate::yaml::{Content, Entry, Node};

/// Keys whose tables are merged key by key.
const MERGED: [&str; 5] = ["handler", "initialization", "retry", "lifecycle", "batch_config"];
/// Two spellings of one key: a change of one takes the place of the other.
const SPELLINGS: [(&str, &str); 2] = [("depends_on", "dependencies"), ("type", "step_type")];

/// Refuses changes of steps that there are not, in every environment, and applies those of the one that the host is.
pub(crate) fn overlay(root: &mut Node, environment: Option<&str>, problems: &mut Vec<Problem>) {
    let Some(environments) = root.get("environments").cloned() else { return };
    let names: Vec<String> = root
        .get("steps")
        .map(Node::items)
        .unwrap_or_default()
        .iter()
        .filter_map(|step| step.get("name")?.text().map(str::to_owned))
        .collect();
    for entry in environments.entries() {
        let changes = entry.value.get("steps").map(Node::items).unwrap_or_default();
        for change in changes {
            let Some(name) = change.get("name") else { continue };
            let Some(text) = name.text() else { continue };
            if text != "ALL" && !names.iter().any(|known| known == text) {
                let message = format!("environment `{}` changes an unknown step: `{}`", entry.key, shown(text));
                problems.push(Problem::at(name.mark, message).nearest(text, names.iter().map(String::as_str)));
            } else if environment == Some(&entry.key) {
                apply(root, text, change);
            }
        }
    }
}

/// Changes the step of that name, or all.
fn apply(root: &mut Node, name: &str, change: &Node) {
    let Content::Table(entries) = &mut root.content else { return };
    let Some(steps) = entries.iter_mut().find(|entry| &*entry.key == "steps") else { return };
    let Content::List(steps) = &mut steps.value.content else { return };
    for step in steps {
        if name == "ALL" || step.get("name").and_then(Node::text) == Some(name) {
            merge(step, change);
        }
    }
}

fn merge(base: &mut Node, change: &Node) {
    let Content::Table(entries) = &mut base.content else { return };
    for changed in change.entries() {
        if &*changed.key == "name" || changed.value.is_null() {
            continue;
        }
        let same = |entry: &Entry| {
            let pair = |(one, other): &(&str, &str)| {
                (*entry.key == **one && *changed.key == **other) || (*entry.key == **other && *changed.key == **one)
            };
            entry.key == changed.key || SPELLINGS.iter().any(pair)
        };
        match entries.iter_mut().find(|entry| same(entry)) {
            Some(entry) if MERGED.contains(&&*changed.key) && matches!(entry.value.content, Content::Table(_)) => {
                merge(&mut entry.value, &changed.value);
            }
            Some(entry) => *entry = changed.clone(),
            None => entries.push(changed.clone()),
        }
    }
}
