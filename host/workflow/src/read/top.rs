//! What a template says of itself.

use bulkhead_core::Span;

use super::{filled, lifecycle::minutes};
use crate::Problem;
use crate::shown;
use crate::yaml::Node;

/// What a template says of itself.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// As it was written, but always with three numbers.
    pub(crate) version: semver::Version,
    pub(crate) description: Option<String>,
    pub(crate) max_duration: Option<Span>,
    pub(crate) max_waiting: Option<Span>,
}

/// The longest name or namespace, in bytes; Tasker's bound.
const MAX_NAME: usize = 255;

pub(crate) fn read_head(node: &Node, problems: &mut Vec<Problem>) -> Head {
    let mut named = |keys: &[&str], absent: &str| match node.first(keys) {
        Some(value) => {
            let name = value.text().unwrap_or(absent);
            let name = if name.is_empty() { absent } else { name };
            if !is_name(name) {
                let message = format!("not a {} of a template: `{}`", keys[0].trim_end_matches("_name"), shown(name));
                let rule = "1 to 255 bytes without `/`, `@`, spaces at the ends and control characters";
                problems.push(Problem::at(value.mark, message).hint(rule));
            }
            name.to_owned()
        }
        None => absent.to_owned(),
    };
    let name = named(&["name"], "");
    let namespace = named(&["namespace_name", "namespace"], "default");
    let lifecycle = node.get("lifecycle");
    Head {
        namespace,
        name,
        version: version(node, problems),
        description: filled(node.get("description")).map(str::to_owned),
        max_duration: lifecycle.and_then(|node| minutes(node, "max_duration_minutes")),
        max_waiting: lifecycle.and_then(|node| minutes(node, "max_waiting_for_dependencies_minutes")),
    }
}

fn is_name(name: &str) -> bool {
    let forbidden = |character: char| character.is_control() || character == '/' || character == '@';
    (1..=MAX_NAME).contains(&name.len()) && name.trim() == name && !name.contains(forbidden)
}

fn version(node: &Node, problems: &mut Vec<Problem>) -> semver::Version {
    let first = semver::Version::new(1, 0, 0);
    let Some(value) = node.get("version") else { return first };
    match value.written().filter(|text| !text.is_empty()) {
        None => first,
        Some(text) => parse_version(text).unwrap_or_else(|| {
            let message = format!("not a semantic version: `{}`", shown(text));
            problems.push(Problem::at(value.mark, message).hint("such as 1.0.0, 2.1.0 or 2.0.0-beta.1"));
            first
        }),
    }
}

/// A semantic version, of which the last numbers may be left out.
pub(crate) fn parse_version(text: &str) -> Option<semver::Version> {
    let text = text.trim().trim_start_matches('v');
    if text.len() > 64 {
        return None;
    }
    let dots = text.bytes().filter(|byte| *byte == b'.').count();
    match dots {
        0 | 1 if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') => {
            semver::Version::parse(&format!("{text}{}", ".0".repeat(2 - dots))).ok()
        }
        _ => semver::Version::parse(text).ok(),
    }
}
