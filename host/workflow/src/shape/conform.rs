//! Whether a value has the shape that it must have.

use super::{Effect, Shape, Table, quoted};
use crate::yaml::{Content, Entry, Node};
use crate::{NotActedOn, Problem, shown};

/// As many problems are looked for; a file with more is no template at all.
pub(crate) const MAX_PROBLEMS: usize = 1000;

/// Keys of Tasker's oldest templates, which its own migration rewrites, and what they are now.
const OLDER: [(&str, &str); 12] = [
    ("step_templates", "`steps`"),
    ("schema", "`input_schema`"),
    ("task_handler_class", "`task_handler.callable`"),
    ("step_overrides", "`steps`, a list with names"),
    ("handler_class", "`handler.callable`"),
    ("handler_config", "`handler.initialization`"),
    ("depends_on_step", "`depends_on`"),
    ("depends_on_steps", "`depends_on`"),
    ("depends_on_step_name", "`depends_on`"),
    ("default_retryable", "`retry.retryable`"),
    ("default_retry_limit", "`retry.max_attempts`"),
    ("backoff_strategy", "`backoff`"),
];

/// Notes everything in a value that is not as its shape says, and every key of Tasker's on which nothing acts.
pub(crate) fn conform(node: &Node, shape: &Shape, path: &str, report: &mut Report) {
    if node.is_null() {
        return;
    }
    match (shape, &node.content) {
        (Shape::Table(table), Content::Table(entries)) => conform_table(node, entries, table, path, report),
        (Shape::Names(inner), Content::Table(entries)) => {
            for entry in entries {
                conform(&entry.value, inner, &joined(path, &entry.key), report);
            }
        }
        (Shape::List(inner), Content::List(items)) => {
            for (index, item) in items.iter().enumerate() {
                if item.is_null() && !matches!(inner, Shape::Any) {
                    let message = format!("{} is empty; {} is expected", place(path, index), inner.allowed());
                    report.problems.push(Problem::at(item.mark, message));
                }
                conform(item, inner, &place(path, index), report);
            }
        }
        (Shape::Either(shapes), _) => match shapes.iter().find(|shape| shape.is_of(node)) {
            Some(shape) => conform(node, shape, path, report),
            None => report.problems.push(wrong(node, shape, path)),
        },
        _ if shape.is_of(node) && shape.takes(node) => {}
        _ => report.problems.push(wrong(node, shape, path)),
    }
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) problems: Vec<Problem>,
    pub(crate) not_acted_on: Vec<NotActedOn>,
}

fn conform_table(node: &Node, entries: &[Entry], table: &Table, path: &str, report: &mut Report) {
    for entry in entries {
        let Some(key) = table.find(&entry.key) else {
            if report.problems.len() >= MAX_PROBLEMS {
                return;
            }
            let message = format!("{} has no key `{}`", table.what, shown(&entry.key));
            if let Some((_, now)) = OLDER.iter().find(|(older, _)| *older == &*entry.key) {
                let hint = format!("a spelling of Tasker's before its templates had versions; now {now}");
                report.problems.push(Problem::at(entry.mark, message).hint(hint));
                continue;
            }
            let problem = Problem::at(entry.mark, message).hint(format!("known keys: {}", quoted(table.names())));
            report.problems.push(problem.nearest(&entry.key, table.names()));
            continue;
        };
        let inner = joined(path, key.name);
        if key.effect == Effect::Kept {
            if !is_blank(&entry.value) {
                report.not_acted_on.push(NotActedOn { key: inner, line: entry.mark.line, about: key.about });
            }
            // Harmless whatever it says.
            continue;
        }
        conform(&entry.value, &key.shape, &inner, report);
    }
    for key in table.keys.iter().filter(|key| key.effect == Effect::Needed && node.get(key.name).is_none()) {
        let at = entries.iter().find(|entry| &*entry.key == key.name).map_or(node.mark, |entry| entry.mark);
        let message = format!("{} needs `{}`: {}", table.what, key.name, key.shape.allowed());
        report.problems.push(Problem::at(at, message));
    }
}

impl Shape {
    /// Whether the value is of the kind that the shape is, whatever is in it.
    pub(super) fn is_of(&self, node: &Node) -> bool {
        match self {
            Self::Text => matches!(node.content, Content::Text(_)),
            Self::Written => matches!(node.content, Content::Text(_) | Content::Number(_)),
            Self::Flag => matches!(node.content, Content::Flag(_)),
            Self::Whole(..) | Self::Amount => matches!(node.content, Content::Number(_)),
            Self::Word(_) => matches!(node.content, Content::Text(_)),
            Self::List(_) => matches!(node.content, Content::List(_)),
            Self::Table(_) | Self::Names(_) | Self::AnyTable => matches!(node.content, Content::Table(_)),
            Self::Schema => matches!(node.content, Content::Table(_) | Content::Flag(_)),
            Self::Any => true,
            Self::Either(shapes) => shapes.iter().any(|shape| shape.is_of(node)),
        }
    }

    /// Whether a value of the right kind is within the bounds.
    fn takes(&self, node: &Node) -> bool {
        match self {
            Self::Whole(least, most) => node.whole().is_some_and(|number| (*least..=*most).contains(&number)),
            Self::Amount => node.number().is_some_and(|number| number >= 0.0),
            Self::Word(words) => node.text().is_some_and(|text| words.contains(&text)),
            _ => true,
        }
    }
}

fn wrong(node: &Node, shape: &Shape, path: &str) -> Problem {
    let found = match node.written() {
        Some(text) => format!("`{}`", shown(text)),
        None => node.what().to_owned(),
    };
    let problem = Problem::at(node.mark, format!("{path} must be {}, not {found}", shape.allowed()));
    match (shape, node.written()) {
        (Shape::Word(words), Some(text)) => problem.nearest(text, words.iter().copied()),
        (Shape::Text, Some(_)) => problem.hint("put it in quotes"),
        _ => problem,
    }
}

/// Whether nothing is said: null, or an empty list, table or text.
fn is_blank(node: &Node) -> bool {
    match &node.content {
        Content::Null => true,
        Content::Text(text) => text.is_empty(),
        Content::List(items) => items.is_empty(),
        Content::Table(entries) => entries.is_empty(),
        Content::Flag(_) | Content::Number(_) => false,
    }
}

fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { shown(key) } else { format!("{path}.{}", shown(key)) }
}

fn place(path: &str, index: usize) -> String {
    format!("{path}[{index}]")
}
