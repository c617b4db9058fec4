//! YAML as a tree that knows where each part of it stands.
//!
//! The events come from `saphyr-parser`; the tree is made here, so that its bounds hold while it grows and every value
//! keeps its line and column.

mod reader;
mod scalar;
mod weight;

use serde_json::Value;

pub(crate) use reader::{MAX_BYTES, MAX_NODES, MAX_TEXT, read};
pub(crate) use weight::Weight;

/// A place in a file: line and column, both counted from 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// A value, and where it begins.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) mark: Mark,
    pub(crate) content: Content,
}

/// What stands there.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    Null,
    Flag(bool),
    /// As it was written, which may not be how JSON writes it.
    Number(Box<str>),
    Text(Box<str>),
    List(Vec<Node>),
    Table(Vec<Entry>),
}

/// A key with its value.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: Box<str>,
    /// Where the key stands.
    pub(crate) mark: Mark,
    pub(crate) value: Node,
}

impl Node {
    pub(crate) fn is_null(&self) -> bool {
        matches!(self.content, Content::Null)
    }

    /// What kind of value it is, for messages.
    pub(crate) fn what(&self) -> &'static str {
        match self.content {
            Content::Null => "nothing",
            Content::Flag(_) => "true or false",
            Content::Number(_) => "a number",
            Content::Text(_) => "text",
            Content::List(_) => "a list",
            Content::Table(_) => "a table",
        }
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.content {
            Content::Table(entries) => entries,
            _ => &[],
        }
    }

    pub(crate) fn items(&self) -> &[Self] {
        match &self.content {
            Content::List(items) => items,
            _ => &[],
        }
    }

    /// The value of a key that is there and is not null.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|entry| &*entry.key == key).map(|entry| &entry.value).filter(|node| !node.is_null())
    }

    /// The value of the first of these keys that is there and is not null.
    pub(crate) fn first(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().find_map(|key| self.get(key))
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Text, or a number as it was written: `1.0` as a version.
    pub(crate) fn written(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) | Content::Number(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn flag(&self) -> Option<bool> {
        match self.content {
            Content::Flag(flag) => Some(flag),
            _ => None,
        }
    }

    pub(crate) fn whole(&self) -> Option<i64> {
        match &self.content {
            Content::Number(text) => scalar::json_number(text)?.as_i64(),
            _ => None,
        }
    }

    pub(crate) fn number(&self) -> Option<f64> {
        match &self.content {
            Content::Number(text) => scalar::json_number(text)?.as_f64(),
            _ => None,
        }
    }

    /// The value as JSON; a number keeps its digits where JSON has such a number.
    pub(crate) fn to_json(&self) -> String {
        let mut json = String::new();
        self.write_json(&mut json);
        json
    }

    /// The value as `serde_json` has it.
    pub(crate) fn to_value(&self) -> Value {
        match &self.content {
            Content::Null => Value::Null,
            Content::Flag(flag) => Value::Bool(*flag),
            Content::Number(text) => scalar::json_number(text).map_or(Value::Null, Value::Number),
            Content::Text(text) => Value::String(text.to_string()),
            Content::List(items) => items.iter().map(Self::to_value).collect(),
            Content::Table(entries) => {
                entries.iter().map(|entry| (entry.key.to_string(), entry.value.to_value())).collect()
            }
        }
    }

    fn write_json(&self, json: &mut String) {
        let quoted = |text: &str| Value::String(text.to_owned()).to_string();
        match &self.content {
            Content::Null => json.push_str("null"),
            Content::Flag(flag) => json.push_str(if *flag { "true" } else { "false" }),
            Content::Number(text) => json.push_str(&scalar::json_digits(text)),
            Content::Text(text) => json.push_str(&quoted(text)),
            Content::List(items) => {
                json.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        json.push(',');
                    }
                    item.write_json(json);
                }
                json.push(']');
            }
            Content::Table(entries) => {
                json.push('{');
                for (index, entry) in entries.iter().enumerate() {
                    if index > 0 {
                        json.push(',');
                    }
                    json.push_str(&quoted(&entry.key));
                    json.push(':');
                    entry.value.write_json(json);
                }
                json.push('}');
            }
        }
    }

    /// Where the part of this value stands that a JSON pointer names, or the nearest part around it.
    pub(crate) fn mark_at(&self, pointer: &str) -> Mark {
        let mut node = self;
        for part in pointer.split('/').skip(1) {
            let part = part.replace("~1", "/").replace("~0", "~");
            let inner = match &node.content {
                Content::Table(entries) => entries.iter().find(|entry| *entry.key == *part).map(|entry| &entry.value),
                Content::List(items) => part.parse::<usize>().ok().and_then(|index| items.get(index)),
                _ => None,
            };
            let Some(inner) = inner else { break };
            node = inner;
        }
        node.mark
    }
}
