//! From the tree of a file to a plan.

mod batch;
mod callable;
mod environment;
mod event;
mod execute;
mod failure_strategy;
mod fan_out;
mod lifecycle;
mod retry;
mod spellings;
mod step;
mod top;

pub(crate) use batch::adopt;
pub(crate) use environment::overlay;
pub(crate) use failure_strategy::FailureStrategy;
pub(crate) use step::{Draft, Role, read_step};
pub(crate) use top::{parse_version, read_head};

use crate::yaml::Node;

/// Text that says something.
fn filled(node: Option<&Node>) -> Option<&str> {
    node.and_then(Node::text).map(str::trim).filter(|text| !text.is_empty())
}

/// The texts of a list, or the one that stands for a list, each with its node.
fn texts(node: Option<&Node>) -> Vec<(&str, &Node)> {
    let Some(node) = node else { return Vec::new() };
    let one = std::slice::from_ref(node);
    let items = if node.text().is_some() { one } else { node.items() };
    items.iter().filter_map(|item| Some((item.text()?, item))).collect()
}
